"""foveal curve: a table, a sentence, a drawing, or JSON."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.models import write_shades

from foveal.cli import main
from foveal.cli.curve import drawing, table
from foveal.model import Model
from foveal.net.notation import parse
from foveal.run.curve import Curve, Point
from foveal.run.law import Measured, fit

TRUNK = (
    "input uint8 -> resize 8 -> normalise mean 127 std 60 -> conv 6 3 -> relu -> globalavgpool"
    " -> dense 3 -> softmax"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOVEAL_CACHE", str(tmp_path / "cache"))
    for name, level in (("dark", 60), ("light", 190)):
        write_shades(Path("photos", name), level, 10, seed=level)
    Model.fresh(parse(TRUNK), (1, 8, 8), ("a", "b", "c"), seed=1).save(Path("t.safetensors"))
    return tmp_path


def measured(*rows: tuple[int, tuple[float, ...]]) -> Curve:
    points = tuple(Point(each, 2 * each, found, each / 100) for each, found in rows)
    law = fit([Measured(point.each, point.accuracies) for point in points])
    return Curve("photos", "mobilenet_v2", "head", "validation", 60, points, law)


RISING = measured(
    (2, (0.5, 0.52)), (5, (0.62, 0.64)), (10, (0.7, 0.71)), (20, (0.76, 0.77)), (48, (0.81,))
)


def test_the_table() -> None:
    assert table(RISING)[:-1] == [
        "photos: the last layer on mobilenet_v2 learns, 60 pictures of the validation part measure",
        "pictures                    95 % interval",
        "a class   in all  accuracy  over 2 repeats     of so few to measure  seconds",
        "      2        4     51.0%  38.3% to 63.7%     39.3% to 63.8%            0.0",
        "      5       10     63.0%  50.3% to 75.7%     50.7% to 74.4%            0.1",
        "     10       20     70.5%  64.1% to 76.9%     57.5% to 80.1%            0.1",
        "     20       40     76.5%  70.1% to 82.9%     64.6% to 85.6%            0.2",
        "     48       96     81.0%  -                  70.1% to 89.4%            0.5",
    ]
    assert table(RISING)[-1] == RISING.says


def test_the_drawing_goes_on_only_where_something_can_be_said() -> None:
    assert RISING.can_tell
    assert "stroke-dasharray" in drawing(RISING)
    few = measured((2, (0.5, 0.52)), (5, (0.62, 0.64)))
    assert not few.can_tell
    assert "stroke-dasharray" not in drawing(few)


def test_from_pictures_to_table_and_drawing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["photos", "--pretrained", "t.safetensors", "--repeats", "2", "-o", "c.svg"]
    assert main(["curve", *arguments]) == 0
    said = capsys.readouterr()
    begins, *_, note, ahead = said.err.splitlines()
    assert begins == "begins with t, which tells 3 kinds apart: as you asked"
    assert note.startswith("No test part: ")
    assert ahead == "learns from 2, 5, 8 pictures of each class, 2 times each"
    first, *_, last = said.out.splitlines()
    assert first == "photos: the last layer on t learns, 4 pictures of the validation part measure"
    assert last == "What more pictures would bring cannot be said: too few sizes were measured."
    assert ElementTree.parse("c.svg").getroot().tag.endswith("svg")


def test_json_has_everything(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["photos", "--pretrained", "t.safetensors", "--repeats", "1", "--json"]
    assert main(["curve", *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["data", "begins", "learns", "part", "n", "points", "law", "says"]
    assert [point["each"] for point in found["points"]] == [2, 5, 8]


def test_a_training_says_how_long_it_will_take(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net = "conv 2 3 -> relu -> globalavgpool -> dense 2"
    assert main(["curve", "photos", "--net", net, "--repeats", "1", "--epochs", "1"]) == 0
    said = capsys.readouterr()
    note, line = said.err.splitlines()
    assert note.startswith("No test part: ")
    assert line.startswith("learns from 2, 5, 8 pictures of each class, once each: about ")
    assert said.out.startswith("photos: all of net learns, 4 pictures of the validation part ")


def test_repeats_must_be_some(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["curve", "photos", "--repeats", "0"]) == 2
    assert capsys.readouterr().err == (
        "UsageError: Invalid value for '--repeats': 0 is not in the range 1<=x<=100.\n"
        "  help:     foveal curve --help\n"
    )
