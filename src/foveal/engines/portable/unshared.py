"""Local connections in ONNX, which has no operator for them: a matrix product for each position."""

from __future__ import annotations

from math import prod

from foveal.engines.portable.graph import Nodes, Row
from foveal.engines.portable.padding import padded
from foveal.engines.portable.pooling import unfolded
from foveal.net.kind import Kind
from foveal.net.layers import LocallyConnected


def local(nodes: Nodes[LocallyConnected], x: str) -> str:
    """(positions, N, read) times (positions, read, out_channels); `read`: channels x taps."""
    arriving, maps = nodes.step.ins[0], nodes.step.shape[1:]
    windows = nodes.kind.windows(nodes.step.ins)
    x = padded(nodes, x, arriving[1:], nodes.step.pads, nodes.kind.fill)
    cells, axes = unfolded(nodes, x, windows), range(len(maps))
    positions, taps = ([first + 2 * axis for axis in axes] for first in (2, 3))
    rows = nodes.node("Transpose", cells, perm=[*positions, 0, 1, *taps])
    read = arriving[0] * prod(window.kernel_size for window in windows)
    rows = nodes.node("Reshape", rows, nodes.whole(prod(maps), -1, read))
    weight, *bias = nodes.weights()
    made = nodes.node("MatMul", rows, _matrices(nodes, weight, read))
    made = nodes.node("Transpose", made, perm=[1, 2, 0])
    y = nodes.node("Reshape", made, nodes.whole(0, *nodes.step.shape))
    return nodes.node("Add", y, *bias) if bias else y


def _matrices(nodes: Nodes[LocallyConnected], weight: str, read: int) -> str:
    """(out_channels, *maps, channels, *kernel) -> (positions, channels * taps, out_channels)"""
    axes = len(nodes.step.shape) - 1
    turned = nodes.node("Transpose", weight, perm=[*range(1, 2 + 2 * axes), 0])
    sizes = nodes.whole(prod(nodes.step.shape[1:]), read, nodes.kind.out_channels)
    return nodes.node("Reshape", turned, sizes)


ROWS: dict[type[Kind], Row] = {LocallyConnected: local}
