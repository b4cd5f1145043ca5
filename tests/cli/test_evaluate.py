"""foveal evaluate: what it prints of a measurement."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.models import light_or_dark, shades

from foveal import data
from foveal.cli import main


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve dark and twelve light pictures; one dark picture lies with the light ones."""
    monkeypatch.chdir(tmp_path)
    light_or_dark().save("m.safetensors")
    root = shades(tmp_path / "photos")
    (root / "dark" / "0.png").replace(root / "light" / "99.png")
    return root


def test_accuracy_loss_and_wrong_pictures(photos: Path, capsys) -> None:
    assert main(["evaluate", "m.safetensors", "photos"]) == 0
    first, second, third, fourth, fifth = capsys.readouterr().out.splitlines()
    assert first == (
        "accuracy  95.83% of 24 pictures (95 % interval 79.8% to 99.3%); always 'light': 54.2%"
    )
    assert second.startswith("loss      0.2")
    assert third == "sure      of 24 (probability from 50%), 23 of them right (95.8%)"
    assert fourth.startswith("trust     probabilities are off by 3.5")
    assert fourth.endswith("on average (expected calibration error)")
    assert fifth.startswith("  light/99.png: light, taken for dark 99.")


def test_a_model_is_sure_of_what_is_not_below_the_threshold(photos: Path, capsys) -> None:
    for threshold, line in (
        ("1", "sure      of 0 (probability from 100%)"),
        ("0.98", "sure      of 24 (probability from 98%), 23 of them right (95.8%)"),
    ):
        main(["evaluate", "m.safetensors", "photos", "--unsure-below", threshold])
        assert capsys.readouterr().out.splitlines()[2] == line


def test_only_the_first_wrong_pictures_are_printed(photos: Path, capsys) -> None:
    (photos / "dark").rename(photos / "other")
    (photos / "light").rename(photos / "dark")
    (photos / "other").rename(photos / "light")
    assert main(["evaluate", "m.safetensors", "photos", "--wrong", "wrong.csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 + 10 + 1
    assert lines[-1] == "  … and 13 more (--wrong FILE.csv writes all)"
    rows = Path("wrong.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "file,truth,answer,probability,probability_of_truth"
    assert len(rows) == 1 + 23


def test_json_is_the_whole_measurement(photos: Path, capsys) -> None:
    assert main(["evaluate", "m.safetensors", "photos", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n"], found["accuracy"], found["part"]) == (24, 23 / 24, "test")
    assert found["confusion"] == [[11, 0], [1, 12]]
    assert found["wrong"][0]["file"] == "light/99.png"


def test_of_its_own_data_only_what_was_kept_aside(photos: Path, capsys) -> None:
    opened = data.open(photos, seed=1)
    about = {"data": {"fingerprint": opened.fingerprint}, "recipe": {"seed": 1}}
    light_or_dark(about=about).save("own.safetensors")
    assert main(["evaluate", "own.safetensors", "photos"]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == "on the validation part, which the model did not learn from"
    assert second.startswith("accuracy  ")
    assert f" of {len(opened.validation)} pictures " in second


def test_a_folder_that_is_no_data_set(photos: Path, capsys) -> None:
    Path("empty").mkdir()
    assert main(["evaluate", "m.safetensors", "empty"]) == 2
    assert capsys.readouterr().err.splitlines()[0] == (
        f"DataError: {photos.parent / 'empty'}: no class folders"
    )
