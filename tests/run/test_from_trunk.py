"""A training that brings something along, from the data to the model and what is written of it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.models import write_shades
from support.trunks import learn, only

from foveal.cli import main
from foveal.model import load
from foveal.run.results import Done
from foveal.training import Epoch, Finished, Fitted


def test_first_the_last_layer_then_the_others(desk: Path) -> None:
    model, seen = learn(pretrained="trunk.safetensors", epochs=1)
    kinds = [type(event) for event in seen]
    assert kinds.index(Fitted) < kinds.index(Epoch) < kinds.index(Finished)
    fitted = only(seen, Fitted)
    assert (fitted.features, fitted.pictures, fitted.reused) == (4, 20, 0)
    assert model.predict("photos/red/0.png").label == "red"
    assert model.about["begins"]["name"] == "trunk"
    assert model.about["transfer"]["thaw"] == 1.0
    done = only(seen, Done)
    args = tomllib.loads((done.folder / "args.toml").read_text("utf-8"))
    assert args["pretrained"] == "trunk.safetensors"
    assert args["begins"]["digest"] == model.about["begins"]["digest"]
    page = (done.folder / "report.html").read_text("utf-8")
    assert "begins with trunk, which tells 3 kinds apart: as you asked" in page
    assert load(done.model_path).about["temperature"] == model.about["temperature"]


def test_if_the_others_spoil_it_that_is_said(desk: Path, capsys: pytest.CaptureFixture) -> None:
    steps = ["--epochs", "2", "--learning-rate", "9", "--anchor", "0", "--averaging", "0"]
    assert main(["train", "photos", "--pretrained", "trunk.safetensors", *steps]) == 0
    lines = capsys.readouterr().err.splitlines()
    last = next(number for number, line in enumerate(lines) if line.startswith("epoch   2"))
    assert lines[last + 1] == "  no better than the last layer alone, which is kept"


def test_a_frozen_trunk_keeps_every_bit_and_the_second_time_nothing_is_decoded(desk: Path) -> None:
    trunk = load("trunk.safetensors")
    model, _ = learn(pretrained="trunk.safetensors", thaw=0)
    for path in trunk.weights:
        same = np.array_equal(trunk.weights[path], model.weights[path])
        assert same == (not path.startswith("dense1"))
    again, seen = learn(pretrained="trunk.safetensors", thaw=0)
    assert only(seen, Fitted).reused == 20
    for path, weights in model.weights.items():
        assert np.array_equal(weights, again.weights[path])
    Image.new("RGB", (80, 72), "red").save("photos/red/3.png")
    _, seen = learn(pretrained="trunk.safetensors", thaw=0)
    assert only(seen, Fitted).reused == 19


def test_pictures_are_added_later(desk: Path) -> None:
    first, seen = learn(pretrained="trunk.safetensors", epochs=1)
    path = only(seen, Done).model_path
    Image.new("RGB", (80, 72), "blue").save("photos/blue/more.png")
    second, seen = learn(go_on=path, epochs=1)
    assert not any(isinstance(event, Fitted) for event in seen)
    assert second.classes == first.classes
    assert second.net == first.net


def test_grey_pictures_learn_from_a_trunk_that_sees_colour(desk: Path) -> None:
    write_shades(Path("grey", "dark"), 60, 8, seed=1)
    write_shades(Path("grey", "light"), 190, 8, seed=2)
    model, _ = learn(source="grey", pretrained="trunk.safetensors", thaw=0)
    assert model.input == (3, 64, 64)
    assert model.predict("grey/light/0.png").label == "light"
    assert model.evaluate("grey").accuracy == 1.0
