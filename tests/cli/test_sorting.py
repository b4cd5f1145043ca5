"""foveal predict --sort-into and foveal undo, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.models import light_or_dark

from foveal.cli import main
from foveal.cli.options import unsure_below_option
from foveal.cli.predict import command
from foveal.tasks.classify import UNSURE_BELOW


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a model and three pictures: dark, light, and neither."""
    light_or_dark().save(tmp_path / "m.safetensors")
    (tmp_path / "new").mkdir()
    for name, level in (("night", 0), ("snow", 255), ("dusk", 130)):
        pixels = np.full((8, 8), level, np.uint8)
        Image.fromarray(pixels).save(tmp_path / "new" / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    return code, *capsys.readouterr()


SORT = ("predict", "m.safetensors", "new", "--sort-into", "out", "--unsure-below", "0.9")


def below(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if not path.is_dir())
    return {path.relative_to(folder).as_posix() for path in found}


@pytest.mark.parametrize("how", [(), ("--copy",), ("--link",)])
def test_pictures_are_sorted_and_taken_back(how: tuple[str, ...], here: Path, capsys) -> None:
    assert said(capsys, *SORT, *how) == (
        0,
        f"sorted into {here / 'out'}: dark 1, light 1, unsure 1\n"
        f"take it back: foveal undo {here / 'out' / 'undo.jsonl'}\n",
        "",
    )
    assert below(here / "out") == {
        *("dark/night.png", "light/snow.png", "unsure/dusk.png", "undo.jsonl"),
    }
    assert (here / "out" / "dark" / "night.png").is_symlink() == ("--link" in how)
    assert said(capsys, "undo", "out/undo.jsonl") == (0, "pictures taken back: 3\n", "")
    assert not (here / "out").exists()


def test_answers_may_be_printed_as_well(here: Path, capsys) -> None:
    code, out, err = said(capsys, *SORT, "--json")
    assert [json.loads(line)["unsure"] for line in out.splitlines()] == [True, False, False]
    assert err.startswith("sorted into ")
    assert code == 0


def test_a_picture_that_cannot_be_read_is_told_and_not_sorted(here: Path, capsys) -> None:
    (here / "new" / "broken.png").write_bytes(b"")
    code, out, err = said(capsys, *SORT)
    assert (code, err) == (1, f"DataError: {Path('new/broken.png')}: the file is empty\n")
    assert out.startswith("sorted into")
    (here / "bad.png").write_bytes(b"")
    code, out, _ = said(capsys, "predict", "m.safetensors", "bad.png", "--sort-into", "other")
    assert (code, out) == (2, "nothing was sorted\n")
    assert not (here / "other").exists()


def test_into_a_folder_among_the_pictures_twice(here: Path, capsys) -> None:
    arguments = ("predict", "m.safetensors", "new", "--sort-into", "new/sorted")
    for number in (1, 2):
        code, out, _ = said(capsys, *arguments)
        assert (code, out.splitlines()[0].partition(":")[0]) == (
            0,
            f"sorted into {here / 'new' / 'sorted'}",
        )
        assert len(below(here / "new" / "sorted")) == number * 4
    assert said(capsys, "predict", "m.safetensors", "new", "--sort-into", "new")[::2] == (
        2,
        "DataError: new: every picture lies in the folder to sort into\n"
        "  fix:      sort into another folder\n",
    )


def test_the_same_picture_twice_is_said(here: Path, capsys) -> None:
    _, out, _ = said(capsys, *SORT, "new/night.png")
    assert out.splitlines()[0].endswith(": dark 1, light 1, unsure 1 (1 more came twice)")


def test_what_stays_is_told(here: Path, capsys) -> None:
    said(capsys, *SORT)
    (here / "out" / "dark" / "night.png").write_bytes(b"mine")
    (here / "out" / "light" / "snow.png").unlink()
    (here / "out" / "unsure" / "a\n.txt").write_bytes(b"")
    assert said(capsys, "undo", "out/undo.jsonl") == (
        1,
        "pictures taken back: 1 (gone already: 1)\n"
        "  stays: dark/night.png was changed since\n"
        "  stays: unsure holds 1 more, added since\n",
        "",
    )


def test_many_that_stay_are_counted(here: Path, capsys) -> None:
    for number in range(25):
        Image.fromarray(np.full((8, 8), 0, np.uint8)).save(here / "new" / f"{number}.png")
    said(capsys, *SORT)
    for path in (here / "out" / "dark").iterdir():
        path.write_bytes(b"mine")
    code, out, _ = said(capsys, "undo", "out/undo.jsonl")
    assert (code, len(out.splitlines()), out.splitlines()[-1]) == (1, 22, "  … and 6 more")


def test_link_needs_a_folder(here: Path, capsys) -> None:
    assert said(capsys, "predict", "m.safetensors", "new", "--link") == (
        2,
        "",
        "UsageError: --link needs --sort-into\n  help:     foveal predict --help\n",
    )


def test_unsure_answers_are_marked(here: Path, capsys) -> None:
    ask = ("predict", "m.safetensors", "new/dusk.png", "--unsure-below", "0.9")
    assert said(capsys, *ask)[1] == f"{Path('new/dusk.png')}  light  54.89%   unsure\n"
    assert said(capsys, *ask, "--csv")[1].splitlines()[1].split(",")[1:4] == [
        *("light", "0.548863", "yes"),
    ]
    assert said(capsys, *ask[:3])[1] == f"{Path('new/dusk.png')}  light  54.89%\n"
    code, _, err = said(capsys, *ask[:-1], "1.5")
    assert (code, err.splitlines()[0]) == (
        2,
        "UsageError: Invalid value for '--unsure-below': 1.5 is not in the range 0<=x<=1.",
    )


def test_the_command_line_and_python_are_unsure_alike() -> None:
    assert unsure_below_option(lambda: None).__click_params__[0].default == UNSURE_BELOW
    assert next(p for p in command.params if p.name == "unsure_below").default == UNSURE_BELOW
