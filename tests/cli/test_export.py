"""foveal export: what it prints, where it writes, and what it never overwrites."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.models import light_or_dark, write_shades

from foveal.cli import main
from foveal.engines.portable import Portable


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    light_or_dark().save("m.safetensors")
    return tmp_path


def test_it_says_how_well_the_engines_agree_and_what_is_written(capsys) -> None:
    write_shades(Path("photos"), 60, 2)
    assert main(["export", "m.safetensors", "--pictures", "photos"]) == 0
    *agreements, last = capsys.readouterr().out.splitlines()
    for line, other in zip(agreements, ("reference", "pytorch"), strict=True):
        assert re.fullmatch(
            rf"portable = {other}: on 10 pictures they differ by \d\.\de-\d\d of the largest "
            r"output \(tolerance 1e-05\), 10 of 10 answers are the same",
            line,
        )
    assert last == "written m.onnx (0.0 MiB)"
    assert Path("m.onnx").stat().st_size > 500


def test_the_name_of_the_file_may_be_given(capsys) -> None:
    assert main(["export", "m.safetensors", "-o", "other.onnx"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "written other.onnx (0.0 MiB)"
    assert not Path("m.onnx").exists()


@pytest.mark.parametrize(
    ("model", "options"),
    [("m.safetensors", ["-o", "m.safetensors"]), ("m.onnx", []), ("m.safetensors", ["-o", "link"])],
)
def test_the_model_is_never_overwritten(model: str, options: list[str], capsys) -> None:
    if model == "m.onnx":
        Path("m.safetensors").rename("m.onnx")
    if "link" in options:
        Path("link").symlink_to(model)
    before = Path(model).read_bytes()
    assert main(["export", model, *options]) == 2
    target = options[-1] if options else model
    assert capsys.readouterr() == (
        "",
        f"SpecError: {target}: is the model itself\n  fix:      -o another.onnx\n",
    )
    assert Path(model).read_bytes() == before


def test_disagreeing_engines_are_a_finding(monkeypatch, capsys) -> None:
    right = Portable.run
    monkeypatch.setattr(
        Portable, "run", lambda self, x: {k: v * 1.01 for k, v in right(self, x).items()}
    )
    assert main(["export", "m.safetensors"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == (
        "DisagreementError: 8 inputs: portable and reference differ by 1.0e-02 of the largest "
        "output"
    )
    assert not Path("m.onnx").exists()


def test_a_missing_picture_is_named(capsys) -> None:
    assert main(["export", "m.safetensors", "--pictures", "absent.png"]) == 2
    assert capsys.readouterr().err == "DataError: absent.png: there is no such file or folder\n"


def test_a_folder_that_is_not_there(capsys) -> None:
    assert main(["export", "m.safetensors", "-o", "absent/m.onnx"]) == 3
    first, _, fix = capsys.readouterr().err.splitlines()
    assert first == (
        f"MachineError: {Path('absent/m.onnx')}: cannot be saved: No such file or directory"
    )
    assert fix == "  fix:      make that folder first"
