"""foveal data check: what it prints of the findings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support.models import shades

from foveal.cli import main
from foveal.cli.data import SHOWN


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return shades(tmp_path / "photos")


def test_sound_data_has_notes_only(photos: Path, capsys) -> None:
    assert main(["data", "check", "photos"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "note     photos: 2 classes with 12 pictures each; always saying 'dark' would be right "
        "for 50.0%",
        "note     photos: heights 8 to 8 pixels (median 8), widths 8 to 8 (median 8), grey",
        "0 errors, 0 warnings, 2 notes",
    ]


def test_errors_come_first_and_exit_1(photos: Path, capsys) -> None:
    (photos / "dark" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    shutil.copy(photos / "dark" / "0.png", photos / "dark" / "twin.png")
    shutil.copy(photos / "dark" / "1.png", photos / "light" / "wrong.png")
    assert main(["data", "check", "photos"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "error    dark/broken.png: the header of this PNG picture is damaged"
    assert lines[1].startswith("error    light/wrong.png: the same picture as dark/1.png")
    assert lines[2] == "warning  dark/twin.png: the same picture as dark/0.png"
    assert lines[-1] == "2 errors, 1 warning, 2 notes"


def test_a_line_of_a_table_is_named(photos: Path, capsys) -> None:
    rows = [
        f"{path.relative_to(photos).as_posix()},{path.parent.name}"
        for path in sorted(photos.rglob("*.png"))
    ]
    (photos / "labels.csv").write_text("\n".join(["file,label", *rows, "gone.png,dark"]))
    assert main(["data", "check", "photos"]) == 1
    assert (
        capsys.readouterr().out.splitlines()[0].startswith(f"error    gone.png:{len(rows) + 2}: ")
    )


def test_many_findings_are_counted(photos: Path, capsys) -> None:
    for number in range(SHOWN + 3):
        (photos / "dark" / f"notes{number}.txt").touch()
    assert main(["data", "check", "photos"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.startswith("warning  dark/notes")]) == SHOWN
    assert "warning  … and 3 more (--json lists all)" in lines
    assert main(["data", "check", "photos", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["summary"] == {
        "error": 0,
        "warning": SHOWN + 3,
        "note": len(found["findings"]) - SHOWN - 3,
    }
    assert set(found["findings"][0]) == {"kind", "severity", "file", "message", "line"}


def test_a_folder_that_is_none(photos: Path, capsys) -> None:
    assert main(["data", "check", "fotos"]) == 2
    first, *_, fix = capsys.readouterr().err.splitlines()
    assert first == "DataError: fotos: no such file or folder"
    assert fix == "  fix:      did you mean 'photos'?"


def test_groups_are_told(photos: Path, capsys) -> None:
    assert main(["data", "check", "photos", "--group-by", r"name:(\d)"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == (r"note     photos: Grouped by name:(\d): 24 pictures in 10 groups.")
    assert main(["data", "check", "photos", "--group-by", "weather"]) == 2
    assert capsys.readouterr().err.splitlines()[0] == ("SpecError: group_by: cannot read 'weather'")
