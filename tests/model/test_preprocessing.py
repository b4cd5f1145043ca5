"""A net cut in two: what is done once to each picture, and what runs in an engine."""

from __future__ import annotations

import numpy as np
import pytest

from foveal.engines import build
from foveal.errors import ShapeError
from foveal.model.preprocessing import split
from foveal.net import Net
from foveal.net.notation import parse

REST = " -> normalise -> conv 2 3"


def picture(height: int, width: int, channels: int = 1) -> np.ndarray:
    random = np.random.default_rng((height, width))
    return random.integers(0, 256, (height, width, channels)).astype(np.uint8)


def cut(text: str, input: tuple[int, ...] = (1, 40, 60)):
    return split(parse(text + REST), input)


@pytest.mark.parametrize(
    ("text", "shape", "at_least"),
    [
        ("input uint8", (1, 40, 60), None),
        ("input uint8 -> resize 20", (1, 20, 30), 20),
        ("input uint8 -> resize 20 -> crop 16", (1, 16, 16), 20),
        ("input uint8 -> resize 16x24", (1, 16, 24), 24),
        ("input uint8 -> small: resize 20 -> crop 16", (1, 16, 16), 20),
        ("input uint8 -> crop 32 -> resize 8", (1, 8, 8), None),
        ("normalise", (1, 40, 60), None),
    ],
)
def test_the_geometric_steps_are_split_off(text, shape, at_least) -> None:
    made = cut(text)
    assert (made.shape, made.at_least) == (shape, at_least)
    assert made.rest.bind(made.shape).steps[0].kind.word == "input"


@pytest.mark.parametrize("text", ["resize 20 -> crop 16", "resize 16x24", "crop 32 -> resize 8"])
@pytest.mark.parametrize("size", [(40, 60), (60, 40), (41, 33), (100, 90)])
def test_a_prepared_picture_is_what_the_net_sees(text: str, size: tuple[int, int]) -> None:
    net = parse(f"input uint8 -> {text}")
    made = split(net, (1, 40, 60)).prepare(picture(*size))
    seen = build("reference", net.bind((1, *size)), {}).run(picture(*size)[None])[""]
    assert made.dtype == np.uint8
    np.testing.assert_array_equal(made, seen[0].transpose(1, 2, 0))


def test_a_picture_of_the_final_size_is_resized_all_the_same() -> None:
    """A crop of the enlarged picture is not the picture, though their sizes are equal."""
    net = parse("input uint8 -> resize 20 -> crop 16")
    small = picture(16, 16)
    seen = build("reference", net.bind((1, 16, 16)), {}).run(small[None])[""]
    np.testing.assert_array_equal(
        split(net, (1, 16, 16)).prepare(small), seen[0].transpose(1, 2, 0)
    )


def test_a_picture_that_needs_nothing_is_not_copied() -> None:
    ready = picture(16, 16)
    assert cut("input uint8 -> resize 16 -> crop 16").prepare(ready) is ready


def test_a_picture_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError) as caught:
        cut("input uint8").prepare(picture(8, 9))
    assert str(caught.value) == (
        "picture: the picture does not fit the net\n  arrives:  1x8x9\n  expected: 1x40x60\n"
        "  fix:      a net that begins with: input uint8 -> resize 40x60"
    )


def test_a_crop_larger_than_the_picture_is_refused() -> None:
    with pytest.raises(ShapeError) as caught:
        cut("input uint8 -> crop 32").prepare(picture(8, 9))
    assert str(caught.value) == (
        "crop 32x32 is larger than the picture 8x9\n  arrives:  1x8x9\n"
        "  fix:      resize before it, or crop less"
    )


def test_a_net_of_geometry_alone_keeps_an_entrance() -> None:
    made = split(parse("input uint8 -> resize 8x8"), (3, 40, 60))
    assert made.rest == Net.of(*parse("input uint8").root.items)
    assert made.shape == (3, 8, 8)
