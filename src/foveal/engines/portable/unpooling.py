"""Unpooling in ONNX.

MaxUnpool exists, but the places it wants are undefined where a window holds NaN, and one such
picture would end the whole batch. So the places are found among what each tap reads.
"""

from __future__ import annotations

import math
from math import prod

import numpy as np

from foveal.engines.portable.graph import Nodes, Row
from foveal.engines.portable.padding import padded, sliced
from foveal.engines.portable.pooling import read_pads, unfolded
from foveal.net.kind import Kind
from foveal.net.layers import MaxUnpool
from foveal.net.layers.window import Window


def max_unpool(nodes: Nodes[MaxUnpool], values: str, x: str) -> str:
    windows = nodes.kind.axes(nodes.step.ins)
    reads = padded(nodes, x, nodes.step.shape[1:], read_pads(windows), -math.inf)
    axes = range(len(windows))
    cells = nodes.node(
        "Transpose",
        unfolded(nodes, reads, windows),
        perm=[0, 1, *(3 + 2 * axis for axis in axes), *(2 + 2 * axis for axis in axes)],
    )
    num_taps = prod(axis.kernel_size for axis in windows)
    sizes = nodes.whole(0, nodes.step.shape[0], num_taps, *(axis.output for axis in windows))
    first = nodes.node("ArgMax", nodes.node("Reshape", cells, sizes), axis=2, keepdims=1)
    taps = np.arange(num_taps).reshape(-1, *(1,) * len(windows))
    chosen = nodes.node("Equal", first, nodes.numbers(taps))
    zero = nodes.number(0)
    lifted = nodes.node("Unsqueeze", values, nodes.whole(2))
    return _laid_out(nodes, nodes.node("Where", chosen, lifted, zero), windows)


def _laid_out(nodes: Nodes[MaxUnpool], cells: str, windows: tuple[Window, ...]) -> str:
    """(N, C, taps, *maps) -> (N, C, *sizes), window beside window with the gaps between them."""
    channels = nodes.step.shape[0]
    axes, maps = range(len(windows)), [axis.output for axis in windows]
    kernel, strides = [axis.kernel_size for axis in windows], [axis.stride for axis in windows]
    y = nodes.node("Reshape", cells, nodes.whole(0, channels, *kernel, *maps))
    gaps = [(0, s - k) for s, k in zip(strides, kernel, strict=True)]
    y = padded(nodes, y, (), (*gaps, *((0, 0) for _ in axes)), 0.0)
    beside = [at for axis in axes for at in (2 + len(axes) + axis, 2 + axis)]
    y = nodes.node("Transpose", y, perm=[0, 1, *beside])
    made = [m * s for m, s in zip(maps, strides, strict=True)]
    y = nodes.node("Reshape", y, nodes.whole(0, channels, *made))
    ends = [axis.before + axis.n for axis in windows]
    short = [(0, max(0, end - n)) for end, n in zip(ends, made, strict=True)]
    y = padded(nodes, y, (), tuple(short), 0.0)
    for at, (axis, end, n) in enumerate(zip(windows, ends, made, strict=True), start=2):
        if axis.before or n > end:
            y = sliced(nodes, y, at, axis.before, end)
    return y


ROWS: dict[type[Kind], Row] = {MaxUnpool: max_unpool}
