"""The part of protobuf that an ONNX file needs: fields, and the messages a graph is made of.

A protobuf message is a row of fields, each a key (number and wire type) and a value; numbers are
varints, seven bits to a byte, the lowest first (protobuf.dev/programming-guides/encoding). The
field numbers are those of onnx.proto of ONNX 1.13, which opset 18 and IR version 8 belong to.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np

OPSET = 18
"""The first operator set whose Resize can antialias; onnxruntime has it since 1.14."""
IR_VERSION = 8
LARGEST_MESSAGE = 2**31 - 1
"""Bytes: protobuf counts the length of a message in 31 bits."""

Size = int | str
"""One axis of a value: a number, or the name of a size that is known only at run time."""
Attribute = int | float | str | Sequence[int]
_Buffer = bytes | memoryview

_VARINT, _LENGTH, _FLOAT = 0, 2, 5
FLOAT, INT64 = 1, 7
"""TensorProto.DataType of float32 and int64."""
_DATA_TYPES = {np.dtype("f4"): FLOAT, np.dtype("u1"): 2, np.dtype("i8"): INT64}


class Message:
    """Fields in the order they were added. Arrays are not copied before `join`."""

    def __init__(self) -> None:
        self.parts: list[_Buffer] = []
        self.size = 0

    def number(self, field: int, value: int) -> Message:
        return self._add(_key(field, _VARINT) + varint(value))

    def real(self, field: int, value: float) -> Message:
        return self._add(_key(field, _FLOAT) + struct.pack("<f", value))

    def text(self, field: int, value: str) -> Message:
        return self.buffer(field, value.encode())

    def buffer(self, field: int, value: _Buffer) -> Message:
        self._add(_key(field, _LENGTH) + varint(len(value)))
        return self._add(value)

    def message(self, field: int, value: Message) -> Message:
        self._add(_key(field, _LENGTH) + varint(value.size))
        self.parts += value.parts
        self.size += value.size
        return self

    def join(self) -> bytes:
        return b"".join(self.parts)

    def _add(self, part: _Buffer) -> Message:
        self.parts.append(part)
        self.size += len(part)
        return self


def varint(value: int) -> bytes:
    """Seven bits to a byte, the lowest first; negative numbers as their 64-bit complement.

    >>> varint(300).hex()
    'ac02'
    """
    rest, made = value % 2**64, bytearray()
    while rest > 127:
        made.append(rest & 127 | 128)
        rest >>= 7
    made.append(rest)
    return bytes(made)


def _key(field: int, wire_type: int) -> bytes:
    return varint(field << 3 | wire_type)


def tensor(name: str, array: np.ndarray, *, outside: bool = False) -> Message:
    """TensorProto: an array with its name, as little-endian bytes, or `outside` of the message."""
    made = Message()
    for size in array.shape:
        made.number(1, size)
    made.number(2, _DATA_TYPES[array.dtype]).text(8, name)
    if outside:
        place = {"location": name, "offset": "0", "length": str(array.nbytes)}
        for key, value in place.items():
            made.message(13, _entry(key, value))
        return made.number(14, 1)
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return made.buffer(9, little.reshape(-1).view(np.uint8).data)


def node(
    name: str, op: str, inputs: Sequence[str], output: str, attributes: Mapping[str, Attribute]
) -> Message:
    """NodeProto: one operation, with one output."""
    made = Message()
    for value in inputs:
        made.text(1, value)
    made.text(2, output).text(3, name).text(4, op)
    for key in sorted(attributes):
        made.message(5, _attribute(key, attributes[key]))
    return made


def _attribute(name: str, value: Attribute) -> Message:
    """AttributeProto; the last field says which of the others holds the value."""
    made = Message().text(1, name)
    if isinstance(value, int):
        return made.number(3, value).number(20, 2)
    if isinstance(value, float):
        return made.real(2, value).number(20, 1)
    if isinstance(value, str):
        return made.text(4, value).number(20, 3)
    for part in value:
        made.number(8, part)
    return made.number(20, 7)


def value_info(name: str, dtype: type[np.generic], shape: Sequence[Size]) -> Message:
    """ValueInfoProto: the name, element type and shape of an input or output of the graph."""
    sizes = Message()
    for size in shape:
        axis = Message().text(2, size) if isinstance(size, str) else Message().number(1, size)
        sizes.message(1, axis)
    typed = Message().number(1, _DATA_TYPES[np.dtype(dtype)]).message(2, sizes)
    return Message().text(1, name).message(2, Message().message(1, typed))


def graph(
    nodes: Sequence[Message],
    tensors: Sequence[Message],
    inputs: Sequence[Message],
    outputs: Sequence[Message],
) -> Message:
    """GraphProto: nodes in the order they run, the arrays they use, what comes and what goes."""
    made = Message()
    for each in nodes:
        made.message(1, each)
    made.text(2, "foveal")
    for field, messages in ((5, tensors), (11, inputs), (12, outputs)):
        for each in messages:
            made.message(field, each)
    return made


def model(graph: Message, metadata: Mapping[str, str]) -> Message:
    """ModelProto: a graph with the versions it is written for; `metadata` in order of its keys."""
    made = Message().number(1, IR_VERSION).text(2, "foveal").message(7, graph)
    made.message(8, Message().text(1, "").number(2, OPSET))
    for key in sorted(metadata):
        made.message(14, _entry(key, metadata[key]))
    return made


def _entry(key: str, value: str) -> Message:
    """StringStringEntryProto."""
    return Message().text(1, key).text(2, value)
