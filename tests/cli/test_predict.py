"""foveal predict: what it takes, what it prints, what it does with files that are no pictures."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.models import light_or_dark, shade, write_shades
from support.runs import run_python

from foveal.cli import main, progress
from foveal.cli.inputs import expand
from foveal.errors import DataError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a model in it."""
    light_or_dark().save(tmp_path / "m.safetensors")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["predict", "m.safetensors", *arguments])
    return code, *capsys.readouterr()


def names(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    code, out, err = printed(capsys, *arguments, "--json")
    assert (code, err) == (0, "")
    return [json.loads(line)["file"] for line in out.splitlines()]


def level(path: Path, value: int) -> None:
    Image.fromarray(np.full((8, 8), value, np.uint8)).save(path)


def test_the_table_has_a_line_per_picture(here: Path, capsys) -> None:
    level(here / "night.png", 64)
    level(here / "snow.png", 255)
    assert printed(capsys, "night.png", "snow.png") == (
        0,
        "night.png  dark  99.32%\nsnow.png   light 100.00%\n",
        "",
    )
    assert printed(capsys, "night.png", "--top", "5")[1] == (
        "night.png  dark  99.32%   light   0.68%\n"
    )


def test_json_is_a_line_per_picture(here: Path, capsys) -> None:
    level(here / "a.png", 64)
    code, out, _ = printed(capsys, "a.png", "--json")
    (line,) = out.splitlines()
    found = json.loads(line)
    assert code == 0
    assert list(found) == ["file", "label", "probability", "probabilities", "unsure"]
    assert (found["file"], found["label"]) == ("a.png", "dark")
    assert found["probabilities"] == pytest.approx({"dark": 0.993176, "light": 0.006824}, abs=1e-5)
    assert found["probability"] == found["probabilities"]["dark"]


def test_csv_has_a_column_per_class(here: Path, capsys) -> None:
    level(here / 'odd, "name".png', 64)
    code, out, _ = printed(capsys, 'odd, "name".png', "--csv")
    assert code == 0
    assert list(csv.reader(io.StringIO(out))) == [
        ["file", "label", "probability", "unsure", "dark", "light"],
        ['odd, "name".png', "dark", "0.993176", "no", "0.993176", "0.006824"],
    ]


def test_csv_and_json_exclude_each_other(here: Path, capsys) -> None:
    assert printed(capsys, "a.png", "--csv", "--json") == (
        2,
        "",
        "UsageError: --csv and --json exclude each other\n  help:     foveal predict --help\n",
    )


def test_top_is_at_least_one(here: Path, capsys) -> None:
    code, _, err = printed(capsys, "a.png", "--top", "0")
    assert (code, err.splitlines()[0]) == (
        2,
        "UsageError: Invalid value for '--top': 0 is not in the range x>=1.",
    )


def test_files_folders_globs_and_lists_in_the_order_given(here: Path, capsys) -> None:
    write_shades(here / "b" / "deep", 60, 2)
    write_shades(here / "a", 60, 2)
    (here / "a" / "notes.md").write_text("no picture by its name")
    (here / "a" / ".hidden.png").write_bytes(b"")
    (here / "a" / ".folder").mkdir()
    write_shades(here / "a" / ".folder", 60, 1)
    (here / "lists").mkdir()
    (here / "lists" / "list.txt").write_text("\ufeff../a/1.png\r\n\n  ../b/deep/0.png  \n", "utf-8")
    a, b = [f"a{os.sep}{n}.png" for n in (0, 1)], [str(Path("b/deep") / f"{n}.png") for n in (0, 1)]
    assert names(capsys, "b", "a") == [*b, *a]
    assert names(capsys, str(Path("a/1.png")), "b") == [a[1], *b]
    assert names(capsys, "a/*.png") == a
    assert names(capsys, "**/*.png") == [*a, *b]
    assert names(capsys, "[ab]") == [*a, *b]
    assert names(capsys, "lists/list.txt") == [
        str(Path("lists/../a/1.png")),
        str(Path("lists/../b/deep/0.png")),
    ]
    assert names(capsys, "a/0.png", "a/0.png") == [a[0], a[0]]


def test_a_file_may_be_named_like_a_glob(here: Path, capsys) -> None:
    level(here / "[1].png", 9)
    assert names(capsys, "[1].png") == ["[1].png"]


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("absent.png", "absent.png: there is no such file or folder"),
        ("*.jpg", "*.jpg: nothing has such a name"),
        ("empty", "no pictures found\n  fix:      give files, folders or a list.txt"),
        ("latin.txt", "latin.txt: is not text in UTF-8"),
        ("odd\n", "odd\\n: there is no such file or folder"),
    ],
)
def test_what_means_no_picture_is_refused(argument, sentence, here: Path, capsys) -> None:
    (here / "empty").mkdir()
    (here / "latin.txt").write_bytes(b"caf\xe9.png\n")
    assert printed(capsys, argument) == (2, "", f"DataError: {sentence}\n")


def test_a_list_or_folder_that_cannot_be_read(here: Path, monkeypatch) -> None:
    (here / "list.txt").touch()
    (here / "folder").mkdir()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "folder")

    monkeypatch.setattr(Path, "read_text", refuse)
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=r"^list.txt: cannot be read: Permission denied$"):
        expand(["list.txt"])
    with pytest.raises(DataError, match=r"^folder: cannot be opened: Permission denied$"):
        expand(["folder"])


def test_a_broken_file_among_good_ones(here: Path, capsys) -> None:
    level(here / "a.png", 64)
    (here / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    level(here / "c.png", 255)
    problem = "the header of this PNG picture is damaged"
    code, out, err = printed(capsys, "a.png", "b.png", "c.png")
    assert code == 1
    assert [line.split()[0] for line in out.splitlines()] == ["a.png", "c.png"]
    assert err == f"DataError: b.png: {problem}\n"
    code, out, err = printed(capsys, "a.png", "b.png", "c.png", "--json")
    assert (code, err) == (1, f"DataError: b.png: {problem}\n")
    assert json.loads(out.splitlines()[1]) == {"file": "b.png", "error": problem}


def test_if_all_are_broken_nothing_was_done(here: Path, capsys) -> None:
    (here / "a.png").write_bytes(b"")
    assert printed(capsys, "a.png", "a.png") == (
        2,
        "",
        "DataError: a.png: the file is empty\n" * 2,
    )


def test_a_name_cannot_write_on_the_terminal(here: Path, capsys) -> None:
    level(here / "a\x1b[31m\n.png", 64)
    assert printed(capsys, "*.png")[1] == "a\\x1b[31m\\n.png  dark  99.32%\n"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("count", [progress.MANY, progress.MANY + 1])
@pytest.mark.parametrize("err", [Terminal, io.StringIO])
@pytest.mark.parametrize("out", [Terminal, io.StringIO])
def test_a_bar_only_for_many_and_where_somebody_watches(count, err, out, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stderr", err())
    monkeypatch.setattr(sys, "stdout", out())
    monkeypatch.setenv("TERM", "xterm")
    assert list(progress.counted(range(count), count, "predicting")) == list(range(count))
    watched = count > progress.MANY and err is Terminal and out is io.StringIO
    assert ("predicting" in sys.stderr.getvalue()) == watched
    assert sys.stdout.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "a second"),
        (1, "1 s"),
        (99, "99 s"),
        (100, "2 min"),
        (5_000, "83 min"),
        (9e3, "2.5 h"),
    ],
)
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert progress.in_words(seconds) == words


def test_nothing_heavy_is_loaded_even_for_many(here: Path) -> None:
    write_shades(here / "many", 60, 5)
    for number in range(progress.MANY):
        level(here / "many" / f"more{number}.png", number)
    code = (
        "import sys\n"
        "for name in ('torch', 'sklearn', 'matplotlib', 'rich', 'onnx', 'safetensors'):\n"
        "    sys.modules[name] = None\n"
        "from foveal.cli import main\n"
        "sys.exit(main(['predict', *sys.argv[1:], '--csv']))\n"
    )
    run = run_python(code, here / "m.safetensors", here / "many")
    assert (run.returncode, run.stderr) == (0, "")
    assert len(run.stdout.splitlines()) == 1 + progress.MANY + 5


def test_the_same_picture_in_other_clothes(here: Path, capsys) -> None:
    pixels = shade(128, noise=60, size=(9, 12))
    Image.fromarray(pixels).save(here / "plain.png")
    Image.fromarray(pixels.astype(np.uint16) * 257).save(here / "deep.png")
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.fromarray(np.rot90(pixels, -1).copy()).save(here / "turned.png", exif=exif)
    _, out, _ = printed(capsys, "plain.png", "deep.png", "turned.png", "--json")
    found = [json.loads(line)["probabilities"] for line in out.splitlines()]
    assert found[0] == found[1] == found[2]


def test_loading_a_model_imports_nothing(here: Path) -> None:
    """While it goes on another thread imports onnxruntime, and NumPy bears only one at a time."""
    code = (
        "import sys\n"
        "from foveal.model import load\n"
        "before = set(sys.modules)\n"
        "load(sys.argv[1])\n"
        "print('numpy' in before, set(sys.modules) - before)\n"
    )
    run = run_python(code, here / "m.safetensors")
    assert (run.stdout, run.stderr) == ("True set()\n", "")
