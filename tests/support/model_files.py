"""Model files that lie: their digests are right, whatever else they say."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from foveal.errors import ModelFileError
from foveal.model import container


def forge(tensors: object, *, data: bytes = b"", filled: int = 0, **metadata: object) -> bytes:
    """A file with these tensors (a dict, or the JSON of its inside); None leaves metadata out."""
    head = {"data_digest": data_digest(tensors, data), "digest": "0" * 64, "foveal": "{}"}
    head = {key: text for key, text in {**head, **metadata}.items() if text is not None}
    inside = tensors if isinstance(tensors, str) else json.dumps(tensors)[1:-1]
    header = f'{{"__metadata__": {json.dumps(head)}{", " if inside else ""}{inside}}}'.encode()
    header = header.ljust(filled)
    header = header.replace(b"0" * 64, hashlib.sha256(header).hexdigest().encode(), 1)
    return with_length(header) + data


def data_digest(tensors: object, data: bytes) -> str:
    """The digest of the digests of the tensors' bytes, where they say which those are."""
    told = tensors.values() if isinstance(tensors, dict) else ()
    offsets = [entry.get("data_offsets") for entry in told if isinstance(entry, dict)]
    spans = [o for o in offsets if isinstance(o, list) and [type(n) for n in o] == [int, int]]
    parts = [hashlib.sha256(data[start:end]).digest() for start, end in sorted(spans)]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def with_length(header: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header


def entry(start: int, end: int, dtype: str = "U8", shape: object = None) -> dict[str, object]:
    """What a header says of a tensor."""
    shape = [end - start] if shape is None else shape
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def refusal(folder: Path, content: bytes) -> str:
    """The sentence with which a file of this content is refused, without its path."""
    path = folder / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        container.read_tensors(path)
    return str(caught.value).removeprefix(f"{path}: ")
