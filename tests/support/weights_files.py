"""Files of weights as others save them, with any kind of number and any fault."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from support.model_files import entry, with_length

from foveal.net.kind import Shape
from foveal.zoo import ENTRIES
from foveal.zoo.naming import names_table

SMALL = "mobilenet_v2_035"
"""The zoo's smallest net with published weights."""
Stored = tuple[str, Shape, bytes]
"""Type of the numbers, shape and bytes of a tensor."""


def shapes_of(net: str, by: str) -> dict[str, Shape]:
    """What a publisher's file of a net of the zoo holds, with its counters of batches."""
    published = next(form for form in ENTRIES[net].published if form.by == by)
    found = {theirs: shape for _, theirs, shape in names_table(ENTRIES[net], published)}
    norms = [name for name in found if name.endswith("running_mean")]
    counters = {name.replace("running_mean", "num_batches_tracked"): () for name in norms}
    return {**found, **(counters if by != "keras" else {})}


def numbers(shapes: Mapping[str, Shape], seed: int = 0) -> dict[str, np.ndarray]:
    """Random float32 for each tensor, above zero; a whole number for each counter."""
    random = np.random.default_rng(seed)
    return {
        name: random.uniform(0.5, 1.5, shape).astype("f4") if shape else np.array(7, "i8")
        for name, shape in shapes.items()
    }


def stored(array: np.ndarray) -> Stored:
    """An array as a file holds it."""
    types = {"<f4": "F32", "<f2": "F16", "<f8": "F64", "<i8": "I64", "|i1": "I8"}
    return types[array.dtype.str], array.shape, array.tobytes()


def bfloat16(array: np.ndarray) -> Stored:
    """An array as a file holds it in bfloat16, cut off."""
    return "BF16", array.shape, (array.view("<u4") >> 16).astype("<u2").tobytes()


def content(tensors: Mapping[str, Stored | np.ndarray], metadata: object = None) -> bytes:
    """The bytes of a safetensors file."""
    header: dict[str, object] = {} if metadata is None else {"__metadata__": metadata}
    data = b""
    for name, value in tensors.items():
        dtype, shape, block = stored(value) if isinstance(value, np.ndarray) else value
        header[name] = entry(len(data), len(data) + len(block), dtype, list(shape))
        data += block
    return with_length(json.dumps(header).encode()) + data


def write(path: Path, tensors: Mapping[str, Stored | np.ndarray], metadata: object = None) -> Path:
    path.write_bytes(content(tensors, metadata))
    return path
