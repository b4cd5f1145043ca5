"""IDX files, the format of MNIST, plain or gzipped.

Layout (LeCun, Cortes, Burges): two zero bytes, the type (8: unsigned byte), the number of axes,
each axis' length as a big-endian 32-bit number, then the values.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from foveal.data.arrays import NOT_ENOUGH, sizes_of
from foveal.data.dataset import Cut, Dataset, assemble, fingerprint, refuse_few_classes
from foveal.data.samples import Content, Stack
from foveal.errors import DataError

_UNSIGNED_BYTE = 8
_LARGEST_RATIO = 1032
"""No deflate stream unpacks to more than this many times its size (zlib's documentation)."""


def find(folder: Path, part: str, what: str) -> Path | None:
    """MNIST's file of a part ('train' or 't10k') with its 'images' or 'labels'."""
    axes = {"images": 3, "labels": 1}[what]
    for joint in ("-", "."):
        for end in ("", ".gz"):
            path = folder / f"{part}-{what}{joint}idx{axes}-ubyte{end}"
            if path.is_file():
                return path
    return None


def open_folder(folder: Path, cut: Cut) -> Dataset:
    """Read train-images and train-labels; t10k-* become the test part, opened only when asked.

    Raises: DataError if a file is damaged, missing, or the numbers do not fit
    """
    files = _pair(folder, "train")
    array, values = _read_pair(files)
    present, counts = np.unique(values, return_counts=True)
    classes = tuple(map(str, present))
    refuse_few_classes(
        str(files.labels), dict(zip(classes, counts.tolist(), strict=True)), *NOT_ENOUGH
    )
    facts: list[bytes | NDArray[np.uint8] | NDArray[np.int64]] = [array, values]
    test: Callable[[], Content] | None = None
    if find(folder, "t10k", "images") or find(folder, "t10k", "labels"):
        test_files = _pair(folder, "t10k")
        facts += [f"{path.name} {path.stat().st_size}".encode() for path in test_files]
        test = partial(_test_content, test_files, array.shape[1:], present)
    return assemble(
        folder.name,
        classes,
        (_content(array, values, present), None, test),
        cut,
        channels=1,
        sizes=sizes_of(array.shape),
        fingerprint=fingerprint(facts),
    )


def read(path: Path, axes: int) -> NDArray[np.uint8]:
    """The values of an IDX file of unsigned bytes with so many axes.

    Raises: DataError with the file: other magic number, cut off, longer than it says
    """
    packed = path.suffix == ".gz"
    try:
        size = path.stat().st_size
        with gzip.open(path) if packed else path.open("rb") as file:
            return _values(
                cast(IO[bytes], file), path, axes, size * (_LARGEST_RATIO if packed else 1)
            )
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError("the gzip file is damaged or cut off", where=str(path)) from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path)) from error


def _values(file: IO[bytes], path: Path, axes: int, at_most: int) -> NDArray[np.uint8]:
    where = str(path)
    start = file.read(4 + 4 * axes)
    if len(start) < 4 or start[:2] != b"\0\0":
        raise DataError("not an IDX file", where=where, arrives=f"first bytes {start[:4].hex(' ')}")
    if start[2] != _UNSIGNED_BYTE or start[3] != axes:
        raise DataError(
            "another kind of IDX file",
            where=where,
            arrives=f"type {start[2]}, {start[3]} axes",
            expected=f"type {_UNSIGNED_BYTE} (unsigned byte), {axes} axes",
        )
    if len(start) < 4 + 4 * axes:
        raise DataError("the file is cut off in its header", where=where)
    shape = struct.unpack(f">{axes}I", start[4:])
    count = math.prod(shape)
    stated = "x".join(map(str, shape))
    if count > at_most:
        raise DataError(
            "the file is cut off", where=where, expected=f"{stated} bytes after the header"
        )
    data = file.read(count + 1)
    if len(data) != count:
        problem = "the file is cut off" if len(data) < count else "bytes follow the last value"
        raise DataError(problem, where=where, expected=f"{stated} bytes after the header")
    return np.frombuffer(data, np.uint8).reshape(shape)


class _Pair(NamedTuple):
    images: Path
    labels: Path


def _pair(folder: Path, part: str) -> _Pair:
    images, labels = find(folder, part, "images"), find(folder, part, "labels")
    if images is None or labels is None:
        missing = f"{part}-images-idx3-ubyte" if images is None else f"{part}-labels-idx1-ubyte"
        raise DataError(f"no file {missing} or {missing}.gz", where=str(folder))
    return _Pair(images, labels)


def _read_pair(files: _Pair) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    images, labels = read(files.images, 3), read(files.labels, 1)
    if len(images) != len(labels) or not images.size:
        raise DataError(
            "pictures and labels do not fit together",
            where=str(files.images),
            arrives=f"{len(images):,} pictures of {_size(images)}, {len(labels):,} labels",
            expected="a label for each picture",
        )
    return images, labels


def _content(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], present: NDArray[np.uint8]
) -> Content:
    places = np.searchsorted(present, labels).astype(np.int64)
    return Content(tuple(map(str, range(len(labels)))), places, Stack(images[:, :, :, None]))


def _test_content(files: _Pair, size: tuple[int, ...], present: NDArray[np.uint8]) -> Content:
    images, labels = _read_pair(files)
    if images.shape[1:] != size:
        raise DataError(
            "test pictures have another size than training pictures",
            where=str(files.images),
            arrives=_size(images),
            expected="x".join(map(str, size)),
        )
    unknown = np.setdiff1d(labels, present)
    if unknown.size:
        raise DataError(f"the label {unknown[0]} has no training picture", where=str(files.labels))
    return _content(images, labels, present)


def _size(images: NDArray[np.uint8]) -> str:
    return "x".join(map(str, images.shape[1:]))
