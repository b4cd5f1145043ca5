"""Pooling over the whole picture in ONNX."""

from __future__ import annotations

from typing import Any

from foveal.engines.portable.graph import Nodes, Row
from foveal.engines.portable.pooling import norm
from foveal.net.kind import Kind
from foveal.net.layers import (
    GlobalAvgPool,
    GlobalLpPool,
    GlobalMaxPool,
    GlobalMinPool,
    GlobalSumPool,
)


def global_max_pool(nodes: Nodes[GlobalMaxPool], x: str) -> str:
    return _kept(nodes, nodes.node("GlobalMaxPool", x))


def global_min_pool(nodes: Nodes[GlobalMinPool], x: str) -> str:
    largest = nodes.node("GlobalMaxPool", nodes.node("Neg", x))
    return _kept(nodes, nodes.node("Neg", largest))


def global_avg_pool(nodes: Nodes[GlobalAvgPool], x: str) -> str:
    return _kept(nodes, nodes.node("GlobalAveragePool", x))


def global_sum_pool(nodes: Nodes[GlobalSumPool], x: str) -> str:
    return _kept(nodes, nodes.node("ReduceSum", x, _positions(nodes), keepdims=1))


def global_lp_pool(nodes: Nodes[GlobalLpPool], x: str) -> str:
    p = nodes.kind.p
    if p <= 2:
        return _kept(nodes, nodes.node(f"ReduceL{p}", x, _positions(nodes), keepdims=1))
    return _kept(nodes, norm(nodes, nodes.node("Abs", x), _positions(nodes), p))


def _positions(nodes: Nodes[Any]) -> str:
    """The axes of the map."""
    return nodes.whole(*range(2, 1 + len(nodes.step.ins[0])))


def _kept(nodes: Nodes[Any], pooled: str) -> str:
    return pooled if nodes.kind.keep else nodes.node("Flatten", pooled, axis=1)


ROWS: dict[type[Kind], Row] = {
    GlobalMaxPool: global_max_pool,
    GlobalMinPool: global_min_pool,
    GlobalAvgPool: global_avg_pool,
    GlobalSumPool: global_sum_pool,
    GlobalLpPool: global_lp_pool,
}
