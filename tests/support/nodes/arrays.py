"""Importers of what multiplies matrices, joins values, or gives them other places."""

from __future__ import annotations

from functools import partial

import numpy as np
from support.nodes.cases import Array, Node
from support.nodes.saying import Importer, Said, around_axis, from_axis, rows, sizes, together


def gemm(node: Node) -> list[Said]:
    """alpha A B + beta C, where C is the same for every sample."""
    a = node.x.T if node.said.get("transA", 0) else node.x
    b = node.read(1) if node.said.get("transB", 0) else node.read(1).T
    weights = {"dense1.weight": b * node.said.get("alpha", 1.0)}
    if not node.has(2):
        return [Said(f"dense {len(b)} no bias", a, node.makes[0], weights)]
    bias = np.broadcast_to(node.read(2), (len(a), len(b)))
    assert (bias == bias[0]).all(), "one bias for all samples"
    weights["dense1.bias"] = bias[0] * node.said.get("beta", 1.0)
    return [Said(f"dense {len(b)}", a, node.makes[0], weights)]


def matmul(node: Node) -> list[Said]:
    """A dense layer where one factor serves all samples, else `combine`."""
    a, b, y = node.read(0), node.read(1), node.makes[0]
    if b.ndim == 1 or (a.ndim == b.ndim == 2):
        return [dense(a, b.T.reshape(-1, a.shape[-1]), y)]
    if a.ndim == 1:
        return [dense(np.moveaxis(b, -2, -1), a[None], y)]
    a, b = (np.broadcast_to(array, (*y.shape[:-2], *array.shape[-2:])) for array in (a, b))
    prototypes, coefficients = (from_axis(array, y.ndim - 2) for array in (b, a.swapaxes(-2, -1)))
    x, ways = together(prototypes, coefficients)
    return [Said(f"combine( {' | '.join(ways)} )", x, from_axis(y, y.ndim - 2))]


def dense(x: Array, weight: Array, y: Array) -> Said:
    """All rows of x as samples."""
    samples = x.reshape(-1, x.shape[-1])
    result = np.reshape(y, (len(samples), len(weight)))
    return Said(f"dense {len(weight)} no bias", samples, result, {"dense1.weight": weight})


def merge(node: Node, word: str) -> list[Said]:
    """Branches of equal shape; of a smaller one that gates, the missing axes are 1."""
    y = rows(node.makes[0])
    parts = [rows(np.asarray(part)) for part in node.reads]
    if word == "multiply":
        parts = [_gate(part, y) for part in map(np.asarray, node.reads)]
    x, ways = together(*parts)
    return [Said(f"{word}( {' | '.join(ways)} )", x, y)]


def _gate(part: Array, y: Array) -> Array:
    """With as many axes as y and its batch."""
    axes = part.reshape(*[1] * (y.ndim - part.ndim), *part.shape)
    return np.broadcast_to(axes, (len(y), *axes.shape[1:]))


def concat(node: Node) -> list[Said]:
    """Along any axis, as one along the channels."""
    axis = node.axis(0)
    x, ways = together(*(around_axis(part, axis) for part in node.reads))
    return [Said(f"concat( {' | '.join(ways)} )", x, around_axis(node.makes[0], axis))]


def flatten(node: Node) -> list[Said]:
    return [Said("flatten", from_axis(node.x, node.axis(1)), node.makes[0])]


def reshape(node: Node) -> list[Said]:
    """The batch stays if it can, else all is one sample."""
    x, y = node.x, node.makes[0]
    if len(x) != len(y) or x.ndim == 1 or y.ndim == 1:
        x, y = x[None], y[None]
    return [Said(f"reshape {sizes(y.shape[1:])}", x, y)]


def gather(node: Node) -> list[Said]:
    """Along any axis, as one along the channels."""
    axis, indices = node.axis(0), node.read(1)
    x = around_axis(node.x, axis)
    channels = np.mod(indices, x.shape[1]).reshape(-1)
    y = node.makes[0].reshape(len(x), len(channels), *x.shape[2:])
    return [Said(f"take {','.join(map(str, channels))}", x, y)]


ARRAYS: dict[str, Importer] = {
    "Gemm": gemm,
    "MatMul": matmul,
    "Add": partial(merge, word="add"),
    "Sum": partial(merge, word="add"),
    "Mul": partial(merge, word="multiply"),
    "Concat": concat,
    "Flatten": flatten,
    "Reshape": reshape,
    "Squeeze": reshape,
    "Unsqueeze": reshape,
    "Gather": gather,
}
