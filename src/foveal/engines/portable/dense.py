"""Fully connected layers in ONNX."""

from __future__ import annotations

from foveal.engines.portable.graph import Nodes, Row
from foveal.net.kind import Kind
from foveal.net.layers import Dense, Flatten


def dense(nodes: Nodes[Dense], x: str) -> str:
    return nodes.node("Gemm", x, *nodes.weights(), transB=1)


def flatten(nodes: Nodes[Flatten], x: str) -> str:
    return nodes.node("Flatten", x, axis=1)


ROWS: dict[type[Kind], Row] = {Dense: dense, Flatten: flatten}
