"""Rows on the disk: found by their keys, whole after a kill, never more than there is space for."""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from foveal.model import kept_rows
from foveal.model.kept_rows import Store

SHAPE = (4, 5, 3)
EACH = 60 + 36
HEAD = 2 * mmap.PAGESIZE
posix = pytest.mark.skipif(sys.platform == "win32", reason="no locks")


def key(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


def keys(*numbers: int) -> np.ndarray:
    return np.frombuffer(b"".join(map(key, numbers)), np.uint8).reshape(-1, 32)


def row(number: int) -> np.ndarray:
    return np.full(SHAPE, number % 251, np.uint8)


def store(folder: Path, limit: int | None = None) -> Store:
    return Store(folder, SHAPE, np.uint8, limit)


def put(folder: Path, *numbers: int, limit: int | None = None) -> None:
    made = store(folder, limit)
    with made.growing(len(numbers)):
        for number in numbers:
            made.add(key(number), row(number))


def there(folder: Path, *numbers: int) -> list[int]:
    """Of some rows those that a store has, and has right."""
    found = store(folder).find(keys(*numbers))
    read = [found.read(place) for place in range(len(numbers))]
    pairs = [(number, value) for number, value in zip(numbers, read, strict=True)]
    for number, value in pairs:
        assert value is None or np.array_equal(value, row(number))
    return [number for number, value in pairs if value is not None]


def age(folder: Path, when: int) -> None:
    for path in folder.iterdir():
        os.utime(path, (when, when))


def test_rows_come_back_by_their_keys_from_several_files(tmp_path: Path) -> None:
    put(tmp_path / "a", 1, 2, 3)
    put(tmp_path / "a", 4, 5)
    assert there(tmp_path / "a", 5, 9, 1, 3, 4) == [5, 1, 3, 4]
    assert len(list((tmp_path / "a").iterdir())) == 2


def test_a_file_without_a_wanted_row_is_not_held(tmp_path: Path) -> None:
    put(tmp_path / "a", 1)
    put(tmp_path / "a", 2)
    assert len(store(tmp_path / "a").find(keys(2, 3)).values) == 1


def test_nothing_new_makes_no_file(tmp_path: Path) -> None:
    made = store(tmp_path / "a")
    with made.growing(0):
        pass
    with made.growing(3):
        pass
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_nothing_is_kept_or_known_without_a_folder_or_with_a_limit_of_0(tmp_path: Path) -> None:
    put(tmp_path / "a", 1)
    for none in (Store(None, SHAPE, np.uint8), store(tmp_path / "a", 0)):
        with none.growing(1):
            none.add(key(7), row(7))
        assert (none.find(keys(1, 7)).which < 0).all()


@pytest.mark.parametrize("cut", [1, 61, 150])
def test_of_a_file_that_is_cut_off_the_whole_rows_count(cut: int, tmp_path: Path) -> None:
    put(tmp_path / "a", 1, 2, 3)
    (file,) = (tmp_path / "a").iterdir()
    os.truncate(file, file.stat().st_size - cut)
    assert there(tmp_path / "a", 1, 2, 3) == [1, 2, 3][: -(cut // 60 + 1)]


def test_what_is_no_such_file_is_empty(tmp_path: Path) -> None:
    put(tmp_path / "a", 1)
    put(tmp_path / "b", 2)
    (good,) = (tmp_path / "b").iterdir()
    content = good.read_bytes()
    size = (10**15).to_bytes(8, "little")
    for number, bad in enumerate((b"", b"not this", content[:30], b"x" + content[1:],
                                  content[:16] + size + content[24:],
                                  content[:24] + size + content[32:])):  # fmt: skip
        (tmp_path / "a" / f"{number}.rows").write_bytes(bad)
    (tmp_path / "a" / "folder.rows").mkdir()
    assert there(tmp_path / "a", 1, 2) == [1]
    put(tmp_path / "a", 2)
    assert there(tmp_path / "a", 1, 2) == [1, 2]


def test_rows_of_another_shape_do_not_count(tmp_path: Path) -> None:
    put(tmp_path / "a", 1)
    other = Store(tmp_path / "a", (4, 5, 1), np.uint8)
    assert other.find(keys(1)).values == ()


def test_a_damaged_row_is_not_given(tmp_path: Path) -> None:
    put(tmp_path / "a", 1, 2)
    (file,) = (tmp_path / "a").iterdir()
    content = bytearray(file.read_bytes())
    content[-70] ^= 4
    file.write_bytes(content)
    assert there(tmp_path / "a", 1, 2) == [2]
    put(tmp_path / "a", 1)
    assert there(tmp_path / "a", 1, 2) == [1, 2]


def test_the_oldest_files_go_first_wherever_they_are(tmp_path: Path) -> None:
    for when, name in enumerate("bac"):
        put(tmp_path / name, when)
        age(tmp_path / name, 1000 + when)
    sizes = sum(path.stat().st_size for path in tmp_path.rglob("*.rows"))
    put(tmp_path / "d", 7, limit=sizes)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["c", "d"]


def test_what_was_used_lately_stays(tmp_path: Path) -> None:
    for number in (1, 2):
        put(tmp_path / "a", number)
    age(tmp_path / "a", 1000)
    assert there(tmp_path / "a", 2) == [2]
    put(tmp_path / "a", 3, limit=3 * mmap.PAGESIZE + 3 * EACH)
    assert there(tmp_path / "a", 1, 2, 3) == [2, 3]


@posix
def test_what_is_in_use_stays_and_takes_space(tmp_path: Path) -> None:
    put(tmp_path / "a", 1, 2)
    found = store(tmp_path / "a").find(keys(1, 2))
    put(tmp_path / "b", 3, 4, 5, limit=HEAD + mmap.PAGESIZE)
    assert there(tmp_path / "a", 1, 2) == [1, 2]
    assert there(tmp_path / "b", 3, 4, 5) == []
    del found
    put(tmp_path / "b", 3, 4, 5, limit=HEAD + mmap.PAGESIZE)
    assert (there(tmp_path / "a", 1, 2), there(tmp_path / "b", 3, 4, 5)) == ([], [3, 4, 5])


def test_as_many_rows_as_there_is_space_for(tmp_path: Path) -> None:
    put(tmp_path / "a", *range(10), limit=HEAD + 4 * EACH)
    assert there(tmp_path / "a", *range(10)) == [0, 1, 2, 3]
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.rows")) <= HEAD + 4 * EACH


def test_by_default_a_tenth_of_the_free_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 10 * (HEAD + 3 * EACH)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": free}))
    put(tmp_path / "a", *range(10))
    assert there(tmp_path / "a", *range(10)) == [0, 1, 2]
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 0}))
    put(tmp_path / "b", 1, limit=2**40)
    assert there(tmp_path / "b", 1) == []


def test_a_disk_that_is_full_ends_it_quietly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, write_at = 0, kept_rows._write_at

    def full(file: object, content: bytes, offset: int) -> None:
        nonlocal written
        written += 1
        if written == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_at(file, content, offset)  # type: ignore[arg-type]

    monkeypatch.setattr(kept_rows, "_write_at", full)
    put(tmp_path / "a", *range(5))
    assert there(tmp_path / "a", *range(5)) == [0, 1]


def test_a_place_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("taken", encoding="utf-8")
    put(tmp_path / "file" / "a", 1)
    assert there(tmp_path / "file" / "a", 1) == []


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from foveal.model import kept_rows
from test_kept_rows import key, row, store
kept_rows.SAVE_AFTER = 4 * 60
made = store(Path(sys.argv[1]))
numbers = range(*map(int, sys.argv[2:]))
with made.growing(len(numbers)):
    for number in numbers:
        made.add(key(number), row(number))
        print(number, flush=True)
        sys.stdin.readline()
"""


def writer(folder: Path, first: int, last: int) -> subprocess.Popen[str]:
    """A process that adds a row for every line it is sent."""
    code = textwrap.dedent(WRITER).format(tests=str(Path(__file__).parent))
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(first), str(last)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )


def ask(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline()


def test_a_killed_process_leaves_whole_rows(tmp_path: Path) -> None:
    with writer(tmp_path / "a", 0, 20) as process:
        for _ in range(10):
            ask(process)
        process.kill()
    assert there(tmp_path / "a", *range(20)) == list(range(8))
    put(tmp_path / "a", *range(8, 20))
    assert there(tmp_path / "a", *range(20)) == list(range(20))


def test_two_processes_at_once_both_keep_their_rows(tmp_path: Path) -> None:
    with writer(tmp_path / "a", 0, 6) as one, writer(tmp_path / "a", 4, 9) as other:
        for process in (one, other, one, other, one):
            ask(process)
        there(tmp_path / "a", *range(9))  # whatever is there by now is right
        for process in (one, other):
            process.communicate("\n" * 20)
    assert there(tmp_path / "a", *range(9)) == list(range(9))


@posix
def test_a_file_that_is_being_written_is_not_removed(tmp_path: Path) -> None:
    with writer(tmp_path / "a", 0, 9) as process:
        for _ in range(5):
            ask(process)
        put(tmp_path / "b", 9, limit=HEAD + EACH)
        process.communicate("\n" * 9)
    assert there(tmp_path / "a", *range(9)) == list(range(9))
