"""Local connections in ONNX, which has no operator for them: a matrix product for each position."""

from __future__ import annotations

from itertools import product
from math import prod

from foveal.engines.portable.graph import Nodes, Row
from foveal.engines.portable.padding import padded
from foveal.net.kind import Kind
from foveal.net.layers import LocallyConnected


def local(nodes: Nodes[LocallyConnected], x: str) -> str:
    """(positions, N, read) times (positions, read, out_channels); `read`: taps x channels."""
    arriving, maps = nodes.step.ins[0], nodes.step.shape[1:]
    windows = nodes.kind.windows(nodes.step.ins)
    x = padded(nodes, x, arriving[1:], nodes.step.pads, nodes.kind.fill)
    axes, parts = range(2, 2 + len(maps)), []
    for tap in product(*(range(window.kernel_size) for window in windows)):
        first = [t * window.dilation for t, window in zip(tap, windows, strict=True)]
        stop = [
            f + (window.output - 1) * window.stride + 1
            for f, window in zip(first, windows, strict=True)
        ]
        ends = (first, stop, axes, [window.stride for window in windows])
        parts.append(nodes.node("Slice", x, *(nodes.whole(*numbers) for numbers in ends)))
    read = arriving[0] * len(parts)
    patches = nodes.node("Concat", *parts, axis=1) if len(parts) > 1 else parts[0]
    rows = nodes.node("Reshape", patches, nodes.whole(0, read, prod(maps)))
    rows = nodes.node("Transpose", rows, perm=[2, 0, 1])
    weight, *bias = nodes.weights()
    made = nodes.node("MatMul", rows, _matrices(nodes, weight, read))
    made = nodes.node("Transpose", made, perm=[1, 2, 0])
    y = nodes.node("Reshape", made, nodes.whole(0, *nodes.step.shape))
    return nodes.node("Add", y, *bias) if bias else y


def _matrices(nodes: Nodes[LocallyConnected], weight: str, read: int) -> str:
    """(out_channels, *maps, channels, *kernel) -> (positions, taps * channels, out_channels)"""
    axes = len(nodes.step.shape) - 1
    positions, kernel = range(1, 1 + axes), range(2 + axes, 2 + 2 * axes)
    turned = nodes.node("Transpose", weight, perm=[*positions, *kernel, 1 + axes, 0])
    sizes = nodes.whole(prod(nodes.step.shape[1:]), read, nodes.kind.out_channels)
    return nodes.node("Reshape", turned, sizes)


ROWS: dict[type[Kind], Row] = {LocallyConnected: local}
