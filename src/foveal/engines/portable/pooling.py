"""Pooling in ONNX.

The windows that `ceil` adds are written as padding: runtimes differ in what they make of
`ceil_mode`, and in what they then count.
"""

from __future__ import annotations

import math
from math import prod
from typing import Any

import numpy as np

from foveal.engines.portable.graph import Nodes, Row
from foveal.engines.portable.padding import onnx_pads, padded
from foveal.net.kind import Kind, Pads
from foveal.net.layers import AvgPool, LpPool, MaxPool, MinPool, StochasticPool, SumPool
from foveal.net.layers.window import Window

Windows = tuple[Window, ...]


def max_pool(nodes: Nodes[MaxPool], x: str) -> str:
    return largest(nodes, x, nodes.kind.windows(nodes.step.ins))


def min_pool(nodes: Nodes[MinPool], x: str) -> str:
    windows = nodes.kind.windows(nodes.step.ins)
    return nodes.node("Neg", largest(nodes, nodes.node("Neg", x), windows))


def avg_pool(nodes: Nodes[AvgPool], x: str) -> str:
    windows = nodes.kind.windows(nodes.step.ins)
    if not _dilated(windows) and not nodes.kind.count_include_pad:
        return _pool(nodes, "AveragePool", x, windows, read_pads(windows), count_include_pad=0)
    counts = counted(windows, nodes.kind.count_include_pad)
    return nodes.node("Div", sums(nodes, x, windows), nodes.numbers(counts))


def sum_pool(nodes: Nodes[SumPool], x: str) -> str:
    return sums(nodes, x, nodes.kind.windows(nodes.step.ins))


def lp_pool(nodes: Nodes[LpPool], x: str) -> str:
    windows, p = nodes.kind.windows(nodes.step.ins), nodes.kind.p
    if p == 1:
        return sums(nodes, nodes.node("Abs", x), windows)
    if p == 2:
        return nodes.node("Sqrt", sums(nodes, nodes.node("Mul", x, x), windows))
    reads = padded(nodes, nodes.node("Abs", x), nodes.step.ins[0][1:], read_pads(windows), 0.0)
    taps = nodes.whole(*range(3, 3 + 2 * len(windows), 2))
    return nodes.node("Squeeze", norm(nodes, unfolded(nodes, reads, windows), taps, p), taps)


def stochastic_pool(nodes: Nodes[StochasticPool], x: str) -> str:
    """What is to be expected: Σ a² / Σ a, and 0 where all are 0."""
    windows = nodes.kind.windows(nodes.step.ins)
    a = nodes.node("Relu", x)
    total = sums(nodes, a, windows)
    squares = sums(nodes, nodes.node("Mul", a, a), windows)
    return nodes.node("Div", squares, not_zero(nodes, total))


def largest(nodes: Nodes[Any], x: str, windows: Windows) -> str:
    pads = read_pads(windows)
    # onnxruntime refuses padding as large as the kernel, which dilation allows.
    if any(max(side) >= axis.kernel_size for side, axis in zip(pads, windows, strict=True)):
        x = padded(nodes, x, nodes.step.ins[0][1:], pads, -math.inf)
        pads = ((0, 0),) * len(pads)
    dilations = [axis.dilation for axis in windows]
    return _pool(nodes, "MaxPool", x, windows, pads, dilations=dilations)


def sums(nodes: Nodes[Any], x: str, windows: Windows) -> str:
    """The sum of each window; padding is 0."""
    pads = read_pads(windows)
    if not _dilated(windows):
        mean = _pool(nodes, "AveragePool", x, windows, pads, count_include_pad=1)
        size = prod(axis.kernel_size for axis in windows)
        return nodes.node("Mul", mean, nodes.number(size))
    channels, kernel = nodes.step.ins[0][0], [axis.kernel_size for axis in windows]
    return nodes.node(
        "Conv",
        x,
        nodes.numbers(np.ones((channels, 1, *kernel), np.float32)),
        kernel_shape=kernel,
        strides=[axis.stride for axis in windows],
        dilations=[axis.dilation for axis in windows],
        pads=onnx_pads(pads),
        group=channels,
    )


def counted(windows: Windows, padding: bool) -> np.ndarray:
    """How many positions each window holds of the picture, or with `padding` of it and that."""
    made = np.ones((), np.float32)
    for axis in windows:
        first, last = (-axis.before, axis.n + axis.after) if padding else (0, axis.n)
        starts = np.arange(axis.output) * axis.stride - axis.before
        reads = starts[:, None] + np.arange(axis.kernel_size) * axis.dilation
        along = ((reads >= first) & (reads < last)).sum(axis=1).astype(np.float32)
        made = made[..., None] * along
    return made


def read_pads(windows: Windows) -> Pads:
    """The padding that some window reads, with what only `ceil` reads."""
    ends = [(axis.output - 1) * axis.stride + axis.span - axis.before for axis in windows]
    return tuple(
        (axis.before, max(0, end - axis.n)) for axis, end in zip(windows, ends, strict=True)
    )


def not_zero(nodes: Nodes[Any], x: str) -> str:
    """1 instead of 0, to divide by."""
    zero, one = nodes.number(0), nodes.number(1)
    return nodes.node("Where", nodes.node("Equal", x, zero), one, x)


def unfolded(nodes: Nodes[Any], x: str, windows: Windows) -> str:
    """What the windows read of x, which has its padding: each axis as (outputs, taps).

    One node for each axis, whatever the kernel: onnxruntime takes 16 s to open a graph with one for
    each of 64x64 taps.
    """
    for number, axis in enumerate(windows):
        places = np.arange(axis.output)[:, None] * axis.stride
        places = places + np.arange(axis.kernel_size) * axis.dilation
        x = nodes.node("Gather", x, nodes.numbers(places), axis=2 + 2 * number)
    return x


def norm(nodes: Nodes[Any], sizes: str, over: str, p: int) -> str:
    """(Σ |x|^p)^(1/p) over some axes, kept with size 1, of values |x|.

    As m (Σ (|x| / m)^p)^(1/p) with the largest value m: no p makes it too large.
    """
    most = nodes.node("ReduceMax", sizes, over, keepdims=1)
    power, root = nodes.number(p), nodes.number(1 / p)
    ratios = nodes.node("Pow", nodes.node("Div", sizes, not_zero(nodes, most)), power)
    total = nodes.node("Pow", nodes.node("ReduceSum", ratios, over, keepdims=1), root)
    return nodes.node("Mul", most, total)


def _pool(nodes: Nodes[Any], op: str, x: str, windows: Windows, pads: Pads, **more: Any) -> str:
    return nodes.node(
        op,
        x,
        kernel_shape=[axis.kernel_size for axis in windows],
        strides=[axis.stride for axis in windows],
        pads=onnx_pads(pads),
        **more,
    )


def _dilated(windows: Windows) -> bool:
    return any(axis.dilation > 1 for axis in windows)


ROWS: dict[type[Kind], Row] = {
    MaxPool: max_pool,
    MinPool: min_pool,
    AvgPool: avg_pool,
    SumPool: sum_pool,
    LpPool: lp_pool,
    StochasticPool: stochastic_pool,
}
