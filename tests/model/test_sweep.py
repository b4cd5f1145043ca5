"""A model slid over a picture that is larger than what it reads."""

from __future__ import annotations

import numpy as np
import pytest

from foveal.errors import ShapeError
from foveal.model.model import Model
from foveal.model.sweep import Find, Sweep
from foveal.net.notation import parse

NET = parse(
    "input uint8 -> resize 8x8 -> normalise -> conv 4 3 -> maxpool 2 -> flatten -> dense 2"
    " -> softmax"
)


def test_answers_are_those_of_the_windows() -> None:
    model = Model.fresh(NET, (1, 8, 8), ("a", "b"))
    picture = np.random.default_rng(0).integers(0, 256, (8, 20), np.uint8)
    made = model.slide(picture)
    assert (made.window, made.stride, made.probabilities.shape) == ((8, 8), (2, 2), (1, 7, 2))
    for column, row in enumerate(made.probabilities[0]):
        expected = model.probabilities(picture[None, :, 2 * column : 2 * column + 8, None])[0]
        assert np.allclose(row, expected, atol=1e-6)


def test_a_picture_that_is_too_small_is_refused() -> None:
    model = Model.fresh(NET, (1, 8, 8), ("a", "b"))
    with pytest.raises(ShapeError) as caught:
        model.slide(np.zeros((8, 7, 1), np.uint8))
    assert str(caught.value) == (
        "picture: the picture is smaller than what the model reads, or of other channels\n"
        "  arrives:  1x8x7\n"
        "  expected: 1x8x8 or larger"
    )


def test_found_are_the_surest_windows_without_those_they_overlap() -> None:
    sure = [0.9, 0.6, 0.1, 0.2, 0.8, 0.95, 0.4]
    rows = np.array([[p, 0.9 - p, 0.1] for p in sure])
    swept = Sweep(rows[None].astype(np.float32), ("x", "gap", "y"), (8, 8), (8, 2))
    found = [(find.left, find.label) for find in swept.found(nothing="gap")]
    assert found == [(0, "x"), (10, "x")]
    assert swept.found(at_least=0.93) == [Find("x", pytest.approx(0.95), 10, 0)]
    everything = [(find.left, find.label) for find in swept.found(overlap=0.8)]
    assert everything == [
        (0, "x"),
        (2, "x"),
        (4, "gap"),
        (6, "gap"),
        (8, "x"),
        (10, "x"),
        (12, "gap"),
    ]
