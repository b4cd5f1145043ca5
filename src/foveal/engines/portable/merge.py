"""Merging branches in ONNX."""

from __future__ import annotations

from functools import reduce

from foveal.engines.portable.graph import Nodes, Row
from foveal.net.kind import Kind
from foveal.net.layers import Add, Concat


def add(nodes: Nodes[Add], *branches: str) -> str:
    return reduce(lambda total, branch: nodes.node("Add", total, branch), branches)


def concat(nodes: Nodes[Concat], *branches: str) -> str:
    return nodes.node("Concat", *branches, axis=1)


ROWS: dict[type[Kind], Row] = {Add: add, Concat: concat}
