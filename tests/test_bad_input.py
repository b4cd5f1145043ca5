"""Bad input, through the installed command: a sentence, an exit code, nothing else changes."""

from __future__ import annotations

import json
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.disks import on_a_small_disk
from support.models import light_or_dark, shade, shades, write_shades
from support.picture_files import png_header
from support.runs import FOVEAL, content, run_foveal

from foveal.model import container
from foveal.net.notation import parse
from foveal.zoo import ENTRIES

NET = "flatten -> dense 2"
DOCUMENT = {
    "format": 1,
    "net": "input uint8 -> normalise -> flatten -> d: dense 2 -> softmax",
    "input": [1, 2, 2],
    "task": "classify",
    "classes": ["dark", "light"],
    "about": {},
}
WEIGHTS = {"d.weight": np.zeros((2, 4), np.float32), "d.bias": np.zeros(2, np.float32)}


def foreign(path: Path) -> None:
    """A sound safetensors file of somebody else."""
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that can go wrong in it."""
    root = tmp_path_factory.mktemp("place")
    shades(root / "photos")
    light_or_dark().save(root / "good.safetensors")
    whole = (root / "good.safetensors").read_bytes()
    (root / "cut.safetensors").write_bytes(whole[:-9])
    (root / "flipped.safetensors").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    (root / "pickle.safetensors").write_bytes(pickle.dumps({"weights": [1.0]}))
    foreign(root / "foreign.safetensors")
    wide = DOCUMENT["net"].replace("flatten", "flatten -> dense 9999999 -> dense 9999999")
    for name, change in (
        ("terabytes", {"net": wide}),
        ("lambda", {"net": "input uint8 -> lambda 2 -> softmax"}),
        ("dunder", {"__class__": "os.system"}),
        ("classes", {"classes": ["a", "b", "c"]}),
    ):
        container.write(root / f"{name}.safetensors", {**DOCUMENT, **change}, WEIGHTS)
    (root / "empty").mkdir()
    write_shades(root / "one" / "only", 60, 3)
    (root / "labelled").mkdir()
    (root / "labelled" / "labels.csv").write_bytes(b"file,label\na.png,caf\xe9\n")
    Image.fromarray(shade(60)).save(root / "night.png")
    Image.fromarray(shade(60).astype(np.uint16) * 257).save(root / "16-bit.png")
    Image.fromarray(shade(190, size=(90, 90))).save(root / "whole.jpg")
    (root / "cut.jpg").write_bytes((root / "whole.jpg").read_bytes()[:900])
    (root / "bomb.png").write_bytes(png_header(60_000, 60_000))
    (root / "text.png").write_text("no picture")
    (root / "latin.txt").write_bytes(b"caf\xe9.png")
    return root


TWO = "a classifier needs at least two classes"
TABLE = "DataError: {place}/labelled/labels.csv, line 2: the table is not UTF-8 text"
CASES = [
    (
        ["train", "photos", "--net", "flaten -> dense 2"],
        "NotationError: line 1, column 1: unknown word 'flaten'",
    ),
    (
        ["show", "conv 8 3 -> rleu", "--input", "1x8x8"],
        "NotationError: line 1, column 13: unknown word 'rleu'",
    ),
    (
        ["train", "photos", "--net", "conv 8 9 -> flatten -> dense 2"],
        "ShapeError: layer 1 'conv1' (Conv): kernel 9x9 does not fit into 8x8",
    ),
    (
        ["train", "photos", "--net", "lenet"],
        "SpecError: lenet: is no net of the zoo, no .net file and no layer",
    ),
    (
        ["train", "photos", "--net", "absent.net"],
        "SpecError: absent.net: cannot be read: No such file or directory",
    ),
    (
        ["train", "photos", "--net", "flatten -> dense 3"],
        "SpecError: net: does not end in one score for each class",
    ),
    (["train", "one"], "DataError: {place}/one: " + TWO),
    (["train", "empty"], "DataError: {place}/empty: no class folders"),
    (["train", "photoss"], "DataError: photoss: no such file or folder"),
    (["train", "labelled"], TABLE),
    (["train", "text.png"], "DataError: text.png: not a data set"),
    (["train", "photos", "--size", "0"], "SpecError: --size: cannot read '0'"),
    (["train", "photos", "--size", "8x"], "SpecError: --size: cannot read '8x'"),
    (["train", "photos", "--set", "N=²"], "SpecError: --set: cannot read 'N=²'"),
    (["train", "photos", "--until", "0.99"], "SpecError: --until: cannot read '0.99'"),
    (["train", "photos", "--within", "soon"], "SpecError: --within: cannot read 'soon'"),
    (
        ["train", "photos", "--epochs", "0"],
        "SpecError: recipe epochs: must be a whole number from 1, not 0",
    ),
    (
        ["train", "photos", "--learning-rate", "nan"],
        "SpecError: recipe learning_rate: must be a number above 0, not nan",
    ),
    (
        ["train", "photos", "--optimiser", "adam"],
        "UsageError: Invalid value for '--optimiser': 'adam' is not one of 'sgd', 'adamw', 'muon'.",
    ),
    (
        ["predict", "absent.safetensors", "night.png"],
        "ModelFileError: absent.safetensors: there is no such file",
    ),
    (["predict", "photos", "night.png"], "ModelFileError: photos: is no ordinary file"),
    (
        ["predict", "cut.safetensors", "night.png"],
        "ModelFileError: cut.safetensors: is cut",
    ),
    (
        ["predict", "flipped.safetensors", "night.png"],
        "ModelFileError: flipped.safetensors: is damaged: its weights do not match their digest",
    ),
    (
        ["predict", "pickle.safetensors", "night.png"],
        "ModelFileError: pickle.safetensors: is no Foveal model but a Python pickle, which can run "
        "any program when it is opened",
    ),
    (
        ["predict", "foreign.safetensors", "night.png"],
        "ModelFileError: foreign.safetensors: is a safetensors file, but no Foveal model: it holds "
        "weights and no net",
    ),
    (
        ["predict", "terabytes.safetensors", "night.png"],
        "ModelFileError: terabytes.safetensors: lacks the tensor 'dense1.weight'",
    ),
    (
        ["predict", "lambda.safetensors", "night.png"],
        "ModelFileError: lambda.safetensors: holds a net that cannot be read",
    ),
    (
        ["predict", "dunder.safetensors", "night.png"],
        "ModelFileError: dunder.safetensors: has an unknown or missing entry '__class__'",
    ),
    (
        ["predict", "classes.safetensors", "night.png"],
        "ModelFileError: classes.safetensors: holds no net that can be asked",
    ),
    (["predict", "good.safetensors", "cut.jpg"], "DataError: cut.jpg: the picture is cut off"),
    (["predict", "good.safetensors", "bomb.png"], "DataError: bomb.png: the picture is too large"),
    (
        ["predict", "good.safetensors", "text.png"],
        "DataError: text.png: not a picture of a known format",
    ),
    (["predict", "good.safetensors", "empty"], "DataError: no pictures found"),
    (["predict", "good.safetensors", "latin.txt"], "DataError: latin.txt: is not text in UTF-8"),
    (["predict", "good.safetensors"], "UsageError: Missing argument 'PICTURES...'."),
    (["evaluate", "good.safetensors", "one"], "DataError: {place}/one: " + TWO),
    (
        ["evaluate", "pickle.safetensors", "photos"],
        "ModelFileError: pickle.safetensors: is no Foveal model but a Python pickle, which can run "
        "any program when it is opened",
    ),
    (
        ["export", "foreign.safetensors"],
        "ModelFileError: foreign.safetensors: is a safetensors file, but no Foveal model: it holds "
        "weights and no net",
    ),
    (
        ["export", "good.safetensors", "-o", "good.safetensors"],
        "SpecError: good.safetensors: is the model itself",
    ),
    (["data", "check", "one"], "DataError: {place}/one: " + TWO),
    (["data", "check", "labelled"], TABLE),
]


@pytest.mark.parametrize(("arguments", "first"), CASES, ids=[" ".join(case[0]) for case in CASES])
def test_bad_input_is_a_sentence(arguments: list[str], first: str, place: Path) -> None:
    before = content(place)
    run = run_foveal(*arguments, cwd=place)
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.splitlines()[0] == first.format(place=place)
    assert "Traceback" not in run.stderr
    assert content(place) == before


def test_the_net_that_needs_terabytes_would_need_them() -> None:
    net = parse("flatten -> dense 9999999 -> dense 9999999")
    assert sum(np.prod(t.shape) for t in net.bind((1, 2, 2)).tensors().values()) * 4 > 100e12


def test_a_zoo_name_in_another_spelling_is_suggested(place: Path) -> None:
    assert "lenet5" in ENTRIES
    run = run_foveal("train", "photos", "--net", "lenet", cwd=place)
    assert run.stderr.splitlines()[1] == "  fix:      did you mean 'lenet5'?"


def test_a_16_bit_picture_is_a_picture(place: Path) -> None:
    runs = [
        run_foveal("predict", "good.safetensors", name, cwd=place)
        for name in ("16-bit.png", "night.png")
    ]
    assert [run.returncode for run in runs] == [0, 0]
    assert [run.stderr for run in runs] == ["", ""]
    assert runs[0].stdout.split()[1:] == runs[1].stdout.split()[1:]


def test_a_cut_picture_among_whole_ones_is_a_finding(place: Path) -> None:
    before = content(place)
    run = run_foveal("predict", "good.safetensors", "whole.jpg", "cut.jpg", "night.png", cwd=place)
    assert run.returncode == 1
    assert [line.split()[:2] for line in run.stdout.splitlines()] == [
        ["whole.jpg", "light"],
        ["night.png", "dark"],
    ]
    assert run.stderr == "DataError: cut.jpg: the picture is cut off\n"
    assert content(place) == before


@pytest.mark.skipif(sys.platform == "win32", reason="there is no small disk to be had")
def test_a_full_disk_while_saving(place: Path, tmp_path: Path) -> None:
    before = content(place)
    wide = "flatten -> dense 500 -> dense 2"
    command = [str(FOVEAL), "train", "photos", "--net", wide, "--epochs", "1"]
    run = on_a_small_disk(tmp_path, "64k", [*command, "--runs", str(tmp_path)], place)
    folder = tmp_path / "classify" / "photos-net"
    assert run.returncode == 3
    assert run.stdout.splitlines() == [str(tmp_path / "classify")]
    error = run.stderr[run.stderr.index("MachineError") :].splitlines()
    assert error[0] == (
        f"MachineError: {folder / 'model.safetensors'}: cannot be saved: No space left on device"
    )
    assert error[2].startswith("  fix:      free ")
    assert error[2].endswith(" bytes on that disk, or save elsewhere")
    assert "Traceback" not in run.stderr
    assert content(place) == before


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read all")
def test_what_may_not_be_read_is_a_sentence(place: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed.safetensors"
    light_or_dark().save(closed)
    closed.chmod(0)
    run = run_foveal("predict", closed, "night.png", cwd=place)
    assert run.returncode == 2
    assert run.stderr == f"ModelFileError: {closed}: cannot be read: Permission denied\n"
