"""Factors in ONNX."""

from __future__ import annotations

from foveal.engines.portable.graph import Nodes, Row
from foveal.net.kind import Kind
from foveal.net.layers import Gain, Scale


def scale(nodes: Nodes[Scale], x: str) -> str:
    for op, name in zip(("Mul", "Add"), nodes.weights(), strict=False):
        x = nodes.node(op, x, _per_channel(nodes, name))
    return x


def _per_channel(nodes: Nodes[Scale], name: str) -> str:
    """One number for each channel, to be used at every position."""
    axes = range(1, len(nodes.step.shape))
    return nodes.node("Unsqueeze", name, nodes.whole(*axes)) if axes else name


def gain(nodes: Nodes[Gain], x: str) -> str:
    return nodes.node("Mul", x, nodes.number(nodes.kind.factor))


ROWS: dict[type[Kind], Row] = {Scale: scale, Gain: gain}
