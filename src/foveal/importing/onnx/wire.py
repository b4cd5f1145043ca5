"""Protobuf, read strictly: fields of a message by a table, within bounds that are checked.

A message is a row of fields, each a key (number and wire type) and a value
(protobuf.dev/programming-guides/encoding). Large values are not copied: they are views of the
bytes that were given. What a table does not name is stepped over, as protobuf demands.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MOST_FIELDS = 1_000_000
"""Of a whole file: a net of 100,000 nodes has as many, and they are read within seconds."""
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_LONGEST_VARINT = 10  # bytes that hold 64 bits, seven to a byte

Raw = int | memoryview
"""What stands in a field: a number, or the bytes of it."""


class BrokenError(ValueError):
    """What arrives is no message, or not a whole one; its text goes into a sentence."""


@dataclass(frozen=True)
class Field:
    """What a table knows of a field: its name, its wire type, and what its bytes mean."""

    name: str
    wire_type: int
    read: Callable[[Any], Any]
    many: bool = False
    """A list, whose numbers may also stand packed one behind the other."""


class Reader:
    """Reads the messages of one file and counts what it reads."""

    def __init__(self, most: int = MOST_FIELDS) -> None:
        self._most = self._left = most

    def message(self, content: memoryview, table: Mapping[int, Field]) -> dict[str, Any]:
        """The fields of a message by name: lists are there even if empty, others if they are given.

        Raises: BrokenError if a length goes beyond the end, a type is not that of the table, or
                what can be there once is there twice
        """
        found: dict[str, Any] = {field.name: [] for field in table.values() if field.many}
        for number, wire_type, raw in self._fields(content):
            field = table.get(number)
            if field is None:
                continue
            if field.many and wire_type == _LENGTH != field.wire_type:
                found[field.name] += self._packed(raw, field)
            elif wire_type != field.wire_type:
                raise BrokenError(f"{field.name} is of wire type {wire_type}")
            elif field.many:
                found[field.name].append(field.read(raw))
            elif field.name in found:
                raise BrokenError(f"{field.name} is there twice")
            else:
                found[field.name] = field.read(raw)
        return found

    def _fields(self, content: memoryview) -> Iterator[tuple[int, int, Any]]:
        """Number, wire type and raw value of each field."""
        at = 0
        while at < len(content):
            self._count(1)
            key, at = _varint(content, at)
            number, wire_type = key >> 3, key & 7
            if number == 0:
                raise BrokenError("a field has the number 0")
            if wire_type == _VARINT:
                raw, at = _varint(content, at)
                yield number, wire_type, raw
                continue
            if wire_type == _LENGTH:
                size, at = _varint(content, at)
            elif wire_type in (_EIGHT_BYTES, _FOUR_BYTES):
                size = 8 if wire_type == _EIGHT_BYTES else 4
            else:
                raise BrokenError(f"a field is of wire type {wire_type}")
            if size > len(content) - at:
                raise BrokenError(f"a length of {size:,} goes beyond the end")
            yield number, wire_type, content[at : at + size]
            at += size

    def _packed(self, content: memoryview, field: Field) -> list[Any]:
        if field.wire_type == _FOUR_BYTES:
            if len(content) % 4:
                raise BrokenError(f"{field.name} is cut within a number")
            self._count(len(content) // 4)
            return [number for (number,) in struct.iter_unpack("<f", content)]
        made, at = [], 0
        while at < len(content):
            self._count(1)
            number, at = _varint(content, at)
            made.append(field.read(number))
        return made

    def _count(self, more: int) -> None:
        self._left -= more
        if self._left < 0:
            raise BrokenError(f"it has more than {self._most:,} fields")


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    """Seven bits to a byte, the lowest first; and where it ends."""
    value = 0
    for shift in range(_LONGEST_VARINT):
        if at >= len(content):
            raise BrokenError("it ends within a number")
        byte = content[at]
        at += 1
        value |= (byte & 127) << 7 * shift
        if byte < 128:
            if value >= 1 << 64:
                break
            return value, at
    raise BrokenError("a number has more than 64 bits")


def _signed(raw: int) -> int:
    return raw - (1 << 64) if raw >> 63 else raw


def _text(raw: memoryview) -> str:
    try:
        return str(raw, "utf-8")
    except UnicodeDecodeError:
        raise BrokenError("a text is not in UTF-8") from None


def _real(raw: memoryview) -> float:
    number: float = struct.unpack("<f", raw)[0]
    return number


def _as_it_is(raw: memoryview) -> memoryview:
    return raw


def whole(name: str, *, many: bool = False) -> Field:
    """An int32, int64, enum or bool."""
    return Field(name, _VARINT, _signed, many)


def real(name: str, *, many: bool = False) -> Field:
    """A float of 32 bits."""
    return Field(name, _FOUR_BYTES, _real, many)


def text(name: str, *, many: bool = False) -> Field:
    return Field(name, _LENGTH, _text, many)


def octets(name: str, *, many: bool = False) -> Field:
    """Bytes, or a message that is read later."""
    return Field(name, _LENGTH, _as_it_is, many)
