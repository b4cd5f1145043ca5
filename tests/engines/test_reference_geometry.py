"""Resizing and cropping of pictures, against the definition written out term by term."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from foveal.engines.reference import ROWS
from foveal.engines.reference.geometry import crop, resize
from foveal.engines.reference.row import Context
from foveal.errors import ShapeError, SpecError
from foveal.net.layers import Resize


def exact_resize(picture: np.ndarray, sizes: tuple[int, int]) -> list[list[int]]:
    """The docstring of the kind Resize in fractions, for (H, W)."""

    def weights(n: int, m: int, o: int) -> list[Fraction]:
        half, s = Fraction(1, 2), max(Fraction(1), Fraction(n, m))
        places = [abs(i + half - (o + half) * Fraction(n, m)) / s for i in range(n)]
        raw = [max(Fraction(0), 1 - place) for place in places]
        return [weight / sum(raw) for weight in raw]

    (height, width), (rows, columns) = picture.shape, sizes
    made = []
    for o in range(rows):
        down = weights(height, rows, o)
        row = [sum(d * int(v) for d, v in zip(down, column, strict=True)) for column in picture.T]
        across = [weights(width, columns, p) for p in range(columns)]
        sums = [sum(a * v for a, v in zip(line, row, strict=True)) for line in across]
        made.append([min(255, max(0, round(value))) for value in sums])  # half to even
    return made


SIZES = [
    ((4, 4), (8, 8)),
    ((8, 8), (4, 4)),
    ((6, 9), (4, 6)),
    ((5, 7), (5, 3)),
    ((7, 5), (3, 11)),
    ((3, 4), (3, 4)),
    ((1, 3), (4, 1)),
    ((12, 2), (2, 12)),
]


@pytest.mark.parametrize(("arriving", "sizes"), SIZES)
def test_every_way_to_resize_meets_the_definition(
    arriving: tuple[int, int], sizes: tuple[int, int]
) -> None:
    picture = np.random.default_rng(0).integers(0, 256, arriving, np.uint8)
    expected = exact_resize(picture, sizes)
    row = ROWS[Resize].forward(
        Resize(sizes), (picture[None, None].astype(float),), {}, Context("resize1")
    )
    assert row[0, 0].tolist() == expected
    for dtype in (np.float64, np.float32):
        made = resize(picture, sizes, dtype)
        assert made.dtype == dtype
        assert made.tolist() == expected


def test_values_at_a_half_go_to_the_even_neighbour() -> None:
    picture = np.array([[0, 2, 6, 8]], np.uint8)
    assert exact_resize(picture, (1, 8)) == [[0, 0, 2, 3, 5, 6, 8, 8]]  # 0.5 -> 0, 1.5 -> 2
    assert resize(picture, (1, 8)).tolist() == [[0, 0, 2, 3, 5, 6, 8, 8]]


def test_the_shorter_side_is_given_and_the_other_rounded_half_up() -> None:
    assert resize(np.zeros((300, 400, 3), np.uint8), 256).shape == (256, 341, 3)
    assert resize(np.zeros((10, 4), np.uint8), 3).shape == (8, 3)  # 7.5
    assert resize(np.zeros((2, 5), np.uint8), (7, 1)).shape == (7, 1)


def test_volumes_and_series_resize_along_every_axis() -> None:
    x = np.arange(8.0).reshape(1, 1, 2, 2, 2) * 8
    y = ROWS[Resize].forward(Resize((1, 2, 1)), (x,), {}, Context("resize1"))
    assert y.ravel().tolist() == [20, 36]


def test_large_pictures_are_cut_into_parts_that_agree_with_the_whole() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (700, 530, 3), np.uint8)
    x = np.moveaxis(picture, -1, 0)[None].astype(float)
    for size in (64, (90, 800)):
        whole = ROWS[Resize].forward(Resize(size), (x,), {}, Context("resize1"))
        expected = np.moveaxis(whole[0], 0, -1)
        assert np.array_equal(resize(picture, size, np.float64), expected)
        made = resize(picture, size)
        assert np.abs(made - expected).max() <= 1
        assert (made != expected).mean() < 1e-3


def test_a_constant_picture_keeps_its_value_and_levels_stay_in_range() -> None:
    assert (resize(np.full((37, 51, 3), 200, np.uint8), 24) == 200).all()
    extreme = np.array([[-500.0, 900.0]])
    assert resize(extreme, (1, 2)).tolist() == [[0, 255]]


def test_resize_leaves_the_picture_as_it_is() -> None:
    picture = np.array([[0.4, 1.6]], np.float32)
    picture.flags.writeable = False
    assert resize(picture, (1, 2)).tolist() == [[0, 2]]


def test_crop_cuts_the_middle() -> None:
    picture = np.arange(20).reshape(4, 5)
    assert crop(picture, 2).tolist() == [[6, 7], [11, 12]]
    assert crop(picture[..., None], (1, 5)).shape == (1, 5, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: resize(np.zeros((2, 2, 3, 1)), 4),
            "resize: is not a picture but an array of float64\n"
            "  arrives:  2x2x3x1\n"
            "  expected: (H, W, C) or (H, W) of real numbers",
        ),
        (
            lambda: crop(np.zeros((0, 2), np.uint8), 1),
            "crop: is not a picture but an array of uint8\n"
            "  arrives:  0x2\n"
            "  expected: (H, W, C) or (H, W) of real numbers",
        ),
        (
            lambda: resize(np.zeros((2, 2)), (1, 2, 3)),
            "resize: size gives 3 numbers, but a picture has 2 axes\n"
            "  fix:      give size as one number or as (H, W)",
        ),
        (
            lambda: crop(np.zeros((4, 3)), (2, 5)),
            "crop: the picture is smaller than the crop\n"
            "  arrives:  4x3\n"
            "  expected: 2x5 or more\n"
            "  fix:      resize before it, or crop less",
        ),
    ],
)
def test_what_is_no_picture_is_refused(call: object, message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        call()
    assert str(caught.value) == message


def test_sizes_are_those_of_the_kinds() -> None:
    with pytest.raises(SpecError, match="resize size"):
        resize(np.zeros((2, 2)), 0)
