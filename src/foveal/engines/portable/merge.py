"""Merging branches in ONNX."""

from __future__ import annotations

from functools import reduce
from math import prod

from foveal.engines.portable.graph import Nodes, Row
from foveal.net.kind import Kind
from foveal.net.layers import Add, Combine, Concat, Multiply


def add(nodes: Nodes[Add], *branches: str) -> str:
    return reduce(lambda total, branch: nodes.node("Add", total, branch), branches)


def concat(nodes: Nodes[Concat], *branches: str) -> str:
    return nodes.node("Concat", *branches, axis=1)


def multiply(nodes: Nodes[Multiply], *branches: str) -> str:
    return reduce(lambda product, branch: nodes.node("Mul", product, branch), branches)


def combine(nodes: Nodes[Combine], prototypes: str, coefficients: str) -> str:
    """(N, T, K) times (N, K, S)"""
    num_channels, *sizes = nodes.step.ins[0]
    maps = nodes.node("Reshape", prototypes, nodes.whole(0, num_channels, prod(sizes)))
    sets = nodes.node("Reshape", coefficients, nodes.whole(0, num_channels, nodes.step.shape[0]))
    made = nodes.node("MatMul", nodes.node("Transpose", sets, perm=[0, 2, 1]), maps)
    return nodes.node("Reshape", made, nodes.whole(0, *nodes.step.shape))


ROWS: dict[type[Kind], Row] = {Add: add, Concat: concat, Multiply: multiply, Combine: combine}
