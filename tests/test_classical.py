"""What came before nets: deskewing and gradients by hand, and the benchmark that uses them."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from support.models import idx
from support.scripts import run_script

from foveal.data.digits import enlarge

FOLDER = Path(__file__).parent.parent / "benchmarks"
FEATURES = runpy.run_path(str(FOLDER / "digit_features.py"))
CELLS, DIRECTIONS = FEATURES["CELLS"], FEATURES["DIRECTIONS"]
deskew, gradients, lean, features = (
    FEATURES[name] for name in ("deskew", "gradients", "lean", "features")
)
ROW = {"n_train", "n_test", "accuracy", "fit", "predict", "kept_mebibytes", "peak_mebibytes"}
SEARCHED = ROW | {"chosen", "search", "search_n_train", "search_n"}
NET = ROW | {"epochs", "precision", "train_seconds"}


def digits(count: int) -> np.ndarray:
    """scikit-learn's in frames like MNIST's: 20 pixels wide, and four around them."""
    inner = enlarge(load_digits().images[:count], 20)[..., 0]
    return np.pad(inner, ((0, 0), (4, 4), (4, 4)))


def stroke(slant: float) -> np.ndarray:
    """A line through the middle of 29x29 pixels that drifts by `slant` columns a row."""
    rows = np.arange(-9, 10)
    columns = 14 + slant * rows
    picture = np.zeros((1, 29, 29))
    for row, column in zip(rows + 14, columns, strict=True):
        left = int(column)
        picture[0, row, left : left + 2] = 1 - (column - left), column - left
    return picture


@pytest.mark.parametrize("slant", [-0.5, -0.2, 0.0, 0.3])
def test_lean_is_the_slope_of_a_line(slant: float) -> None:
    (middle,), (found,) = lean(stroke(slant))
    assert (middle, found) == (pytest.approx(14), pytest.approx(slant))


def test_a_leaning_line_is_upright_afterwards() -> None:
    np.testing.assert_allclose(deskew(stroke(-1)), stroke(0), atol=1e-12)


def test_a_sheared_row_is_interpolated_by_hand() -> None:
    """Ink 1, 2, 1 at columns 1, 2, 2: covariance 1, variance 2, so half a column a row."""
    picture = np.zeros((1, 3, 4))
    picture[0, [0, 1, 2], [1, 2, 2]] = 1, 2, 1
    middle, slant = lean(picture)
    assert (middle.tolist(), slant.tolist()) == ([1.0], [0.5])
    assert deskew(picture)[0].tolist() == [[0, 0.5, 0.5, 0], [0, 0, 2, 0], [0, 0.5, 0.5, 0]]


def test_real_digits_no_longer_lean() -> None:
    pictures = digits(300) / 255
    before, after = (np.abs(lean(p)[1]) for p in (pictures, deskew(pictures)))
    assert before.max() > 0.2
    assert after.max() < 0.01
    ink = deskew(pictures).sum((1, 2)) / pictures.sum((1, 2))
    assert ink.min() > 0.99


def test_an_edge_has_one_direction() -> None:
    """Towards the ink: 0 where it is on the right, 6 above, 4 on the left, 2 below."""
    edge = np.zeros((28, 28), np.float32)
    edge[:, 10:] = 1
    for turns, direction in enumerate((0, 6, 4, 2)):
        found = gradients(np.rot90(edge, turns)[None]).reshape(DIRECTIONS, CELLS, CELLS)
        turned_back = np.rot90(found, -turns, axes=(1, 2))
        assert np.flatnonzero(turned_back[:, 3, 2]).tolist() == [direction]


def test_an_edge_is_shared_between_cells_by_hand() -> None:
    """Between columns 9 and 10: either is half a pixel from 9.5, and 3.5 from the next centre."""
    edge = np.zeros((1, 28, 28), np.float32)
    edge[:, :, 10:] = 1
    row = gradients(edge).reshape(DIRECTIONS, CELLS, CELLS)[0, 3] ** 2
    np.testing.assert_allclose(row[:5] / row[:5].sum(), [0, 1 / 16, 14 / 16, 1 / 16, 0], atol=1e-6)


def test_a_dot_has_all_directions_by_hand() -> None:
    """Sobel gives 2 beside it and above, and 1 and 1 at its corners."""
    dot = np.zeros((1, 28, 28), np.float32)
    dot[0, 13, 14] = 1
    found = (gradients(dot)[0] ** 2).reshape(DIRECTIONS, -1).sum(1)
    np.testing.assert_allclose(found / found[0], [1, 2**-0.5] * 4, rtol=1e-5)


def test_squares_of_features_are_shares() -> None:
    pictures = (digits(50) / 255).astype(np.float32)
    found = gradients(pictures)
    assert found.shape == (50, CELLS * CELLS * DIRECTIONS)
    assert found.dtype == np.float32
    np.testing.assert_allclose((found**2).sum(1), 1, rtol=1e-5)


def test_a_faint_digit_has_the_features_of_a_bold_one() -> None:
    pictures = (digits(50) / 255).astype(np.float32)
    np.testing.assert_allclose(gradients(pictures / 4), gradients(pictures), atol=1e-6)


@pytest.mark.parametrize("make", [deskew, gradients])
def test_a_blank_picture_stays_blank(make: Callable[[np.ndarray], np.ndarray]) -> None:
    assert not make(np.zeros((2, 28, 28), np.float32)).any()


@pytest.mark.parametrize("name", FEATURES["FEATURES"])
def test_features_do_not_depend_on_the_batch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = digits(50)
    whole = features(name, pictures)
    monkeypatch.setitem(features.__globals__, "BATCH", 7)
    np.testing.assert_allclose(features(name, pictures), whole, atol=1e-6)
    assert whole.dtype == np.float32


def test_settings_are_chosen_on_the_last_training_pictures(tmp_path: Path) -> None:
    """60 of 360. And the benchmark ends with its figures, and leaves nothing behind."""
    pictures, labels = digits(500), load_digits().target[:500]
    for part, where in (("train", slice(360)), ("t10k", slice(360, 500))):
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(pictures[where]))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels[where]))
    earlier = tmp_path / "earlier.json"
    earlier.write_text('{"rows": {"vectors/pixels": {"kept": true}, "lenet5": {}}}')
    before = sorted(tmp_path.iterdir())
    few = [".", "--few", "360", "--epochs", "1", "--beside", earlier]
    only = ["neighbours/pixels", "vectors/gradients", "lenet5"]
    run = run_script(FOLDER / "classical.py", *few, "--only", *only, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert sorted(tmp_path.iterdir()) == before
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["benchmark"] == "classical"
    assert list(found["rows"]) == ["neighbours/pixels", "vectors/pixels", *only[1:]]
    assert found["rows"].pop("vectors/pixels") == {"kept": True}
    for name, row in found["rows"].items():
        assert set(row) == (NET if name == "lenet5" else SEARCHED)
        assert row["n_test"] == 140
    for name in only[:2]:
        row = found["rows"][name]
        assert (row["n_train"], row["search_n_train"], row["search_n"]) == (360, 300, 60)
        assert row["accuracy"] > 0.8
        best = max(row["search"], key=lambda one: one["accuracy"])
        assert best == {**row["chosen"], "accuracy": best["accuracy"]}
    assert found["rows"][only[0]]["kept_mebibytes"] == 4 * 360 * (784 + 1) / 2**20
