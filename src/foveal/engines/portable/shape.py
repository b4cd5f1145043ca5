"""Values in another place, in ONNX."""

from __future__ import annotations

from foveal.engines.portable.graph import Nodes, Row
from foveal.engines.portable.padding import padded
from foveal.net.kind import Kind
from foveal.net.layers import Pad, Reshape, Take


def reshape(nodes: Nodes[Reshape], x: str) -> str:
    return nodes.node("Reshape", x, nodes.whole(0, *nodes.step.shape))  # 0: the batch as it is


def pad(nodes: Nodes[Pad], x: str) -> str:
    return padded(nodes, x, nodes.step.ins[0][1:], nodes.step.pads, nodes.kind.fill)


def take(nodes: Nodes[Take], x: str) -> str:
    return nodes.node("Gather", x, nodes.whole(*nodes.kind.channels), axis=1)


ROWS: dict[type[Kind], Row] = {Reshape: reshape, Pad: pad, Take: take}
