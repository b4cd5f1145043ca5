"""NumPy's .npz: pictures and labels as arrays."""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from foveal.data.colours import BACKGROUND, Pixels, scale_depth, scale_unstated
from foveal.data.dataset import (
    Cut,
    Dataset,
    Sizes,
    assemble,
    fingerprint,
    refuse_few_classes,
)
from foveal.data.names import printable
from foveal.data.samples import Content, Stack
from foveal.errors import DataError, MachineError

KEYS = {
    "train": (
        ("x", "images", "data", "x_train", "train_images"),
        ("y", "labels", "y_train", "train_labels"),
    ),
    "validation": (("x_val", "val_images"), ("y_val", "val_labels")),
    "test": (("x_test", "test_images"), ("y_test", "test_labels")),
}
"""Names of the arrays with pictures and with labels; those with _images are MedMNIST's."""

NOT_ENOUGH = ("at least two different labels", "give the pictures at least two different labels")
MAPPED = 2**26
"""Bytes from which an array that is not compressed is left on the disk."""
_BLOCK = 2**24
_NAME_LENGTH = 26  # where a member's header says it, with that of its extra field (APPNOTE 4.3.7)
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_EXPECTED = "arrays x and y, or x_train, y_train, x_test and y_test"
# AttributeError and TypeError: a single array (.npy) or nothing is no collection of them.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    EOFError,
    KeyError,
    AttributeError,
    TypeError,
)
_LAYOUTS = "N,H,W or N,H,W,C or N,C,H,W with C = 1, 3 or 4"


def sizes_of(shape: tuple[int, ...]) -> Sizes:
    """The sizes of pictures that are all equally large, (N, H, W, …)."""
    return Sizes((shape[1],) * 3, (shape[2],) * 3, shape[0])


def open_file(path: Path, cut: Cut) -> Dataset:
    """Read pictures and labels from an .npz file.

    Pictures are N,H,W, N,H,W,C or N,C,H,W. uint8 is taken as it is, uint16 by its depth, true
    and false as white and black; other numbers state no range and are scaled as one
    (see `foveal.data.colours`), the test part like the training part. Labels are numbers or text.

    Raises: DataError if arrays are missing or do not fit; pickled objects are never loaded
    """
    arrays = _load(path)
    train = _part(path, arrays, "train")
    if train is None:
        raise DataError("no pictures", where=str(path), arrives=_listed(arrays), expected=_EXPECTED)
    values, counts = np.unique(train.labels, return_counts=True)
    classes = tuple(printable(str(value)) for value in values)
    refuse_few_classes(str(path), dict(zip(classes, counts.tolist(), strict=True)), *NOT_ENOUGH)
    extremes = _extremes(train.pictures)

    def content(part: str, raw: _Raw) -> Content:
        array = _opaque(_scaled(raw.pictures, extremes))
        labels = _places(path, part, raw.labels, values)
        return Content(tuple(map(str, range(len(labels)))), labels, Stack(array))

    first = content("train", train)
    validation, test = (
        None if (raw := _part(path, arrays, part)) is None else content(part, raw)
        for part in ("validation", "test")
    )
    stacks = [
        np.asarray(cast(Stack, part.store).array) for part in (first, validation, test) if part
    ]
    _refuse_other_channels(path, stacks)
    labels = [part.labels for part in (first, validation, test) if part]
    return assemble(
        path.stem,
        classes,
        (first, validation, test),
        cut,
        channels=stacks[0].shape[3],
        sizes=sizes_of(stacks[0].shape),
        fingerprint=fingerprint([",".join(classes).encode(), *stacks, *labels]),
    )


def _refuse_other_channels(path: Path, stacks: list[Pixels]) -> None:
    channels = sorted({stack.shape[3] for stack in stacks})
    if len(channels) > 1:
        raise DataError(
            "the parts differ in colour",
            where=str(path),
            arrives="pictures with 1 and with 3 channels",
            expected="all grey or all in colour",
        )


@dataclass(frozen=True, eq=False)
class _Raw:
    """Pictures, channels last, and labels as they stand in the file."""

    pictures: NDArray[Any]
    labels: NDArray[Any]


def _extremes(pictures: NDArray[Any]) -> tuple[float, float] | None:
    """Smallest and largest value, where the type does not state the range."""
    if pictures.dtype in (np.bool_, np.uint8, np.uint16):
        return None
    return float(pictures.min()), float(pictures.max())


def _scaled(pictures: NDArray[Any], extremes: tuple[float, float] | None) -> Pixels:
    if pictures.dtype == np.uint8:
        return pictures
    if pictures.dtype == np.bool_:
        return pictures.astype(np.uint8) * np.uint8(255)
    if pictures.dtype == np.uint16:
        return scale_depth(pictures, 65535)
    return scale_unstated(pictures, extremes)


def _load(path: Path) -> dict[str, NDArray[Any]]:
    try:
        mapped = _mapped(path)
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {key.lower(): mapped[key] if key in mapped else file[key] for key in file.files}
    except _BROKEN as error:
        raise DataError(
            "not an .npz file of plain arrays",
            where=str(path),
            arrives=str(error),
            expected=_EXPECTED,
        ) from error
    except MemoryError as error:
        raise MachineError("the arrays do not fit into memory", where=str(path)) from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path)) from error


def _mapped(path: Path) -> dict[str, NDArray[Any]]:
    """The large arrays that lie in a file uncompressed, as they lie there.

    They are not read into memory, but for their checksums, some at a time.
    """
    found: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(path) as packed, path.open("rb") as file:
        for member in packed.infolist():
            plain = member.compress_type == zipfile.ZIP_STORED and not member.flag_bits & 1
            if not plain or member.file_size < MAPPED or not member.filename.endswith(".npy"):
                continue
            file.seek(member.header_offset + _NAME_LENGTH)
            name, extra = struct.unpack("<HH", file.read(4))
            start = member.header_offset + _NAME_LENGTH + 4 + name + extra
            content = np.memmap(path, np.uint8, "r", start, (member.file_size,))
            checksum = 0
            for begin in range(0, len(content), _BLOCK):
                checksum = zlib.crc32(content[begin : begin + _BLOCK].data, checksum)
            if checksum != member.CRC:
                raise zipfile.BadZipFile(f"Bad CRC-32 for file {member.filename!r}")
            file.seek(start)
            read_header = _HEADERS[np.lib.format.read_magic(file)]
            shape, in_columns, dtype = read_header(file)
            if dtype.hasobject:
                continue  # pickled: refused by whoever loads it
            order: Literal["F", "C"] = "F" if in_columns else "C"
            array = np.memmap(path, dtype, "r", file.tell(), shape, order)
            found[member.filename.removesuffix(".npy")] = np.asarray(array)
    return found


def _part(path: Path, arrays: dict[str, NDArray[Any]], part: str) -> _Raw | None:
    pictures = next((arrays[key] for key in KEYS[part][0] if key in arrays), None)
    labels = next((arrays[key] for key in KEYS[part][1] if key in arrays), None)
    if pictures is None and labels is None:
        return None
    if pictures is None or labels is None:
        missing = "pictures" if pictures is None else "labels"
        raise DataError(
            f"no {missing} for the {part} part",
            where=str(path),
            arrives=_listed(arrays),
            expected=_EXPECTED,
        )
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iubU" or len(labels) != len(pictures):
        raise DataError(
            f"labels of the {part} part do not fit",
            where=str(path),
            arrives=f"{_shape(labels)} {labels.dtype} for {len(pictures):,} pictures",
            expected="one whole number or text per picture",
        )
    if pictures.dtype.kind == "f" and not np.isfinite(pictures).all():
        raise DataError(
            f"pictures of the {part} part hold NaN or infinity", where=str(path), fix="replace them"
        )
    return _Raw(_channels_last(path, part, pictures), labels)


def _places(path: Path, part: str, labels: NDArray[Any], values: NDArray[Any]) -> NDArray[np.int64]:
    unknown = np.setdiff1d(labels, values)
    if unknown.size:
        raise DataError(
            f"the label {printable(str(unknown[0]))} of the {part} part has no training picture",
            where=str(path),
        )
    return np.searchsorted(values, labels).astype(np.int64)


def _channels_last(path: Path, part: str, pictures: NDArray[Any]) -> NDArray[Any]:
    if pictures.dtype.kind in "buif" and pictures.size:
        if pictures.ndim == 3:
            return pictures[..., None]
        if pictures.ndim == 4 and pictures.shape[3] in (1, 3, 4):
            return pictures
        if pictures.ndim == 4 and pictures.shape[1] in (1, 3, 4):
            return pictures.transpose(0, 2, 3, 1)
    raise DataError(
        f"pictures of the {part} part have no known layout",
        where=str(path),
        arrives=f"{_shape(pictures)} {pictures.dtype}",
        expected=f"numbers as {_LAYOUTS}",
    )


def _opaque(array: Pixels) -> Pixels:
    if array.shape[3] != 4:
        return array
    alpha = array[..., 3:].astype(np.uint16)
    seen = array[..., :3] * alpha + np.array(BACKGROUND, np.uint16) * (255 - alpha)
    return ((seen + 127) // 255).astype(np.uint8)


def _listed(arrays: dict[str, NDArray[Any]]) -> str:
    return (
        ", ".join(f"{printable(key)} {_shape(array)}" for key, array in arrays.items()) or "nothing"
    )


def _shape(array: NDArray[Any]) -> str:
    return "x".join(map(str, array.shape)) or "one value"
