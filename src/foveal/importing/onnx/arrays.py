"""The arrays of an ONNX file: weights and other given numbers, as NumPy has them."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from math import prod
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np

from foveal.data.names import printable
from foveal.importing.onnx.wire import BrokenError, Field, Reader, octets, text, whole

Array = np.ndarray[Any, np.dtype[Any]]

TENSOR: Mapping[int, Field] = {
    1: whole("dims", many=True),
    2: whole("data_type"),
    3: octets("segment"),
    4: octets("float_data", many=True),
    5: octets("int32_data", many=True),
    7: octets("int64_data", many=True),
    8: text("name"),
    9: octets("raw_data"),
    10: octets("double_data", many=True),
    11: octets("uint64_data", many=True),
    13: octets("external_data", many=True),
    14: whole("data_location"),
}
ENTRY: Mapping[int, Field] = {1: text("key"), 2: text("value")}
"""StringStringEntryProto."""
TYPES: Mapping[int, tuple[str, str]] = {
    1: ("<f4", "float_data"),
    2: ("u1", "int32_data"),
    3: ("i1", "int32_data"),
    4: ("<u2", "int32_data"),
    5: ("<i2", "int32_data"),
    6: ("<i4", "int32_data"),
    7: ("<i8", "int64_data"),
    9: ("?", "int32_data"),
    10: ("<f2", "int32_data"),
    11: ("<f8", "double_data"),
    12: ("<u4", "uint64_data"),
    13: ("<u8", "uint64_data"),
    16: ("<u2", "int32_data"),
}
"""TensorProto.DataType: as what the bytes are read, and where numbers stand if not as bytes."""
BFLOAT16 = 16
MOST_AXES = 8
_EXTERNAL = 1
_FLAT = {"float_data": "<f4", "double_data": "<f8"}
"""Fields whose packed numbers have a fixed size; all others are varints."""


def array(reader: Reader, content: memoryview, folder: Path | None) -> tuple[str, Array, bool]:
    """Name and numbers of a TensorProto, and whether they lie in another file.

    That file must lie in `folder`; without one there may be none. bfloat16 becomes float32.

    Raises: BrokenError if there are not as many bytes as the shape says, or of an unknown type
    """
    found = reader.message(content, TENSOR)
    name = found.get("name", "")
    try:
        return name, _numbers(reader, found, folder), found.get("data_location") == _EXTERNAL
    except BrokenError as error:
        raise BrokenError(f"the array '{shortened(name)}' {error}") from None


def shortened(name: str) -> str:
    """A name out of a file as it may stand in a sentence."""
    return printable(name if len(name) <= 80 else f"{name[:77]}…")


def _numbers(reader: Reader, found: dict[str, Any], folder: Path | None) -> Array:
    shape, number = tuple(found["dims"]), found.get("data_type", 0)
    if number not in TYPES:
        raise BrokenError(f"is of data type {number}, which is not read")
    if len(shape) > MOST_AXES or any(size < 0 for size in shape):
        raise BrokenError("has a shape that cannot be")
    if "segment" in found:
        raise BrokenError("is in segments, which are not read")
    kind, field = TYPES[number]
    dtype, count = np.dtype(kind), prod(shape)
    if found.get("data_location") == _EXTERNAL:
        data = _beside(reader, found["external_data"], dtype, count, folder)
    elif "raw_data" in found:
        data = _flat(found["raw_data"], dtype)
    else:
        data = _typed(found[field], field, dtype)
    if data.size != count:
        raise BrokenError(f"has {data.size:,} numbers for a shape of {count:,}")
    if number == BFLOAT16:
        data = (data.astype("<u4") << 16).view("<f4")
    return data.reshape(shape)


def _flat(raw: memoryview, dtype: np.dtype[Any]) -> Array:
    if len(raw) % dtype.itemsize:
        raise BrokenError("is cut within a number")
    return np.frombuffer(raw, dtype)


def _typed(parts: list[memoryview], field: str, dtype: np.dtype[Any]) -> Array:
    """Numbers that stand in a field for their type; of bfloat16 and float16 it holds the bits."""
    raw = b"".join(parts)
    if field in _FLAT:
        return _flat(memoryview(raw), np.dtype(_FLAT[field])).astype(dtype)
    numbers = _varints(raw)
    if dtype == np.float16:
        return numbers.astype("<u2").view("<f2")
    return numbers.astype(dtype)


def _varints(raw: bytes) -> Array:
    """Every number of a packed field at once, as the 64 bits that it is."""
    octet = np.frombuffer(raw, np.uint8)
    ends = np.flatnonzero(octet < 128)
    if octet.size and (not ends.size or ends[-1] != octet.size - 1):
        raise BrokenError("is cut within a number")
    starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64)[: ends.size]
    sizes = ends - starts + 1
    if sizes.size and sizes.max() > 10:
        raise BrokenError("has a number of more than 64 bits")
    made = np.zeros(ends.size, np.uint64)
    for place in range(int(sizes.max(initial=0))):
        there = place < sizes
        bits = octet[starts[there] + place].astype(np.uint64) & np.uint64(127)
        made[there] |= bits << np.uint64(7 * place)
    return made.view(np.int64)


def _beside(
    reader: Reader, entries: list[memoryview], dtype: np.dtype[Any], count: int, folder: Path | None
) -> Array:
    """Numbers in a file beside the model: under a plain name, within that file."""
    said = {pair.get("key"): pair.get("value", "") for pair in _pairs(reader, entries)}
    name, size = said.get("location", ""), count * dtype.itemsize
    plain = name == PurePosixPath(name).name == PureWindowsPath(name).name != ".."
    if folder is None or not plain or "\0" in name or not name:
        raise BrokenError(f"lies in '{shortened(name)}', which is not the name of a file beside it")
    offset, length = (
        _whole(said.get(key, other)) for key, other in (("offset", "0"), ("length", str(size)))
    )
    if length != size:
        raise BrokenError(f"has {length:,} bytes for a shape of {size:,}")
    try:
        # A link may lead anywhere, a pipe may never end.
        descriptor = os.open(
            folder / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        )
    except OSError as error:
        raise BrokenError(
            f"lies in '{shortened(name)}', which cannot be opened: {error.strerror}"
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or offset + size > status.st_size:
            raise BrokenError(f"goes beyond the end of '{shortened(name)}'")
        file.seek(offset)
        return _flat(memoryview(file.read(size)), dtype)


def _pairs(reader: Reader, entries: list[memoryview]) -> list[dict[str, Any]]:
    return [reader.message(entry, ENTRY) for entry in entries]


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise BrokenError(f"says where it lies with '{shortened(text)}'")
    return int(text)
