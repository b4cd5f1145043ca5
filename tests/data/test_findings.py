"""What `check` finds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image
from support.picture_files import blocks, class_folders, encoded, fill, idx_folder, jpeg

from foveal.data import Finding, check
from foveal.data.findings import KINDS
from foveal.errors import DataError


def found(source: Path) -> list[tuple[str, str, str, str]]:
    return [(f.kind, f.severity, f.file, f.message) for f in check(source)]


def test_a_sound_folder_has_notes_only(tmp_path: Path) -> None:
    assert found(class_folders(tmp_path / "set", a=3, b=3)) == [
        (
            "balance",
            "note",
            "set",
            "2 classes with 3 pictures each; always saying 'a' would be right for 50.0%",
        ),
        (
            "sizes",
            "note",
            "set",
            "heights 6 to 6 pixels (median 6), widths 8 to 8 (median 8), colour",
        ),
    ]


def test_everything_that_can_be_wrong(tmp_path: Path) -> None:
    root = tmp_path / "set"
    class_folders(root / "train", a=33, b=3, c=2)
    class_folders(root / "test", x=0, a=0)
    fill(root / "test" / "b", 2, seed=50)
    same = root / "train" / "a" / "0.png"
    shutil.copy(same, root / "train" / "a" / "copy.png")
    Image.open(same).save(root / "train" / "b" / "other.bmp")
    shutil.copy(root / "train" / "b" / "1.png", root / "test" / "b" / "leak.png")
    (root / "train" / "a" / "cut.jpg").write_bytes(jpeg()[:-50])
    (root / "train" / "c" / "text.jpg").write_text("text")
    (root / "train" / "c" / "notes.md").write_text("text")
    frames = {"save_all": True, "append_images": [Image.fromarray(blocks(seed=1))]}
    (root / "train" / "c" / "moving.gif").write_bytes(encoded(blocks(), "GIF", **frames))
    assert found(root) == [
        ("broken", "error", "train/a/cut.jpg", "the picture is cut off"),
        ("broken", "error", "train/c/text.jpg", "not a picture of a known format"),
        ("unused", "warning", "test/a", "a class folder without pictures"),
        ("unused", "warning", "test/x", "a class folder without pictures"),
        ("unused", "warning", "train/c/notes.md", "not a picture by its name (.md)"),
        (
            "contradiction",
            "error",
            "train/b/other.bmp",
            "the same picture as train/a/0.png, there 'a', here 'b'",
        ),
        (
            "leak",
            "error",
            "test/b/leak.png",
            "the same picture as train/b/1.png of the train part, here test",
        ),
        ("duplicate", "warning", "train/a/copy.png", "the same picture as train/a/0.png"),
        ("classes", "warning", "set", "the test part has no picture of 'a', 'c'"),
        (
            "balance",
            "warning",
            "set",
            "3 classes, most of 'a' (35), fewest of 'c' (3); "
            "always saying 'a' would be right for 83.3%",
        ),
        (
            "sizes",
            "note",
            "set",
            "heights 6 to 48 pixels (median 6), widths 8 to 64 (median 8), colour",
        ),
        ("note", "note", "set", "Files with several pictures, of which the first is used: 1."),
    ]


def test_every_kind_that_is_found_is_known(tmp_path: Path) -> None:
    class_folders(tmp_path, a=2, b=2)
    assert {finding.kind for finding in check(tmp_path)} <= set(KINDS)


def test_damage_never_stops_a_check(tmp_path: Path) -> None:
    class_folders(tmp_path, a=20, b=20)
    for number in range(15):
        (tmp_path / "a" / f"bad{number}.png").write_text("text")
    assert sum(finding.kind == "broken" for finding in check(tmp_path)) == 15


def test_a_line_of_a_table_is_named(tmp_path: Path) -> None:
    fill(tmp_path / "p", 4)
    rows = "".join(f"p/{number}.png,{'ab'[number % 2]}\n" for number in range(4))
    (tmp_path / "labels.csv").write_text(f"file,label\n{rows}p/9.png,a\n")
    first = check(tmp_path)[0]
    assert first == Finding("broken", "error", "p/9.png", "no such file", 6)


def test_arrays_are_checked_too_and_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    findings = check(idx_folder(tmp_path), lambda done, total: told.append((done, total)))
    assert [finding.kind for finding in findings] == ["balance", "sizes"]
    assert told == [(number, 25) for number in range(1, 26)]


def test_what_is_no_data_set_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    with pytest.raises(DataError, match="no class folders"):
        check(tmp_path)
