"""Sorting pictures into folders: nothing is overwritten, and all of it can be taken back."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from foveal.data import sorting
from foveal.data.sorting import UNSURE, Sorter, folder_names, outside
from foveal.data.undo import Undone, undo
from foveal.errors import DataError, MachineError

CLASSES = ("cat", "dog")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six files, two in folders of their own under the same name."""
    root = tmp_path / "photos"
    for name in ("1.jpg", "2.jpg", "3.jpg", "4.jpg", "a/same.jpg", "b/same.jpg"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 1000)
        os.utime(path, (1_000_000, 1_000_000))
    return root


def tree(root: Path) -> dict[str, bytes]:
    """Every file and link below a folder, with what it holds or where it leads; also folders."""
    return {
        path.relative_to(root).as_posix(): str(path.readlink()).encode()
        if path.is_symlink()
        else (b"" if path.is_dir() else path.read_bytes())
        for path in sorted(root.rglob("*"))
    }


def sort(photos: Path, into: Path, *, link: bool = False) -> Sorter:
    answers = {"1.jpg": "cat", "2.jpg": "dog", "3.jpg": None, "a/same.jpg": "cat",
               "b/same.jpg": "cat"}  # fmt: skip
    with Sorter(into, CLASSES, link=link) as sorter:
        for name, label in answers.items():
            sorter.add(photos / name, label)
    return sorter


@pytest.mark.parametrize("link", [False, True])
def test_pictures_lie_in_the_folders_of_their_classes(link: bool, photos: Path) -> None:
    before, into = tree(photos), photos.parent / "sorted"
    sorter = sort(photos, into, link=link)
    found = tree(into)
    assert set(found) - {"undo.jsonl"} == {
        *("cat", "cat/1.jpg", "cat/same.jpg", "cat/same-2.jpg", "dog", "dog/2.jpg"),
        *("unsure", "unsure/3.jpg"),
    }
    for name, source in (("cat/1.jpg", "1.jpg"), ("cat/same-2.jpg", "b/same.jpg")):
        assert (into / name).read_bytes() == (photos / source).read_bytes()
        assert (into / name).is_symlink() == link
        assert (into / name).stat().st_mtime == 1_000_000
    assert sorter.counts == {"cat": 3, "dog": 1, "unsure": 1}
    assert tree(photos) == before


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize("there", [False, True])
def test_undo_leaves_everything_as_it_was(there: bool, link: bool, photos: Path) -> None:
    into = photos.parent / "sorted"
    if there:
        (into / "cat").mkdir(parents=True)
        (into / "cat" / "1.jpg").write_bytes(b"mine")
    before = tree(photos.parent)
    sorter = sort(photos, into, link=link)
    if there:
        assert (into / "cat" / "1.jpg").read_bytes() == b"mine"
        assert (into / "cat" / "1-2.jpg").exists()
    assert undo(sorter.list) == Undone(5, 0, ())
    assert tree(photos.parent) == before


def test_what_was_changed_or_added_since_stays(photos: Path) -> None:
    into = photos.parent / "sorted"
    sorter = sort(photos, into)
    (into / "cat" / "1.jpg").write_bytes(b"1.jpg" * 999 + b"other")
    (into / "cat" / "same.jpg").write_bytes(b"shorter")
    (into / "dog" / "2.jpg").unlink()
    (into / "dog" / "2.jpg").mkdir()
    (into / "unsure" / "mine.txt").write_text("mine")
    (into / "cat" / "same-2.jpg").unlink()
    done = undo(sorter.list)
    assert done == Undone(
        1,
        1,
        (
            ("cat/1.jpg", "was changed since"),
            ("dog/2.jpg", "is no copy any more"),
            ("cat/same.jpg", "was changed since"),
            ("unsure", "holds 1 more, added since"),
        ),
    )
    assert set(tree(into)) == {
        *("undo.jsonl", "cat", "cat/1.jpg", "cat/same.jpg", "dog", "dog/2.jpg"),
        *("unsure", "unsure/mine.txt"),
    }
    (into / "dog" / "2.jpg").rmdir()
    for name in ("1.jpg", "same.jpg"):
        (into / "cat" / name).unlink()
    assert undo(sorter.list) == Undone(0, 5, (("unsure", "holds 1 more, added since"),))
    assert set(tree(into)) == {"unsure", "unsure/mine.txt"}


def test_a_link_that_leads_elsewhere_or_is_none_stays(photos: Path) -> None:
    into = photos.parent / "sorted"
    sorter = sort(photos, into, link=True)
    (into / "cat" / "1.jpg").unlink()
    (into / "cat" / "1.jpg").symlink_to(photos / "4.jpg")
    (into / "dog" / "2.jpg").unlink()
    (into / "dog" / "2.jpg").write_bytes(b"mine")
    assert undo(sorter.list).left == (
        ("cat/1.jpg", "leads elsewhere by now"),
        ("dog/2.jpg", "is no link any more"),
    )


def test_a_folder_that_leads_elsewhere_by_now(photos: Path) -> None:
    into = photos.parent / "sorted"
    sorter = sort(photos, into)
    shutil.move(into / "dog", photos.parent / "elsewhere")
    (into / "dog").symlink_to(photos.parent / "elsewhere")
    assert undo(sorter.list).left == (("dog/2.jpg", "its folder leads elsewhere by now"),)
    assert (photos.parent / "elsewhere" / "2.jpg").exists()


def test_a_second_run_has_a_list_of_its_own(photos: Path) -> None:
    into = photos.parent / "sorted"
    first, second = sort(photos, into), sort(photos, into)
    assert (first.list.name, second.list.name) == ("undo.jsonl", "undo-2.jsonl")
    assert (into / "cat" / "same-4.jpg").exists()
    assert undo(second.list) == Undone(5, 0, ())
    assert undo(first.list) == Undone(5, 0, ())
    assert not into.exists()


def test_the_same_file_is_sorted_once(photos: Path) -> None:
    (photos / "other name.jpg").symlink_to(photos / "1.jpg")
    with Sorter(photos.parent / "sorted", CLASSES) as sorter:
        assert sorter.add(photos / "1.jpg", "cat") is not None
        assert sorter.add(photos / "a" / ".." / "1.jpg", "cat") is None
        assert sorter.add(photos / "other name.jpg", "cat") is None
    assert (sorter.counts, sorter.num_again) == ({"cat": 1}, 2)


def test_a_link_leads_to_the_picture_itself(photos: Path) -> None:
    (photos / "alias.jpg").symlink_to("1.jpg")
    with Sorter(photos.parent / "sorted", CLASSES, link=True) as sorter:
        made = sorter.add(photos / "alias.jpg", "cat")
    assert made is not None
    assert made.readlink() == photos.resolve() / "1.jpg"


def test_what_lies_in_the_folder_is_not_sorted_again(photos: Path) -> None:
    into = photos / "sorted"
    sort(photos, into)
    files = list(photos.rglob("*.jpg"))
    assert set(outside(files, into)) == {path for path in files if "sorted" not in path.parts}
    with pytest.raises(DataError) as caught:
        outside(files, photos)
    assert str(caught.value) == (
        f"{photos}: every picture lies in the folder to sort into\n"
        "  fix:      sort into another folder"
    )


NAMES = [
    (["cat", "dog"], ["cat", "dog"]),
    (["a/b", "a\\b", "a:b"], ["a-b", "a-b-2", "a-b-3"]),
    (["Cat", "cat", "CAT"], ["Cat", "cat-2", "CAT-3"]),
    (["..", "", " . "], ["class", "class-2", "class-3"]),
    ([".hidden", "dots..."], ["hidden", "dots"]),
    (["con", "LPT1.txt", "console"], ["con-", "LPT1.txt-", "console"]),
    (["unsure"], ["unsure-2"]),
    (["e\u0301", "é"], ["e\u0301", "é-2"]),
    (["x" * 300, "x" * 299], ["x" * 80, "x" * 80 + "-2"]),
    (["a\n\x1b[31mb"], ["a--[31mb"]),
]


@pytest.mark.parametrize(("classes", "folders"), NAMES)
def test_folders_are_allowed_everywhere_and_different(classes, folders) -> None:
    assert folder_names(classes) == dict(zip(classes, folders, strict=True))


def test_names_that_are_no_text_are_taken_back_too(photos: Path) -> None:
    odd = photos / os.fsdecode(b'caf\xe9 "\n.jpg')
    try:
        odd.write_bytes(b"picture")
    except OSError:
        pytest.skip("this file system wants names in UTF-8")
    before = tree(photos.parent)
    for link in (False, True):
        with Sorter(photos.parent / "sorted", CLASSES, link=link) as sorter:
            sorter.add(odd, "cat")
        assert undo(sorter.list) == Undone(1, 0, ())
        assert tree(photos.parent) == before


@pytest.mark.parametrize("kind", ["file", "link"])
def test_something_else_bears_the_name_of_a_folder(kind: str, photos: Path) -> None:
    into = photos.parent / "sorted"
    into.mkdir()
    if kind == "file":
        (into / "cat").write_bytes(b"")
    else:
        (into / "cat").symlink_to(photos)
    before = tree(photos)
    with pytest.raises(DataError) as caught:
        sort(photos, into)
    assert str(caught.value) == (
        f"{into / 'cat'}: is in the way: not a folder of its own\n"
        "  fix:      remove or rename it, or sort into another folder"
    )
    assert tree(photos) == before


def test_a_folder_that_cannot_be_made(photos: Path) -> None:
    with pytest.raises(MachineError) as caught:
        Sorter(photos.parent / "not" / "there", CLASSES)
    assert str(caught.value) == (
        f"{photos.parent / 'not' / 'there'}: cannot be sorted into: No such file or directory\n"
        "  fix:      a folder beside something that is there, where you may write"
    )


def test_nothing_sorted_leaves_nothing(photos: Path) -> None:
    with Sorter(photos.parent / "sorted", CLASSES):
        pass
    assert not (photos.parent / "sorted").exists()
    (photos.parent / "mine").mkdir()
    with Sorter(photos.parent / "mine", CLASSES):
        pass
    assert tree(photos.parent / "mine") == {}


def test_a_full_disk(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    into, copied = photos.parent / "sorted", sorting._copied

    def full(source: str, target: Path) -> tuple[int, str]:
        if source.endswith("2.jpg"):
            target.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        return copied(source, target)

    monkeypatch.setattr(sorting, "_copied", full)
    with pytest.raises(MachineError) as caught:
        sort(photos, into)
    assert str(caught.value) == (
        f"{photos / '2.jpg'}: cannot be sorted into dog: No space left on device\n"
        f"  fix:      free some room, or --link; foveal undo {into / 'undo.jsonl'} takes back what "
        "was made"
    )
    assert set(tree(into)) == {"undo.jsonl", "cat", "cat/1.jpg", "dog"}
    assert undo(into / "undo.jsonl") == Undone(1, 0, ())
    assert not into.exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from foveal.data import sorting
moment, link = sys.argv[1], sys.argv[4] == "link"
def here(name, result):
    if name == moment:
        os.kill(os.getpid(), signal.SIGKILL)
    return result
write, copied, touch = sorting.Sorter._write, sorting._copied, Path.touch
def half(source, target):
    if moment == "half":
        target.write_bytes(b"half")
    return here("half", copied(source, target))
sorting.Sorter._write = lambda self, line: here("listed " + next(iter(line)), write(self, line))
sorting._copied = lambda source, target: half(source, target)
Path.touch = lambda self, **more: here("named", touch(self, **more))
with sorting.Sorter(Path(sys.argv[3]), ["cat"], link=link) as sorter:
    sorter.add(sys.argv[2], "cat")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize(
    ("moment", "how"),
    [
        *[(moment, "copy") for moment in ("listed folder", "half", "listed copy", "named")],
        ("listed link", "link"),
    ],
)
def test_killed_at_any_moment_it_can_be_taken_back(moment: str, how: str, photos: Path) -> None:
    before, into = tree(photos.parent), photos.parent / "sorted"
    (into).mkdir()
    process = [sys.executable, "-c", KILLED, moment, str(photos / "1.jpg"), str(into), how]
    assert subprocess.run(process, check=False, timeout=60).returncode == -signal.SIGKILL
    assert undo(into / "undo.jsonl").left == ()
    into.rmdir()
    assert tree(photos.parent) == before


def test_half_a_line_at_the_end_is_nothing(photos: Path) -> None:
    sorter = sort(photos, photos.parent / "sorted")
    sorter.list.write_text(sorter.list.read_text() + '{"copy": "cat/2.jpg", "fr')
    assert undo(sorter.list) == Undone(5, 0, ())


HEAD = json.dumps({"foveal": "sorted", "format": 1}) + "\n"
COPY = {"copy": "cat/1.jpg", "from": "/x", "size": 1, "sha256": ""}
NO_LISTS = [
    ("", 1),
    ("file,label\n", 1),
    ("é", 1),
    ('{"foveal": "sorted", "format": 2}\n', 1),
    (HEAD + "[]\n", 2),
    (HEAD + '{"made": "cat/1.jpg"}\n', 2),
    (HEAD + json.dumps({**COPY, "more": 1}) + "\n", 2),
    (HEAD + '{"folder": "cat"}\n' + json.dumps({**COPY, "size": "1"}) + "\n", 3),
]


@pytest.mark.parametrize(("text", "line"), NO_LISTS)
def test_a_file_that_is_no_list_is_refused(text: str, line: int, tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        undo(path)
    assert str(caught.value) == (
        f"{path}, line {line}: is no list of sorted pictures\n"
        "  expected: a file undo.jsonl that foveal predict --sort-into wrote"
    )


@pytest.mark.parametrize("place", ["../photos/1.jpg", "/etc/passwd", "C:/1.jpg", "cat/../../1.jpg"])
def test_a_list_cannot_reach_out_of_its_folder(place: str, tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text(HEAD + json.dumps({**COPY, "copy": place}) + "\n")
    with pytest.raises(DataError) as caught:
        undo(path)
    assert str(caught.value) == (f"{path}, line 2: reaches out of its folder\n  arrives:  {place}")


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        undo(tmp_path / "undo.jsonl")
    assert str(caught.value) == (
        f"{tmp_path / 'undo.jsonl'}: cannot be read: No such file or directory"
    )


def test_a_folder_is_no_list(photos: Path) -> None:
    with pytest.raises(DataError) as caught:
        undo(photos)
    assert str(caught.value) == (
        f"{photos}: cannot be read: Is a directory\n  fix:      foveal undo {photos / 'undo.jsonl'}"
    )


def test_a_folder_may_be_moved_before(photos: Path) -> None:
    sort(photos, photos.parent / "sorted")
    moved = (photos.parent / "sorted").rename(photos.parent / "moved")
    assert undo(moved / "undo.jsonl") == Undone(5, 0, ())
    assert not moved.exists()


def test_the_folder_of_the_unsure_has_its_name() -> None:
    assert UNSURE == "unsure"
