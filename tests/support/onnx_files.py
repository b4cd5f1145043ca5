"""ONNX files as other programs write them, by the `onnx` package."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

Array = np.ndarray[Any, Any]
OPSET = 21
FLOAT = TensorProto.FLOAT


def numbers(*shape: int, seed: int = 0) -> Array:
    """Weights between -1 and 1."""
    return np.random.default_rng([seed, *shape]).uniform(-1, 1, shape).astype(np.float32)


def whole(*values: int) -> Array:
    return np.array(values, np.int64)


def model(
    nodes: Sequence[onnx.NodeProto],
    shape: Sequence[int | str],
    arrays: Mapping[str, Array] | None = None,
    *,
    opset: int = OPSET,
    batch: int | str = "N",
    outputs: Sequence[str] = ("y",),
    dtype: int = FLOAT,
) -> onnx.ModelProto:
    """A file whose input `x` is of this shape without the batch."""
    graph = helper.make_graph(
        list(nodes),
        "net",
        [helper.make_tensor_value_info("x", dtype, [batch, *shape])],
        [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in (arrays or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="tests")


def node(op: str, reads: str, makes: str = "y", **options: Any) -> onnx.NodeProto:
    """A node called by what it makes; names of values are parted by spaces, `-` is one left out."""
    inputs, outputs = ["" if name == "-" else name for name in reads.split()], makes.split()
    return helper.make_node(op, inputs, outputs, name=f"{op}_{outputs[0]}", **options)


def one(
    op: str, shape: Sequence[int], *arrays: Array | None, opset: int = OPSET, **options: Any
) -> onnx.ModelProto:
    """A file of one node that reads `x` and then arrays, of which some may be left out."""
    given = {f"a{place}": array for place, array in enumerate(arrays, 1) if array is not None}
    names = ["-" if array is None else f"a{place}" for place, array in enumerate(arrays, 1)]
    return model([node(op, " ".join(["x", *names]), **options)], shape, given, opset=opset)


def written(content: onnx.ModelProto | bytes, folder: Path) -> Path:
    path = folder / "net.onnx"
    data = content if isinstance(content, bytes) else content.SerializeToString()
    path.write_bytes(data)
    return path


def exported(
    net: torch.nn.Module,
    shape: Sequence[int],
    folder: Path,
    *,
    batch: int | None = None,
    outputs: Sequence[str] = ("y",),
    **options: Any,
) -> Path:
    """What PyTorch's exporter writes, for any batch unless one is given."""
    path = folder / "net.onnx"
    axes = {} if batch else {"dynamic_axes": {"x": {0: "N"}, "y": {0: "N"}}}
    names = {"input_names": ["x"], "output_names": list(outputs)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is a newer exporter, which needs onnxscript
        torch.onnx.export(
            net.eval(),
            (torch.zeros(batch or 2, *shape),),
            path,
            dynamo=False,
            **names,
            **axes,
            **options,
        )
    return path
