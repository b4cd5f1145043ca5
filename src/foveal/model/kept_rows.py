"""Rows of numbers by what they were computed from, in files that may vanish at any time.

A store is a folder of files, one for each process that had new rows. A file has space for so many
keys with checksums, then the rows. Rows are on the disk before their keys are: a row whose key is
there is whole, whenever the process or the machine stops. Who writes a file or reads it holds a
lock on it, so that nobody removes it.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import shutil
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal import files
from foveal.net.kind import Shape

SUFFIX = ".rows"
KEY = 32
"""Bytes of a key, which is a SHA-256."""
SAVE_AFTER = 2**26
"""Bytes of new rows after which they are forced to the disk and their keys written."""
SHARE, MOST = 0.1, 0.9
"""Of the free disk, what all stores beside each other may take if nobody says more, and at most."""

_MAGIC = b"foveal rows 1\n\0\0"
_HEAD = struct.Struct("<16sQQ")  # the magic, bytes of a row, how many there is space for
_ENTRY = np.dtype([("key", np.uint8, KEY), ("checksum", "<u4")])

Keys = NDArray[np.uint8]
"""(N, 32)"""


@dataclass(frozen=True, eq=False)
class Found:
    """Where rows lie that a store has."""

    which: NDArray[np.int32]
    """Of each key the file; -1 if the store has no such row."""
    rows: NDArray[np.int64]
    values: tuple[np.ndarray, ...]
    """The rows of each file, mapped into memory."""
    checksums: tuple[NDArray[np.uint32], ...]

    def read(self, place: int) -> np.ndarray | None:
        """The row of the key at a place; None if there is none, or it is damaged."""
        which, row = self.which[place], self.rows[place]
        if which < 0:
            return None
        value: np.ndarray = self.values[which][row]
        return value if zlib.crc32(value.data) == self.checksums[which][row] else None


class Store:
    """The rows of pictures by their digests, all of one shape and type.

    What is missing, damaged or of something else counts as empty. What cannot be written is let
    go: the work does not depend on it.
    """

    def __init__(
        self,
        folder: Path | None,
        shape: Shape,
        dtype: type[np.generic],
        limit: int | None = None,
    ) -> None:
        """`folder` None, or a limit of 0, keeps nothing and knows nothing.

        `limit` is how many bytes this store and those beside it may take; by default a tenth of
        what would be free without them.
        """
        self.folder = None if limit == 0 else folder
        self.shape, self.dtype, self.limit = shape, np.dtype(dtype), limit
        self.row_bytes = prod(shape) * self.dtype.itemsize
        self._writer: _Writer | None = None

    def find(self, keys: Keys) -> Found:
        """Where the rows of some keys lie. Files that have one of them count as used now."""
        which = np.full(len(keys), -1, np.int32)
        rows = np.zeros(len(keys), np.int64)
        values: list[np.ndarray] = []
        checksums: list[NDArray[np.uint32]] = []
        for path in _files(self.folder):
            opened = _opened(path, self.row_bytes)
            if opened is None or not (which < 0).any():
                continue
            content, entries, start = opened
            missing = np.flatnonzero(which < 0)
            there = _lookup(entries["key"], keys[missing])
            if not (there >= 0).any():
                continue
            which[missing[there >= 0]] = len(values)
            rows[missing[there >= 0]] = there[there >= 0]
            count = len(entries) * prod(self.shape)
            flat = np.frombuffer(content, self.dtype, count, start)
            values.append(flat.reshape(len(entries), *self.shape))
            checksums.append(entries["checksum"])
            with contextlib.suppress(OSError):
                os.utime(path)
        return Found(which, rows, tuple(values), tuple(checksums))

    @contextlib.contextmanager
    def growing(self, count: int) -> Iterator[None]:
        """While so many rows are added at most; the oldest files go if there is no space."""
        try:
            if self.folder is not None and count:
                with contextlib.suppress(OSError):
                    self._writer = self._begun(self.folder, count)
            yield
        finally:
            self._end()

    def add(self, key: bytes, value: np.ndarray) -> None:
        """Take in a row, if there is space."""
        if self._writer is None:
            return
        try:
            more = self._writer.add(key, np.ascontiguousarray(value, self.dtype))
        except OSError:  # a full disk
            more = False
        if not more:
            self._end()

    def _end(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _begun(self, folder: Path, count: int) -> _Writer | None:
        """A new file for as many of so many rows as there is space for."""
        folder.mkdir(parents=True, exist_ok=True)
        each = self.row_bytes + _ENTRY.itemsize
        beside = [path for one in folder.parent.iterdir() for path in _files(one)]
        sizes = {path: path.stat().st_size for path in beside}
        taken = sum(sizes.values())
        free = shutil.disk_usage(folder).free + taken
        limit = free * SHARE if self.limit is None else min(self.limit, free * MOST)
        limit -= 2 * mmap.PAGESIZE  # the head, and up to the page on which the rows begin
        for path in sorted(beside, key=lambda path: path.stat().st_mtime_ns):
            if taken + count * each <= limit:
                break
            if files.remove_unused(path):
                taken -= sizes[path]
                with contextlib.suppress(OSError):
                    path.parent.rmdir()
        folder.mkdir(exist_ok=True)
        space = min(count, int(limit - taken) // each)
        return _Writer(folder, self.row_bytes, space) if space > 0 else None


class _Writer:
    """A new file of a store."""

    def __init__(self, folder: Path, row_bytes: int, space: int) -> None:
        self.path = folder / f"{time.time_ns():016x}-{os.urandom(4).hex()}{SUFFIX}"
        self.row_bytes, self.space = row_bytes, space
        self.file = FileIO(self.path, "x+")
        files.lock(self.file.fileno())
        self.start = _start(space)
        self.saved = 0
        self.waiting: list[tuple[bytes, int]] = []
        """Keys and checksums of rows that are written, but perhaps not on the disk."""

    def add(self, key: bytes, value: np.ndarray) -> bool:
        """Whether there is space for more."""
        row = self.saved + len(self.waiting)
        _write_at(self.file, value.data.cast("B"), self.start + row * self.row_bytes)
        self.waiting.append((key, zlib.crc32(value.data)))
        if len(self.waiting) * self.row_bytes >= SAVE_AFTER:
            self.save()
        return row + 1 < self.space

    def save(self) -> None:
        """Force the rows to the disk, and only then write their keys."""
        os.fsync(self.file.fileno())
        if not self.saved:
            _write_at(self.file, _HEAD.pack(_MAGIC, self.row_bytes, self.space), 0)
        entries = np.empty(len(self.waiting), _ENTRY)
        entries["key"] = [np.frombuffer(key, np.uint8) for key, _ in self.waiting]
        entries["checksum"] = [checksum for _, checksum in self.waiting]
        _write_at(self.file, entries.tobytes(), _HEAD.size + self.saved * _ENTRY.itemsize)
        self.saved += len(self.waiting)
        self.waiting.clear()

    def close(self) -> None:
        """Save what is whole; a file without rows goes."""
        with contextlib.suppress(OSError):
            if self.waiting:
                self.save()
        self.file.close()
        if not self.saved:
            self.path.unlink(missing_ok=True)


def _files(folder: Path | None) -> list[Path]:
    """The files of a store, the newest first: what was damaged before is whole there."""
    return [] if folder is None else sorted(folder.glob(f"*{SUFFIX}"), reverse=True)


def _start(space: int) -> int:
    """Where the rows begin: on a page, behind the keys."""
    return -(-(_HEAD.size + space * _ENTRY.itemsize) // mmap.PAGESIZE) * mmap.PAGESIZE


def _opened(path: Path, row_bytes: int) -> tuple[mmap.mmap, NDArray[Any], int] | None:
    """A file mapped into memory, the entries of its whole rows, and where the rows begin."""
    with contextlib.suppress(OSError, ValueError), path.open("rb") as file:
        # The lock lives as long as the map, which has a copy of the descriptor. Without it the file
        # can be read all the same: one that is being written has what its keys say.
        files.lock(file.fileno(), shared=True)
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if len(content) < _HEAD.size:
            return None
        magic, found, space = _HEAD.unpack_from(content)
        start = _start(space)
        if magic != _MAGIC or found != row_bytes or len(content) < start:
            return None
        entries = np.frombuffer(content, _ENTRY, space, _HEAD.size)
        entries = entries[: (len(content) - start) // row_bytes]
        written = int(entries["key"].any(axis=1).sum())
        return content, entries[:written], start
    return None


def _lookup(known: Keys, wanted: Keys) -> NDArray[np.int64]:
    """The row of each wanted key among the known ones, or -1."""
    first, asked = _first_bytes(known), _first_bytes(wanted)
    order = np.argsort(first, kind="stable")
    places = np.searchsorted(first, asked, sorter=order)
    rows = order[np.minimum(places, len(order) - 1)] if len(order) else np.zeros(len(asked), int)
    same = (known[rows] == wanted).all(axis=1) if len(order) else np.zeros(len(asked), bool)
    return np.where(same, rows, -1).astype(np.int64)


def _first_bytes(keys: Keys) -> NDArray[np.uint64]:
    """Eight bytes of each key: enough to find it by, as a digest has them at random."""
    return np.ascontiguousarray(keys[:, :8]).view(np.uint64)[:, 0]


def _write_at(file: FileIO, content: bytes | memoryview, offset: int) -> None:
    """All of it; a system may take less at once."""
    rest = memoryview(content)
    file.seek(offset)
    while rest:
        done = file.write(rest)
        rest = rest[done:]
        assert done is not None
