"""A file is written wholly or not at all, and nothing else in its folder is touched."""

import errno
import hashlib
import os
import stat
import subprocess
import sys
import tracemalloc

import pytest

from foveal import files
from foveal.errors import MachineError

HELD = """
import pathlib, sys
from foveal import files
def wait(self, target):
    print(self, flush=True)
    sys.stdin.read()
pathlib.Path.replace = wait
files.write_atomically(pathlib.Path(sys.argv[1]), b"new")
"""

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    return path


@pytest.fixture
def failing(monkeypatch):
    """`failing(number, code)`: syncing to the disk fails so many times, then works."""
    kept = os.fsync

    def fail(number, code):
        left = [OSError(code, os.strerror(code))] * number
        monkeypatch.setattr(os, "fsync", lambda file: kept(file) if not left else throw(left.pop()))

    def throw(error):
        raise error

    monkeypatch.setattr(files.time, "sleep", lambda seconds: None)
    return fail


def refusal(path):
    with pytest.raises(MachineError) as caught:
        files.write_atomically(path, b"new")
    return str(caught.value)


def alone(path):
    return list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "content",
    [b"new", bytearray(b"new"), memoryview(b"new"), [b"ne", b"", memoryview(b"w")], iter([b"new"])],
    ids=["bytes", "bytearray", "memoryview", "list", "iterator"],
)
def test_the_new_content_replaces_the_old(path, content):
    digest = files.write_atomically(path, content)
    assert path.read_bytes() == b"new"
    assert digest == hashlib.sha256(b"new").hexdigest() == files.sha256(path)
    assert alone(path)


def test_blocks_of_other_numbers_than_bytes_are_counted_in_bytes(path, failing):
    block = memoryview(bytes(8)).cast("d")
    files.write_atomically(path, [block])
    assert path.read_bytes() == bytes(8)
    failing(3, errno.EIO)
    with pytest.raises(MachineError) as caught:
        files.write_atomically(path, [block])
    assert caught.value.expected == "8 bytes to be written"


def test_a_large_block_is_not_copied(path):
    block = memoryview(bytes(2**24))
    tracemalloc.start()
    try:
        files.write_atomically(path, [block])
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


def test_an_iterable_that_breaks_off_changes_nothing(path):
    def broken():
        yield b"new"
        raise KeyError

    with pytest.raises(KeyError):
        files.write_atomically(path, broken())
    assert path.read_bytes() == b"old"
    assert alone(path)


@posix
def test_a_link_is_replaced_and_its_target_left_alone(path):
    link = path.with_name("link")
    link.symlink_to(path)
    files.write_atomically(link, b"new")
    assert path.read_bytes() == b"old"
    assert link.read_bytes() == b"new"
    assert not link.is_symlink()


def test_only_the_named_file_is_written_on_a_crooked_path(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    files.write_atomically(tmp_path / "a" / "b" / ".." / ".." / "x", b"new")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a", "x"]
    assert [entry.name for entry in (tmp_path / "a").rglob("*")] == ["b"]


@posix
def test_the_file_gets_the_permissions_any_new_file_gets(path):
    before = os.umask(0o027)
    try:
        files.write_atomically(path, b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_longest_name_the_system_allows_can_be_written(tmp_path):
    path = tmp_path / ("\N{FOX FACE}" * 63)
    files.write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


@posix
@pytest.mark.parametrize(
    ("name", "reason", "fix"),
    [
        ("a" * 300, "File name too long", "give a shorter name"),
        ("none/x", "No such file or directory", "make that folder first"),
        ("a.txt/x", "Not a directory", "save to a folder, not into a file"),
        ("folder", "Is a directory", "give a file name, not a folder"),
    ],
)
def test_a_path_that_cannot_be_written_is_named(path, name, reason, fix):
    (path.parent / "folder").mkdir()
    target = path.parent / name
    assert refusal(target) == (
        f"{target}: cannot be saved: {reason}\n  expected: 3 bytes to be written\n  fix:      {fix}"
    )
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["a.txt", "folder"]


@posix
def test_a_folder_that_may_not_be_written_is_named(path):
    nobody, user = 65534, os.geteuid()
    path.parent.chmod(0o555)
    os.seteuid(user or nobody)  # root may write anywhere
    try:
        assert refusal(path) == (
            f"{path}: cannot be saved: Permission denied\n"
            "  expected: 3 bytes to be written\n"
            "  fix:      save to a folder you may write to"
        )
    finally:
        os.seteuid(user)
        path.parent.chmod(0o755)
    assert path.read_bytes() == b"old"
    assert alone(path)


@pytest.mark.parametrize("number", [1, 2])
def test_a_passing_fault_of_the_disk_is_tried_again(path, failing, number):
    failing(number, errno.EIO)
    files.write_atomically(path, iter([b"new"]))
    assert path.read_bytes() == b"new"
    assert alone(path)


def test_a_lasting_fault_of_the_disk_leaves_the_old_file(path, failing):
    failing(3, errno.EIO)
    assert refusal(path) == (
        f"{path}: cannot be saved: Input/output error\n"
        "  expected: 3 bytes to be written\n"
        "  fix:      see the message of the operating system above"
    )
    assert path.read_bytes() == b"old"
    assert alone(path)


@posix
def test_an_exceeded_quota_is_named_and_not_tried_again(path, failing):
    failing(1, errno.EDQUOT)
    assert refusal(path).endswith("free 3 bytes of your quota, or save elsewhere")
    assert path.read_bytes() == b"old"


def test_what_reads_back_differently_is_not_kept(path, monkeypatch, failing):
    monkeypatch.setattr(files, "sha256", lambda part: "0" * 64)
    failing(0, errno.EIO)
    assert refusal(path).startswith(
        f"{path}: cannot be saved: what was read back is not what was written\n"
    )
    assert path.read_bytes() == b"old"
    assert alone(path)


@posix
def test_a_folder_that_cannot_be_synced_is_written_all_the_same(path, monkeypatch):
    kept = os.fsync

    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        kept(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    files.write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


def test_what_an_interrupted_write_left_is_swept_and_nothing_else(path):
    (path.parent / ".1-00.foveal-part").write_bytes(b"half")
    (path.parent / ".hidden").write_bytes(b"")
    files.sweep(path.parent)
    assert sorted(entry.name for entry in path.parent.iterdir()) == [".hidden", "a.txt"]
    files.sweep(path.parent / "none")


def test_a_part_that_is_still_being_written_is_not_swept(path):
    command = [sys.executable, "-c", HELD, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        part = process.stdout.readline().rstrip("\n")
        files.sweep(path.parent)
        swept_too_early = part not in map(str, path.parent.iterdir())
        process.kill()
    assert not swept_too_early
    files.sweep(path.parent)
    assert alone(path)


@posix
def test_a_part_swept_before_it_was_locked_is_written_again(path, monkeypatch):
    kept, swept = files.lock, []

    def sweep_first(descriptor):
        if not swept:
            swept.append(descriptor)
            files.sweep(path.parent)
        return kept(descriptor)

    monkeypatch.setattr(files, "lock", sweep_first)
    files.write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert swept
