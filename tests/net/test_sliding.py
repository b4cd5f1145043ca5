"""A net for one size made into one that slides: the same numbers at every window."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from support.nets import random_weights

from foveal import engines
from foveal.errors import SpecError
from foveal.net.kind import Shape
from foveal.net.notation import parse
from foveal.net.sliding import slid

NETS: list[tuple[str, int]] = [
    ("conv 4 3 -> relu -> flatten -> dense 5 -> relu -> dropout -> dense 3", 1),
    ("input -> crop 8 -> conv 4 3 -> bn -> maxpool 2 -> flatten -> dense 3 no bias -> softmax", 2),
    ("conv 4 3 -> globalavgpool -> dense 3 weight_norm", 1),
    ("c1: conv 4 3 -> globalmaxpool keep -> [conv 3 1 -> relu]*2", 1),
    ("flatten -> dense 3", 1),
    ("expect 2x8x8 -> conv 4 3 maxout 2 -> layernorm -> lrn 3 -> globalminpool -> dense 3", 1),
    ("conv 4 3 stride 2 -> globalsumpool -> scale 0.1 -> dense 3 tanh", 2),
    ("globallppool p 3 -> dense 4 -> take 3,0 -> bn -> logsoftmax", 1),
    ("depthwise 3 multiplier 2 -> adaptivemaxpool 2x3 -> flatten -> gelu -> dense 3", 0),
    ("conv 4 3 -> adaptiveavgpool 1 -> flatten -> bn -> dense 3", 1),
    ("conv 4 3 -> flatten -> add( gain 2 | relu ) -> concat( identity | relu ) -> dense 3", 1),
]
"""Nets for 8x8, and how far apart the windows are that their answers are about."""


@pytest.mark.parametrize(("text", "stride"), NETS)
def test_every_answer_is_that_of_its_window(text: str, stride: int) -> None:
    made, answers = slid_and_single(text, (2, 8, 8), (2, 10, 14))
    for row, column in np.ndindex(made.shape[2:]):
        top, left = (row * stride, column * stride) if stride else (row * 3, column * 2)
        answer = answers(slice(top, top + 8), slice(left, left + 8))
        assert np.allclose(made[:, :, row, column], answer, rtol=1e-12, atol=1e-12)


def slid_and_single(
    text: str, shape: Shape, larger: Shape
) -> tuple[np.ndarray, Callable[..., np.ndarray]]:
    """What a net that slides says of a picture, and what the net itself says of a part of it."""
    net = parse(text)
    program = net.with_names().bind(shape)
    weights = random_weights(program, 0)
    wide = slid(net, shape).bind(larger)
    assert set(wide.tensors()) == set(program.tensors())
    shaped = {path: weights[path].reshape(t.shape) for path, t in wide.tensors().items()}
    x = np.random.default_rng(0).standard_normal((1, *larger))
    single = engines.build("reference", program, weights)

    def answers(*part: slice) -> np.ndarray:
        return single.run(x[:, :, *part])[""].reshape(1, -1)

    return engines.build("reference", wide, shaped).run(x)[""], answers


@pytest.mark.parametrize(
    ("text", "shape", "larger"),
    [
        ("conv 4 3 stride 2 -> flatten -> dense 3", (2, 9), (2, 15)),
        ("conv 2 2 stride 2 -> globalavgpool -> dense 3", (1, 4, 4, 4), (1, 8, 6, 7)),
    ],
)
def test_series_and_volumes_slide_too(text: str, shape: Shape, larger: Shape) -> None:
    made, answers = slid_and_single(text, shape, larger)
    for place in np.ndindex(made.shape[2:]):
        part = (slice(2 * o, 2 * o + n) for o, n in zip(place, shape[1:], strict=True))
        answer = answers(*part)
        assert np.allclose(made[:, :, *place], answer, rtol=1e-12, atol=1e-12)


def test_padding_by_a_word_stays_what_it_was_in_one_window() -> None:
    """In a larger picture `same` may put more before, which would move every window."""
    text = "conv 4 3 stride 2 same"
    assert slid(parse(text), (2, 8, 8)).write() == "conv1: conv 4 3 stride 2 padding 0:1x0:1"
    made, answers = slid_and_single(text, (2, 8, 8), (2, 9, 13))
    single = answers(slice(8), slice(8)).reshape(1, 4, 4, 4)
    assert np.allclose(made[:, :, :3, :3], single[:, :, :3, :3], rtol=1e-12, atol=1e-12)


def test_weights_start_as_they_would_in_one_window() -> None:
    text = "flatten -> dense 3 no bias unit_sum init constant:0.5 frozen"
    assert slid(parse(text), (1, 4, 4)).write() == (
        "dense1: conv 3 4x4 no bias unit_sum init constant:0.5 frozen"
    )


REFUSED = [
    (
        "head: [conv 4 3 -> flatten -> dense 3]",
        "head: flatten stands inside a group or a branch, where it cannot slide\n"
        "  fix:      put what sees the whole picture in the main line of the net",
    ),
    (
        "multiply( identity | globalavgpool keep -> conv 1 1 ) -> flatten -> dense 3",
        "multiply1: globalavgpool stands inside a group or a branch, where it cannot slide\n"
        "  fix:      put what sees the whole picture in the main line of the net",
    ),
    (
        "conv 4 3 -> flatten -> softmax -> dense 3",
        "softmax1: softmax stands between flatten and dense, where it cannot slide\n"
        "  fix:      put softmax before flatten or after dense",
    ),
    (
        "conv 4 3 -> flatten -> add( identity | bn ) -> dense 3",
        "add1: batchnorm stands between flatten and dense, where it cannot slide\n"
        "  fix:      put batchnorm before flatten or after dense",
    ),
    *(
        (
            f"conv 4 3 -> {text} -> flatten -> dense 3",
            f"{text.split()[0].partition('(')[0]}1: {text.split()[0].partition('(')[0]} gives"
            " something else in a larger picture, and cannot slide\n"
            "  fix:      a net without it, or pictures of the size the net reads",
        )
        for text in (
            "groupnorm 2",
            "instancenorm",
            "layernorm all",
            "local 4 3",
            "crop 4",
            "resize 4",
            "upsample 2",
            "reshape 4x36",
            "combine( identity | relu )",
        )
    ),
    (
        "conv 4 3 -> flatten -> relu",
        "net: ends with flatten, and what it lays out would grow with the picture\n"
        "  fix:      a dense layer behind it",
    ),
    (
        "conv 4 3 -> adaptiveavgpool 4 -> flatten -> dense 3",
        "adaptiveavgpool1: adaptiveavgpool parts its map into windows that overlap, and cannot"
        " slide\n  fix:      a size that divides the map",
    ),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_would_answer_something_else_cannot_slide(text: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        slid(parse(text), (1, 8, 8))
    assert str(caught.value) == message
