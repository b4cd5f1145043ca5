"""The built-in digits, and how they are enlarged."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import foveal.data
from foveal.data.digits import enlarge
from foveal.errors import MissingExtra


def test_the_built_in_digits() -> None:
    pytest.importorskip("sklearn")
    data = foveal.data.open("digits", seed=1)
    assert (data.name, data.classes, data.channels) == ("digits", tuple("0123456789"), 1)
    assert len(data.train) + len(data.validation) == 1797
    assert data.test is None
    pictures = data.train.load().pictures
    assert pictures.shape[1:] == (32, 32, 1)
    assert (pictures.min(), pictures.max()) == (0, 255)


def test_without_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtra) as caught:
        foveal.data.open("digits")
    assert str(caught.value) == (
        "the built-in set of digits needs the extra 'train'\n"
        "  fix:      pip install 'foveal[train]'"
    )


def test_enlarging_is_linear_between_centres_and_flat_beyond_them() -> None:
    row = enlarge(np.array([[[0.0, 16.0]]]), 4)[0, 0, :, 0]
    assert row.tolist() == [0, 64, 191, 255]  # 255 * 0, 1/4, 3/4, 1


def test_enlarging_keeps_the_mean_and_a_flat_picture() -> None:
    images = np.random.default_rng(0).integers(0, 17, (5, 8, 8)).astype(float)
    large = enlarge(images, 32)
    assert large.shape == (5, 32, 32, 1)
    middle = large[:, 2:-2, 2:-2].mean((1, 2, 3))
    assert np.abs(middle - images.mean((1, 2)) * 255 / 16).max() < 16
    assert (enlarge(np.full((1, 8, 8), 4.0), 32) == 64).all()
