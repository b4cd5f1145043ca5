"""An ONNX file as data: nodes, arrays, what arrives and what comes out."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foveal.errors import ModelFileError
from foveal.importing.onnx.arrays import ENTRY, Array, array, shortened
from foveal.importing.onnx.wire import BrokenError, Field, Reader, octets, real, text, whole
from foveal.net.combinators import MOST_STEPS

LARGEST = 2**31 - 1
"""Bytes: protobuf counts the length of a message in 31 bits."""
OLDEST_OPSET = 7

Size = int | str
"""One axis of what arrives: a number, or the name of a size that is not fixed."""
Attribute = int | float | str | tuple[int, ...] | tuple[float, ...] | Array | None
"""What an option says; None if it is of a type that no layer needs, such as a graph."""

_MODEL: Mapping[int, Field] = {
    1: whole("ir_version"),
    2: text("producer_name"),
    3: text("producer_version"),
    7: octets("graph"),
    8: octets("opset_import", many=True),
    14: octets("metadata_props", many=True),
    25: octets("functions", many=True),
}
_OPSET: Mapping[int, Field] = {1: text("domain"), 2: whole("version")}
_GRAPH: Mapping[int, Field] = {
    1: octets("node", many=True),
    5: octets("initializer", many=True),
    11: octets("input", many=True),
    12: octets("output", many=True),
    15: octets("sparse_initializer", many=True),
}
_NODE: Mapping[int, Field] = {
    1: text("input", many=True),
    2: text("output", many=True),
    3: text("name"),
    4: text("op_type"),
    5: octets("attribute", many=True),
    7: text("domain"),
}
_ATTRIBUTE: Mapping[int, Field] = {
    1: text("name"),
    2: real("f"),
    3: whole("i"),
    4: octets("s"),
    5: octets("t"),
    7: real("floats", many=True),
    8: whole("ints", many=True),
    20: whole("type"),
}
_VALUE: Mapping[int, Field] = {1: text("name"), 2: octets("type")}
_TYPE: Mapping[int, Field] = {1: octets("tensor_type")}
_TENSOR_TYPE: Mapping[int, Field] = {1: whole("elem_type"), 2: octets("shape")}
_SHAPE: Mapping[int, Field] = {1: octets("dim", many=True)}
_DIMENSION: Mapping[int, Field] = {1: whole("dim_value"), 2: text("dim_param")}


@dataclass(frozen=True, eq=False)
class Node:
    """One operation."""

    name: str
    op: str
    inputs: tuple[str, ...]
    """Names of values; empty for one that is left out."""
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]

    def place(self) -> str:
        """Where an error is."""
        name = self.name or next(filter(None, self.outputs), "")
        if not self.op:
            return f"output '{shortened(name)}'"
        return f"node '{shortened(name)}' ({shortened(self.op)})"


@dataclass(frozen=True)
class Arriving:
    """An input of the graph."""

    name: str
    data_type: int
    """TensorProto.DataType."""
    shape: tuple[Size, ...]
    """The batch first."""


@dataclass(frozen=True, eq=False)
class File:
    """What an ONNX file says."""

    path: Path
    content: bytes
    opset: int
    producer: str
    metadata: Mapping[str, str]
    nodes: tuple[Node, ...]
    arrays: Mapping[str, Array]
    beside: tuple[str, ...]
    """Names of those arrays that lie in another file."""
    inputs: tuple[Arriving, ...]
    """Without those that only name an array."""
    outputs: tuple[str, ...]


def open_file(path: str | Path) -> File:
    """Read an ONNX file; nothing in it is run.

    Raises: ModelFileError if it is something else, damaged, or uses what is not read: operators
            of another domain, functions, sparse arrays, an operator set before 7
    """
    where = Path(path)
    status = where.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
        raise ModelFileError(f"is no file of at most {LARGEST:,} bytes", where=str(path))
    with where.open("rb") as file:
        content = file.read(status.st_size)
    try:
        return _file(where, content)
    except BrokenError as error:
        from foveal.model.foreign import recognise

        what, _ = recognise(content[:512])
        is_onnx = what == "an ONNX graph"
        raise ModelFileError(
            f"cannot be read: {error}" if is_onnx else f"is no ONNX file but {what}",
            where=str(path),
            fix="fetch or export the file once more"
            if is_onnx
            else "give a file that ends in .onnx",
        ) from error


def _file(path: Path, content: bytes) -> File:
    reader = Reader()
    model = reader.message(memoryview(content), _MODEL)
    if "graph" not in model:
        raise BrokenError("it has no graph")
    if model["functions"]:
        raise BrokenError("it defines functions, which are not read")
    graph = reader.message(model["graph"], _GRAPH)
    if graph["sparse_initializer"]:
        raise BrokenError("it has sparse arrays, which are not read")
    if len(graph["node"]) > MOST_STEPS:
        raise BrokenError(f"it has {len(graph['node']):,} nodes, more than {MOST_STEPS:,}")
    arrays = [array(reader, each, path.parent) for each in graph["initializer"]]
    inputs = [_arriving(reader, each) for each in graph["input"]]
    _refuse_twice("array", (name for name, _, _ in arrays))
    _refuse_twice("input", (each.name for each in inputs))
    given = {name: numbers for name, numbers, _ in arrays}
    return File(
        path,
        content,
        _opset(reader, model["opset_import"]),
        f"{model.get('producer_name', '')} {model.get('producer_version', '')}".strip(),
        _metadata(reader, model["metadata_props"]),
        tuple(_node(reader, each) for each in graph["node"]),
        given,
        tuple(name for name, _, outside in arrays if outside),
        tuple(each for each in inputs if each.name not in given),
        tuple(reader.message(each, _VALUE).get("name", "") for each in graph["output"]),
    )


def _opset(reader: Reader, entries: list[memoryview]) -> int:
    versions = [reader.message(entry, _OPSET) for entry in entries]
    ours = [
        each.get("version", 0) for each in versions if each.get("domain", "") in ("", "ai.onnx")
    ]
    if len(ours) != 1:
        raise BrokenError("it does not say its operator set once")
    if ours[0] < OLDEST_OPSET:
        raise BrokenError(
            f"its operator set is {ours[0]}, and those before {OLDEST_OPSET} are not read"
        )
    return int(ours[0])


def _metadata(reader: Reader, entries: list[memoryview]) -> dict[str, str]:
    pairs = [reader.message(entry, ENTRY) for entry in entries]
    _refuse_twice("metadata", (pair.get("key", "") for pair in pairs))
    return {pair.get("key", ""): pair.get("value", "") for pair in pairs}


def _node(reader: Reader, content: memoryview) -> Node:
    found = reader.message(content, _NODE)
    said = [_attribute(reader, each) for each in found["attribute"]]
    domain, op = found.get("domain", ""), found.get("op_type", "")
    node = Node(
        found.get("name", ""),
        op if domain in ("", "ai.onnx") else f"{domain}.{op}",
        tuple(found["input"]),
        tuple(found["output"]),
        dict(said),
    )
    if not node.outputs:
        raise BrokenError(f"{node.place()} makes nothing")
    _refuse_twice(f"{node.place()}: option", (name for name, _ in said))
    return node


def _attribute(reader: Reader, content: memoryview) -> tuple[str, Attribute]:
    found = reader.message(content, _ATTRIBUTE)
    kinds: dict[int, Callable[[], Attribute]] = {
        1: lambda: found.get("f", 0.0),
        2: lambda: found.get("i", 0),
        3: lambda: _word(found.get("s", memoryview(b""))),
        4: lambda: array(reader, found["t"], None)[1] if "t" in found else None,
        6: lambda: tuple(found["floats"]),
        7: lambda: tuple(found["ints"]),
    }
    read = kinds.get(found.get("type", 0))
    return found.get("name", ""), None if read is None else read()


def _word(raw: memoryview) -> str:
    return bytes(raw).decode("utf-8", errors="backslashreplace")


def _arriving(reader: Reader, content: memoryview) -> Arriving:
    value = reader.message(content, _VALUE)
    typed = reader.message(value.get("type", memoryview(b"")), _TYPE)
    tensor = reader.message(typed.get("tensor_type", memoryview(b"")), _TENSOR_TYPE)
    axes = reader.message(tensor.get("shape", memoryview(b"")), _SHAPE)["dim"]
    sizes = tuple(_size(reader.message(axis, _DIMENSION)) for axis in axes)
    return Arriving(value.get("name", ""), tensor.get("elem_type", 0), sizes)


def _size(axis: Mapping[str, Any]) -> Size:
    """A number below 1 is how some exporters say that a size is not fixed."""
    value = axis.get("dim_value", 0)
    return value if value > 0 else axis.get("dim_param", "") or "?"


def _refuse_twice(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise BrokenError(f"{what} '{shortened(name)}' is there twice")
        seen.add(name)
