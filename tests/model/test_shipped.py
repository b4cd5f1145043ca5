"""The models that come with Foveal: found by name, recorded as they were made, and able to read."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

import foveal
from foveal import data
from foveal.cli import main
from foveal.errors import ModelFileError
from foveal.model import pretrained, shipped
from foveal.net.layers import Normalise
from foveal.run.planning import plan
from foveal.zoo import ENTRIES

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 300_000
"""Bytes that a model may add to the package."""
FORMS = ("white on black", "black on white", "pen on paper, computed")
OTHERS = "white on black, built-in digits"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOVEAL_CACHE", str(tmp_path / "cache"))


def drawn(digit: int, path: Path, ink: str = "black", paper: str = "white") -> Path:
    """A digit in lines, as with a mouse, on a larger sheet."""
    picture = Image.new("L", (140, 140), paper)
    draw = ImageDraw.Draw(picture)
    lines = {1: [(72, 25), (68, 115)], 7: [(45, 32), (97, 30), (66, 115)]}
    if digit in lines:
        draw.line(lines[digit], ink, 11, joint="curve")
    else:
        draw.ellipse((42, 25, 98, 115), outline=ink, width=11)
    picture.save(path)
    return path


@pytest.mark.parametrize("name", shipped.MODELS)
def test_a_model_is_small_and_says_how_it_was_made(name: str) -> None:
    assert shipped.find(name).stat().st_size <= LARGEST
    about = foveal.load(name).about
    made = about["made"]
    assert (ROOT / made["by"]).is_file()
    assert re.fullmatch("[0-9a-f]{64}", made["from"]["fingerprint"])
    assert date.fromisoformat(made["date"])
    assert made["part"] == "test"
    assert {"python", "torch", "foveal"} <= set(about["versions"])
    assert about["device"]
    assert about["recipe"]["epochs"]


@pytest.mark.parametrize(("name", "net"), shipped.MODELS.items())
def test_a_model_stands_for_a_net_of_the_zoo(name: str, net: str) -> None:
    found = pretrained.read(name, net)
    made = ENTRIES[net].build(found.input, found.num_classes).bind(found.input)
    assert found.net.bind(found.input).result_shapes() == made.result_shapes()
    assert isinstance(found.normalise, Normalise)
    assert (found.classes, found.input) == (tuple("0123456789"), (1, 28, 28))


def test_the_digit_reader_was_measured_on_ten_thousand_digits() -> None:
    measured = foveal.load("digit_reader").about["made"]["measured"]
    assert [measured[form]["n"] for form in FORMS] == [10_000] * 3
    assert measured[OTHERS]["n"] == 1_797
    assert measured["white on black"]["accuracy"] >= 0.994


def test_it_reads_digits_of_other_people_as_well_as_is_said() -> None:
    model = foveal.load("digit_reader")
    digits = data.open("digits", validation=0).train.load()
    framed = np.pad(digits.pictures, ((0, 0), (2, 2), (2, 2), (0, 0)))
    prepared = np.stack([model.split.prepare(picture) for picture in framed])
    answers = model.probabilities(prepared).argmax(1)
    share = np.mean(answers == digits.labels)
    assert share == pytest.approx(model.about["made"]["measured"][OTHERS]["accuracy"], abs=2e-3)


@pytest.mark.parametrize("digit", [0, 1, 7])
@pytest.mark.parametrize(
    ("ink", "paper"), [("black", "white"), ("white", "black"), ("#444", "#ccc")]
)
def test_it_reads_what_is_drawn(digit: int, ink: str, paper: str) -> None:
    answer = foveal.load("digit_reader").predict(drawn(digit, Path("drawn.png"), ink, paper))
    assert answer.label == str(digit)


def test_every_command_takes_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    drawn(7, Path("seven.png"))
    assert main(["predict", "digit_reader", "seven.png"]) == 0
    assert capsys.readouterr().out.split()[:2] == ["seven.png", "7"]
    assert main(["show", "digit_reader"]) == 0
    assert "conv1" in capsys.readouterr().out
    assert main(["features", "digit_reader", "seven.png", "-o", "seven.npy"]) == 0
    for _ in range(2):  # the second time the file is there
        assert main(["export", "digit_reader"]) == 0
    assert Path("digit_reader.onnx").is_file()


def test_a_training_goes_on_from_it(digits_folder: Path) -> None:
    begins = plan(digits_folder, go_on="digit_reader").begins
    assert begins.name == "digit_reader"
    assert begins.says == (
        "begins with digit_reader, which knows 10 classes, 2 of them among these 2"
    )
    assert plan(digits_folder, net="quick", pretrained="hub").begins.name == "digit_reader"


@pytest.fixture
def digits_folder() -> Path:
    for digit in (1, 7):
        folder = Path("digits", str(digit))
        folder.mkdir(parents=True)
        for number in range(4):
            drawn(digit, folder / f"{number}.png", ink=f"#{number}{number}{number}")
    return Path("digits").resolve()


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch])
def test_what_lies_there_goes_before_a_name(make: Callable[[Path], None]) -> None:
    assert shipped.find("digit_reader") == shipped.path_of("digit_reader")
    make(Path("digit_reader"))
    assert shipped.find("digit_reader") == Path("digit_reader")


@pytest.mark.parametrize(
    ("asked", "fix"),
    [
        ("digit_raeder", "did you mean 'digit_reader'?"),
        ("cat.safetensors", "did you mean 'cats.safetensors'?"),
        (
            "cats.safetensors/x",
            "give a .safetensors file, or digit_reader, which comes with Foveal",
        ),
        ("gone/x", "give a .safetensors file, or digit_reader, which comes with Foveal"),
    ],
)
def test_a_name_that_is_nothing_is_refused(asked: str, fix: str) -> None:
    Path("cats.safetensors").touch()
    with pytest.raises(ModelFileError) as caught:
        foveal.load(asked)
    assert str(caught.value) == f"{Path(asked)}: there is no such file\n  fix:      {fix}"


def test_what_cannot_be_looked_at_is_said_by_its_reader() -> None:
    with pytest.raises(ModelFileError) as caught:
        foveal.load("x" * 300)
    assert caught.value.problem == "cannot be read: File name too long"
