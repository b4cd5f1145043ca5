"""foveal import: what it shows, what it writes, what it assumes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.models import light_or_dark
from support.onnx_files import model, node, numbers

import foveal
from foveal.cli import main
from foveal.cli.importing import normalisation
from foveal.net.layers import Normalise


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    nodes = [node("Conv", "x k", "c"), node("GlobalAveragePool", "c", "g"), node("Flatten", "g")]
    content = model(nodes, (3, "H", "W"), {"k": numbers(4, 3, 3, 3)})
    Path("net.onnx").write_bytes(content.SerializeToString())
    Path("names.txt").write_text("cat\ndog\n\ncow\n hen \n", encoding="utf-8")
    return tmp_path


def said(capsys, *arguments: str) -> str:
    assert main(["import", *arguments]) == 2
    return capsys.readouterr().err


def test_without_a_target_the_net_is_shown(capsys) -> None:
    assert main(["import", "net.onnx", "--input", "3x8x8"]) == 0
    out = capsys.readouterr().out
    assert "4x6x6" in out
    assert out.splitlines()[-2:] == [
        "It gives the same answers as net.onnx.",
        "To write it as a model: -o model.safetensors --classes FILE --mean … --std …",
    ]
    assert sorted(path.name for path in Path().iterdir()) == ["names.txt", "net.onnx"]


def test_a_model_is_written(capsys) -> None:
    arguments = ["--input", "3x8x8", "--classes", "names.txt", "-o", "m.safetensors"]
    colours = ["--mean", "0.5,0.4,0.3", "--std", "0.2"]
    assert main(["import", "net.onnx", *arguments, *colours]) == 0
    assert capsys.readouterr().out == "written m.safetensors (4 classes, 108 parameters)\n"
    made = foveal.load("m.safetensors")
    assert made.classes == ("cat", "dog", "cow", "hen")
    assert made.about["imported"]["file"] == "net.onnx"
    x = np.full((1, 8, 8, 3), 255, np.uint8)
    scores = ((1 - np.array([0.5, 0.4, 0.3])) / 0.2) @ numbers(4, 3, 3, 3).sum((2, 3)).T
    wanted = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
    assert made.probabilities(x)[0] == pytest.approx(wanted, abs=1e-5)


def test_what_is_assumed_is_said(capsys) -> None:
    assert main(["import", "net.onnx", "--input", "3x8x8", "-o", "m.safetensors"]) == 0
    assert capsys.readouterr().out == (
        "assumed: pixels come from 0 to 1 (else say --mean, --std, --white)\n"
        "written m.safetensors (4 classes, 108 parameters)\n"
    )
    assert foveal.load("m.safetensors").classes == ("0", "1", "2", "3")


def test_a_file_of_ours_brings_everything(capsys) -> None:
    trained = light_or_dark()
    trained.export("own.onnx")
    assert main(["import", "own.onnx", "-o", "back.safetensors"]) == 0
    assert foveal.load("back.safetensors").classes == trained.classes
    assert said(capsys, "own.onnx", "--mean", "0.5") == (
        "SpecError: --mean: is in the file already, which Foveal wrote\n  fix:      leave it out\n"
    )


@pytest.mark.parametrize(
    ("mean", "std", "white", "kind"),
    [
        (None, None, None, Normalise((0.0,), (255.0,))),
        ("0.5", "0.5", None, Normalise()),
        ("104,117,123", None, "255", Normalise((104.0, 117.0, 123.0), (1.0,))),
        ("-1", ".5", "2", Normalise((-127.5,), (63.75,))),
    ],
)
def test_what_comes_to_the_net(mean, std, white, kind: Normalise) -> None:
    assert normalisation(mean, std, white) == kind


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ("--mean", "a"),
            "SpecError: --mean: cannot read 'a'\n"
            "  fix:      --mean 0.5, or --mean 0.485,0.456,0.406\n",
        ),
        (("--white", "1,2"), "SpecError: --white: cannot read '1,2'\n  fix:      --white 0.5\n"),
        (
            ("--white", "0"),
            "SpecError: --white: must be above 0\n  fix:      --white 1, or --white 255\n",
        ),
        (
            ("-o", "net.onnx"),
            "SpecError: net.onnx: is the file itself\n  fix:      -o model.safetensors\n",
        ),
        (("--classes", "no.txt", "-o", "m", "--input", "3x8x8"), ""),
    ],
)
def test_what_cannot_be(arguments: tuple[str, ...], text: str, capsys) -> None:
    found = said(capsys, "net.onnx", *arguments)
    assert found == text if text else "no.txt" in found
    assert sorted(path.name for path in Path().iterdir()) == ["names.txt", "net.onnx"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a\nb\na\n", "names.txt, line 3: the name 'a' is in line 1 already\n"
         "  fix:      another name for one of the two\n"),
        (b"\xff\xfe", "names.txt: is no text in UTF-8 of at most 16 MiB\n"),
    ],
)  # fmt: skip
def test_names_that_are_none(content: bytes, text: str, capsys) -> None:
    Path("names.txt").write_bytes(content)
    arguments = ("net.onnx", "--input", "3x8x8", "--classes", "names.txt", "-o", "m.safetensors")
    assert said(capsys, *arguments) == f"DataError: {text}"


def test_as_many_names_as_scores(capsys) -> None:
    Path("names.txt").write_text("cat\n", encoding="utf-8")
    arguments = ("net.onnx", "--input", "3x8x8", "--classes", "names.txt", "-o", "m.safetensors")
    assert said(capsys, *arguments) == (
        "SpecError: net: does not end in one score for each class\n  arrives:  4\n"
        "  expected: 1 class\n  fix:      as many names of classes as scores\n"
    )
