"""Normalisation in ONNX, where it could not be folded into the layer before."""

from __future__ import annotations

from foveal.engines.portable.graph import Nodes, Row
from foveal.net.kind import Kind
from foveal.net.layers import BatchNorm


def batch_norm(nodes: Nodes[BatchNorm], x: str) -> str:
    return nodes.node("BatchNormalization", x, *nodes.weights(), epsilon=nodes.kind.eps)


ROWS: dict[type[Kind], Row] = {BatchNorm: batch_norm}
