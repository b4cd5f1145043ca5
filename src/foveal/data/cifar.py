"""CIFAR-10 and CIFAR-100 in their binary version.

Layout (Krizhevsky 2009, www.cs.toronto.edu/~kriz/cifar.html): records of a label (CIFAR-100: a
coarse and a fine one), then 32x32 levels of red, of green and of blue, each a byte.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foveal.data.arrays import NOT_ENOUGH, sizes_of
from foveal.data.dataset import Cut, Dataset, assemble, fingerprint, refuse_few_classes
from foveal.data.names import printable
from foveal.data.samples import Content, Stack
from foveal.data.spread import Spread
from foveal.errors import DataError

_CHANNELS, _SIDE = 3, 32
_BYTES = _CHANNELS * _SIDE * _SIDE


@dataclass(frozen=True)
class _Version:
    """What the files of one of the two are called, and how many labels a record has."""

    train: str
    test: str
    names: str
    labels: int
    """The last of them counts: CIFAR-100's fine one."""


_VERSIONS = (
    _Version("data_batch_*.bin", "test_batch.bin", "batches.meta.txt", 1),
    _Version("train.bin", "test.bin", "fine_label_names.txt", 2),
)
_PICKLED = ("data_batch_1", "batches.meta")
"""Files of the version for Python: opening one would run what is in it."""


def find(folder: Path) -> _Version | None:
    """Which of the two a folder holds, if any.

    Raises: DataError if it holds the version for Python
    """
    for version in _VERSIONS:
        beside = (folder / version.test, folder / version.names)
        if any(folder.glob(version.train)) and any(path.is_file() for path in beside):
            return version
    if all((folder / name).is_file() for name in _PICKLED):
        raise DataError(
            "CIFAR-10's version for Python, which is pickled: opening it could run a program",
            where=str(folder),
            fix="download its binary version: https://www.cs.toronto.edu/~kriz/cifar.html",
        )
    return None


def open_folder(folder: Path, version: _Version, cut: Cut) -> Dataset:
    """Map the files into memory; the test batch becomes the test part, opened only when asked.

    Raises: DataError if a file is damaged or missing, or names and labels do not fit
    """
    files = sorted(folder.glob(version.train))
    records = [_records(path, version) for path in files]
    names = _names(folder / version.names)
    labels = np.concatenate([_labels(part, version) for part in records])
    present, counts = np.unique(labels, return_counts=True)
    if names is not None and present[-1] >= len(names):
        raise DataError(
            f"no name for the label {present[-1]}",
            where=str(folder / version.names),
            arrives=f"{len(names)} names",
        )
    classes = tuple(str(label) if names is None else names[label] for label in present)
    found = dict(zip(classes, counts.tolist(), strict=True))
    refuse_few_classes(str(folder), found, *NOT_ENOUGH)
    facts: list[bytes | NDArray[np.uint8]] = ["\0".join(classes).encode(), *records]
    test: Callable[[], Content] | None = None
    test_file = folder / version.test
    if test_file.is_file():
        facts.append(f"{test_file.name} {test_file.stat().st_size}".encode())
        test = partial(_test_content, test_file, version, present)
    train = _content(records, labels, present)
    return assemble(
        folder.name,
        classes,
        (train, None, test),
        cut,
        channels=_CHANNELS,
        sizes=sizes_of((len(labels), _SIDE, _SIDE)),
        fingerprint=fingerprint(facts),
    )


def _records(path: Path, version: _Version) -> NDArray[np.uint8]:
    """The bytes of a file, a row for each picture, mapped into memory."""
    each = version.labels + _BYTES
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if size == 0 or size % each:
                raise DataError(
                    "the file is cut off" if size else "the file is empty",
                    where=str(path),
                    arrives=f"{size:,} bytes",
                    expected=f"{each:,} bytes for each picture",
                )
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path)) from error
    return np.frombuffer(content, np.uint8).reshape(-1, each)


def _labels(records: NDArray[np.uint8], version: _Version) -> NDArray[np.uint8]:
    return records[:, version.labels - 1].copy()


def _names(path: Path) -> tuple[str, ...] | None:
    """The names of the classes, a line for each; None without such a file."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path)) from error
    return tuple(printable(line.strip()) for line in lines if line.strip())


def _content(
    records: list[NDArray[np.uint8]], labels: NDArray[np.uint8], present: NDArray[np.uint8]
) -> Content:
    pictures = (
        part[:, -_BYTES:].reshape(-1, _CHANNELS, _SIDE, _SIDE).transpose(0, 2, 3, 1)
        for part in records
    )
    places = np.searchsorted(present, labels).astype(np.int64)
    return Content(tuple(map(str, range(len(labels)))), places, Stack(Spread.of(*pictures)))


def _test_content(path: Path, version: _Version, present: NDArray[np.uint8]) -> Content:
    records = _records(path, version)
    labels = _labels(records, version)
    unknown = np.setdiff1d(labels, present)
    if unknown.size:
        raise DataError(f"the label {unknown[0]} has no training picture", where=str(path))
    return _content([records], labels, present)
