"""A second look at pictures that a net is not sure of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from foveal.cli import main
from foveal.data import Loaded
from foveal.errors import ModelFileError, SpecError
from foveal.model import Model, container, load
from foveal.model.views import SURE, VIEWS, asked
from foveal.net.notation import parse
from foveal.recipe import Recipe

LEFT = parse(
    "input uint8 -> normalise mean 128 std 64 -> adaptiveavgpool 1x2 -> flatten -> d: dense 2"
    " -> softmax"
)


def left_or_right() -> Model:
    """Says how bright the left half is, and the right half a little less loudly."""
    weights = {
        "d.weight": np.array([[1.0, 0.0], [0.0, 0.8]], np.float32),
        "d.bias": np.zeros(2, np.float32),
    }
    return Model(LEFT, (1, 8, 8), weights, ("left", "right"))


def halves(left: int, right: int) -> np.ndarray:
    return np.repeat(np.uint8([[left] * 4 + [right] * 4]), 8, axis=0)[:, :, None]


def test_the_second_look_is_at_the_mirror_image() -> None:
    once = left_or_right()
    twice = replace(once, views="mirrored")
    picture = halves(190, 120)
    both = once.probabilities(np.stack([picture, picture[:, ::-1]])).astype(np.float64)
    wanted = np.sqrt(both[0] * both[1])
    (found,) = twice.probabilities(picture[None])
    assert found == pytest.approx(wanted / wanted.sum(), abs=1e-6)
    assert not np.allclose(found, both[0], atol=0.01)
    said = twice.predict(picture).probabilities
    assert list(said.values()) == pytest.approx(found)


def test_where_it_is_sure_there_is_none() -> None:
    rows = np.array([[SURE + 0.01, 0.99 - SURE], [SURE - 0.01, 1.01 - SURE]], np.float32)
    looks: list[int] = []

    def run(pictures: np.ndarray) -> np.ndarray:
        looks.append(len(pictures))
        return rows[pictures[:, 0, 0, 0]]

    pictures = np.arange(2, dtype=np.uint8).reshape(2, 1, 1, 1)
    assert asked(run, pictures, "mirrored") == pytest.approx(rows)
    assert looks == [2, 1]
    asked(run, pictures[:1], "mirrored")
    asked(run, pictures, "one")
    assert looks == [2, 1, 1, 2]


def test_an_answer_does_not_depend_on_the_others() -> None:
    model = replace(left_or_right(), views="mirrored")
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (40, 8, 8, 1), np.uint8)
    together = model.probabilities(pictures)
    alone = np.concatenate([model.probabilities(one[None]) for one in pictures])
    assert np.allclose(together, alone, atol=1e-6)


def test_what_is_no_number_stays_none() -> None:
    model = replace(left_or_right(), views="mirrored")
    model.weights["d.bias"][0] = np.nan  # type: ignore[index]
    assert np.isnan(model.probabilities(halves(1, 2)[None])).all()


def test_the_file_says_so(tmp_path: Path) -> None:
    once, file = left_or_right(), tmp_path / "m.safetensors"
    once.save(file)
    assert load(file).views == "one"
    assert b'"views"' not in file.read_bytes()
    replace(once, views="mirrored").save(file)
    assert load(file).views == "mirrored"


def test_views_that_are_unknown_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as refused:
        replace(left_or_right(), views="seven")
    assert str(refused.value) == "views seven: are unknown\n  expected: one or mirrored"
    file = tmp_path / "m.safetensors"
    model = left_or_right()
    document = {"format": 1, "net": model.net.write(), "input": [1, 8, 8], "task": "classify"}
    document |= {"classes": ["left", "right"], "about": {}, "views": "seven"}
    container.write(file, document, model.weights)
    with pytest.raises(ModelFileError) as damaged:
        load(file)
    assert str(damaged.value).splitlines() == [
        f"{file}: holds no net that can be asked",
        "  arrives:  views seven: are unknown",
        "              expected: one or mirrored",
    ]


def test_the_recipe_knows_the_same_views() -> None:
    for name in VIEWS:
        assert Recipe(views=name).views == name


def test_a_temperature_suits_what_is_said() -> None:
    model = replace(left_or_right(), views="mirrored")
    random = np.random.default_rng(1)
    pictures = random.integers(0, 256, (60, 8, 8, 1), np.uint8)
    labels = random.integers(0, 2, 60)
    cooled = model.calibrated(Loaded(pictures, labels, tuple(map(str, range(60)))))
    assert cooled.about["temperature"] > 1

    def loss(one: Model) -> float:
        return float(-np.log(one.probabilities(pictures)[np.arange(60), labels]).mean())

    assert loss(cooled) < loss(model)


def test_an_exported_model_looks_once_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "m.safetensors"
    replace(left_or_right(), views="mirrored").save(file)
    assert main(["export", str(file)]) == 0
    note = "it looks at every picture once; the model also at its mirror image, where it is unsure"
    assert note in capsys.readouterr().out
    left_or_right().save(file)
    assert main(["export", str(file)]) == 0
    assert note not in capsys.readouterr().out
