"""Models to files and back: everything is checked against the net before memory is taken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from foveal.errors import ModelFileError, SpecError
from foveal.model import container
from foveal.model.container import Header
from foveal.model.model import Model
from foveal.net import Net
from foveal.net.kind import Shape, shape_text
from foveal.net.notation import parse
from foveal.tasks import TASKS

FORMAT = 1
_KEYS = {"format", "net", "input", "task", "classes", "about"}


def save(model: Model, path: str | Path) -> str:
    """Write a model as one safetensors file, and return its digest.

    The net is stored as notation in which every step that owns weights is named. The file is
    written wholly or not at all; the same model always gives the same bytes.

    Raises: MachineError if the disk refuses; the old file is then as it was
    """
    document = {
        "format": FORMAT,
        "net": model.net.with_names().write(),
        "input": list(model.input),
        "task": model.task,
        "classes": list(model.classes),
        "about": dict(model.about),
    }
    return container.write(Path(path), document, model.weights)


def load(path: str | Path) -> Model:
    """Read a model file that `save` wrote. Nothing in a file is ever executed.

    Raises: ModelFileError if the file is something else, damaged, or does not fit its own net
    """
    where = Path(path)
    header = container.read_header(where)
    document = checked(header.document, where)
    net, input = described(document, where)
    _check_tensors(net, input, header, where)
    return Model(
        net=net,
        input=input,
        weights=container.read_tensors(where, header),
        classes=tuple(document["classes"]),
        task=document["task"],
        about=document["about"],
    )


def described(document: Mapping[str, Any], where: Path) -> tuple[Net, Shape]:
    """The net and the input shape that a file's document describes."""
    try:
        return parse(document["net"]), tuple(document["input"])
    except SpecError as error:
        raise ModelFileError(
            "holds a net that cannot be read", where=str(where), arrives=str(error)
        ) from error


def checked(document: Mapping[str, Any], where: Path) -> Mapping[str, Any]:
    """A document with exactly the known keys, each of its type."""
    if document.get("format") != FORMAT:
        raise ModelFileError(
            "was written in a format this version does not read",
            where=str(where),
            arrives=f"format {document.get('format')!r}",
            expected=f"format {FORMAT}",
            fix="pip install --upgrade foveal",
        )
    if set(document) != _KEYS:
        odd = sorted(set(document) ^ _KEYS)
        raise ModelFileError(f"has an unknown or missing entry {odd[0]!r}", where=str(where))
    plain = (
        isinstance(document["net"], str)
        and _is_list(document["input"], int)
        and document["task"] in TASKS
        and _is_list(document["classes"], str)
        and isinstance(document["about"], dict)
    )
    if not plain:
        raise ModelFileError("has an entry of the wrong type", where=str(where))
    return document


def _is_list(value: object, kind: type) -> bool:
    return isinstance(value, list) and bool(value) and all(type(part) is kind for part in value)


def _check_tensors(net: Net, input: Shape, header: Header, where: Path) -> None:
    """The tensors of the file are exactly those that the net needs."""
    try:
        needed = net.bind(input).tensors()
    except SpecError as error:
        raise ModelFileError(
            "holds a net that does not fit its input", where=str(where), arrives=str(error)
        ) from error
    for path in [*needed, *header.tensors]:
        if path not in header.tensors or path not in needed:
            which = "lacks the tensor" if path in needed else "has a tensor its net does not need:"
            raise ModelFileError(f"{which} {path!r}", where=str(where))
        entry, tensor = header.tensors[path], needed[path]
        if entry.shape != tensor.shape or entry.dtype != "F32":
            raise ModelFileError(
                f"tensor {path!r} does not fit the net",
                where=str(where),
                arrives=f"{entry.dtype} {shape_text(entry.shape)}",
                expected=f"F32 {shape_text(tensor.shape)}",
            )
