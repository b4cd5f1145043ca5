"""The document in a model file: what it must say, read without NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from foveal.errors import ModelFileError, SpecError
from foveal.net import Net
from foveal.net.kind import Shape
from foveal.net.notation import parse
from foveal.tasks import TASKS

FORMAT = 1
_KEYS = {"format", "net", "input", "task", "classes", "about"}
_OPTIONAL = {"views"}


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
    if type(document.get("format")) is not int or document["format"] != FORMAT:
        raise ModelFileError(
            "was written in a format this version does not read",
            where=str(where),
            arrives=f"format {document.get('format')!r}",
            expected=f"format {FORMAT}",
            fix="pip install --upgrade foveal",
        )
    odd = sorted((set(document) - _OPTIONAL) ^ _KEYS)
    if odd:
        raise ModelFileError(f"has an unknown or missing entry {odd[0]!r}", where=str(where))
    plain = (
        isinstance(document["net"], str)
        and _is_list(document["input"], int)
        and isinstance(document["task"], str)
        and _is_list(document["classes"], str)
        and isinstance(document["about"], dict)
        and isinstance(document.get("views", ""), str)
    )
    if not plain:
        raise ModelFileError("has an entry of the wrong type", where=str(where))
    if document["task"] not in TASKS:
        raise ModelFileError(
            f"is for a task this version does not know: {document['task']!r}",
            where=str(where),
            fix="pip install --upgrade foveal",
        )
    return document


def _is_list(value: object, kind: type) -> bool:
    return isinstance(value, list) and bool(value) and all(type(part) is kind for part in value)
