"""Adaptive pooling in ONNX, which has no operator for it.

Where the sizes divide what arrives it is pooling as ever. Otherwise largest values are found by
laying what each output reads behind one another, the last position again where windows are
shorter; means by a product with a matrix for each axis.
"""

from __future__ import annotations

import numpy as np

from foveal.engines.portable.graph import Nodes, Row
from foveal.net.kind import Kind
from foveal.net.layers import AdaptiveAvgPool, AdaptiveMaxPool


def adaptive_max_pool(nodes: Nodes[AdaptiveMaxPool], x: str) -> str:
    widths = []
    for axis, (n, m) in enumerate(_axes(nodes), start=2):
        firsts, ends = _reads(n, m)
        width = int((ends - firsts).max())
        if n % m:
            places = np.minimum(firsts[:, None] + np.arange(width), ends[:, None] - 1)
            x = nodes.node("Gather", x, nodes.whole(*places.ravel().tolist()), axis=axis)
        widths.append(width)
    return nodes.node("MaxPool", x, kernel_shape=widths, strides=widths)


def adaptive_avg_pool(nodes: Nodes[AdaptiveAvgPool], x: str) -> str:
    axes = _axes(nodes)
    if all(n % m == 0 for n, m in axes):
        widths = [n // m for n, m in axes]
        return nodes.node("AveragePool", x, kernel_shape=widths, strides=widths)
    for axis, (n, m) in enumerate(axes, start=2):
        if n != m:
            x = _along(nodes, x, axis, _shares(n, m))
    return x


def _along(nodes: Nodes[AdaptiveAvgPool], x: str, axis: int, matrix: np.ndarray) -> str:
    """The product with a matrix (outputs, positions) along one axis, which stands last for it."""
    last = len(nodes.step.shape)
    order = [*(a for a in range(last + 1) if a != axis), axis]
    turned = x if axis == last else nodes.node("Transpose", x, perm=order)
    y = nodes.node("MatMul", turned, nodes.numbers(np.ascontiguousarray(matrix.T)))
    back = [order.index(a) for a in range(last + 1)]
    return y if axis == last else nodes.node("Transpose", y, perm=back)


def _axes(nodes: Nodes[AdaptiveMaxPool] | Nodes[AdaptiveAvgPool]) -> list[tuple[int, int]]:
    """How many positions arrive and leave along each axis."""
    return list(zip(nodes.step.ins[0][1:], nodes.step.shape[1:], strict=True))


def _reads(n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """The first position each output reads, and the one after the last."""
    o = np.arange(m)
    return o * n // m, -(-(o + 1) * n // m)


def _shares(n: int, m: int) -> np.ndarray:
    firsts, ends = (part[:, None] for part in _reads(n, m))
    i = np.arange(n)
    shares: np.ndarray = ((i >= firsts) & (i < ends)) / (ends - firsts)
    return shares.astype(np.float32)


ROWS: dict[type[Kind], Row] = {
    AdaptiveMaxPool: adaptive_max_pool,
    AdaptiveAvgPool: adaptive_avg_pool,
}
