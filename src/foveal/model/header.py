"""The header of a model file: what it must say, and that no statement in it contradicts another."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foveal.errors import ModelFileError
from foveal.model import strict_json

LARGEST_HEADER = 8 * 2**20
LARGEST_TENSOR_COUNT = 100_000
LARGEST_RANK = 8

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "|u1"}
"""Name in the file, and the same in NumPy's code; the last digit is the size in bytes."""

NO_DIGEST = "0" * 64
DAMAGED = "fetch or make the file once more"
_METADATA = {"data_digest", "digest", "foveal"}


@dataclass(frozen=True)
class TensorEntry:
    """One tensor of a file: the type of its numbers, its shape, its bytes after the header."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Header:
    """What a model file says before its tensors are read."""

    document: dict[str, object]
    tensors: dict[str, TensorEntry]
    data_start: int
    digest: str
    data_digest: str


def check_length(length: int, where: str) -> None:
    """Refuse a header that is too long before anything is read or parsed."""
    if length > LARGEST_HEADER:
        raise ModelFileError(
            "its header is too long",
            where=where,
            arrives=f"{length:,} bytes",
            expected=f"at most {LARGEST_HEADER:,} bytes",
        )


def understand(text: bytes, data_size: int, where: str) -> Header:
    """What a header says, with `data_size` bytes after it, once all of it has been checked.

    Raises: ModelFileError that names the first statement which cannot be
    """
    content = parse(text, "header", where)
    metadata = _metadata(content.pop("__metadata__", None), where)
    digest = metadata["digest"]
    undigested = text.replace(digest.encode(), NO_DIGEST.encode(), 1)
    if hashlib.sha256(undigested).hexdigest() != digest:
        raise ModelFileError(
            "is damaged, or another program rewrote it: its header does not match its digest",
            where=where,
            fix=DAMAGED,
        )
    tensors = layout(content, data_size, where)
    document = metadata["foveal"].encode("utf-8", "surrogatepass")
    return Header(
        document=parse(document, "document", where),
        tensors=tensors,
        data_start=8 + len(text),
        digest=digest,
        data_digest=metadata["data_digest"],
    )


def layout(
    content: Mapping[str, object],
    data_size: int,
    where: str,
    dtypes: Mapping[str, str] = DTYPES,
) -> dict[str, TensorEntry]:
    """Where each tensor lies, once every byte after the header belongs to exactly one.

    Raises: ModelFileError that names the first statement which cannot be
    """
    if len(content) > LARGEST_TENSOR_COUNT:
        raise ModelFileError(
            "has too many tensors",
            where=where,
            arrives=f"{len(content):,}",
            expected=f"at most {LARGEST_TENSOR_COUNT:,}",
        )
    tensors = {name: _entry(name, value, where, dtypes) for name, value in content.items()}
    _check_layout(tensors, data_size, where)
    return tensors


def cut(value: object) -> str:
    """A value as it may stand in a sentence: printable, and not longer than a line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def parse(text: bytes, part: str, where: str) -> dict[str, object]:
    """A JSON object of a file; ModelFileError if the text is none, or ambiguous."""
    try:
        value = strict_json.parse(text)
    except ValueError as error:
        problem = f"its {part} is no strict JSON"
        raise ModelFileError(problem, where=where, arrives=str(error), fix=DAMAGED) from error
    if not isinstance(value, dict):
        raise ModelFileError(f"its {part} is no JSON object", where=where, arrives=cut(value))
    return value


def _metadata(value: object, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or "foveal" not in value:
        raise ModelFileError(
            "is a safetensors file, but no Foveal model: it holds weights and no net",
            where=where,
            fix="give a file that foveal saved",
        )
    if set(value) != _METADATA or not all(isinstance(text, str) for text in value.values()):
        raise ModelFileError(
            "its metadata is not that of a Foveal model",
            where=where,
            arrives=cut(sorted(value)),
            expected=", ".join(sorted(_METADATA)) + ", each a text",
        )
    for key in ("data_digest", "digest"):
        if not re.fullmatch("[0-9a-f]{64}", value[key]):
            raise ModelFileError(
                f"its {key} is no SHA-256",
                where=where,
                arrives=cut(value[key]),
                expected="64 hexadecimal digits",
            )
    return value


def _entry(name: str, value: object, where: str, dtypes: Mapping[str, str]) -> TensorEntry:
    def refusal(problem: str, arrives: object, expected: str) -> ModelFileError:
        problem = f"tensor {cut(name)} {problem}"
        return ModelFileError(problem, where=where, arrives=cut(arrives), expected=expected)

    if not name.isprintable():
        raise refusal("has a name that cannot be printed", name, "letters, digits and signs")
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise refusal("is described in other words", value, "dtype, shape, data_offsets")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in dtypes:
        raise refusal("has an unknown type of numbers", dtype, "one of " + ", ".join(dtypes))
    if not _are_counts(shape) or len(shape) > LARGEST_RANK:
        raise refusal("has no possible shape", shape, f"up to {LARGEST_RANK} whole numbers from 0")
    if not _are_counts(offsets) or len(offsets) != 2:
        raise refusal(
            "has no possible place", offsets, "its first byte, and the one after its last"
        )
    item_size = int(dtypes[dtype][-1])
    # An axis without entries makes the product zero, but NumPy refuses what the others claim.
    if math.prod(max(axis, 1) for axis in shape) * item_size >= 2**63:
        raise refusal("is larger than any memory", shape, "less than 2**63 bytes")
    size = math.prod(shape) * item_size
    if offsets[1] - offsets[0] != size:
        raise refusal("has other bytes than its shape needs", offsets, f"{size:,} bytes")
    return TensorEntry(dtype, tuple(shape), offsets[0], offsets[1])


def _are_counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(number) is int and number >= 0 for number in value)


def _check_layout(tensors: Mapping[str, TensorEntry], data_size: int, where: str) -> None:
    """Every byte after the header belongs to exactly one tensor."""
    position = 0
    for name, entry in sorted(tensors.items(), key=lambda item: (item[1].start, item[1].end)):
        if entry.start != position:
            fault = "overlaps the one" if entry.start < position else "leaves a hole"
            raise ModelFileError(
                f"tensor {cut(name)} {fault} before it",
                where=where,
                arrives=f"byte {entry.start:,}",
                expected=f"byte {position:,}",
            )
        position = entry.end
    if position != data_size:
        raise ModelFileError(
            "is cut" if data_size < position else "goes on after its last tensor",
            where=where,
            arrives=f"{data_size:,} bytes after the header",
            expected=f"{position:,} bytes",
            fix=DAMAGED,
        )
