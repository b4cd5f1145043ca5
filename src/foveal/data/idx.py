"""IDX files, the format of MNIST, plain or gzipped.

Layout (LeCun, Cortes, Burges): two zero bytes, the type (8: unsigned byte), the number of axes,
each axis' length as a big-endian 32-bit number, then the values.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO, cast

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
    images, labels = _pair(folder, "train")
    train = _content(images, labels)
    present = np.flatnonzero(np.bincount(train.labels))
    counts = {str(label): int((train.labels == label).sum()) for label in present}
    refuse_few_classes(str(labels), counts, *NOT_ENOUGH)
    classes = tuple(str(label) for label in range(int(present[-1]) + 1))
    stack = cast(Stack, train.store).array
    facts: list[bytes | NDArray[np.uint8] | NDArray[np.int64]] = [stack, train.labels]
    test = None
    if find(folder, "t10k", "images") or find(folder, "t10k", "labels"):
        pair = _pair(folder, "t10k")
        facts += [f"{path.name} {path.stat().st_size}".encode() for path in pair]

        def test() -> Content:
            return _test_content(*pair, stack.shape[1:3], len(classes))

    return assemble(
        folder.name,
        classes,
        (train, None, test),
        cut,
        channels=1,
        sizes=sizes_of(stack),
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


def _pair(folder: Path, part: str) -> tuple[Path, Path]:
    images, labels = find(folder, part, "images"), find(folder, part, "labels")
    if images is None or labels is None:
        missing = "images-idx3" if images is None else "labels-idx1"
        raise DataError(
            f"no file {part}-{missing}-ubyte or {part}-{missing}-ubyte.gz", where=str(folder)
        )
    return images, labels


def _content(images: Path, labels: Path) -> Content:
    pictures, answers = read(images, 3), read(labels, 1)
    if len(pictures) != len(answers) or not pictures.size:
        raise DataError(
            "pictures and labels do not fit together",
            where=str(images),
            arrives=f"{len(pictures):,} pictures of {pictures.shape[1]}x{pictures.shape[2]}, "
            f"{len(answers):,} labels",
            expected="as many pictures as labels",
        )
    names = tuple(map(str, range(len(answers))))
    return Content(names, answers.astype(np.int64), Stack(pictures[:, :, :, None]))


def _test_content(images: Path, labels: Path, size: tuple[int, ...], num_classes: int) -> Content:
    content = _content(images, labels)
    shape = cast(Stack, content.store).array.shape[1:3]
    if shape != size:
        raise DataError(
            "test pictures have another size than training pictures",
            where=str(images),
            arrives="x".join(map(str, shape)),
            expected="x".join(map(str, size)),
        )
    if (largest := int(content.labels.max())) >= num_classes:
        raise DataError(f"the label {largest} has no training picture", where=str(labels))
    return content
