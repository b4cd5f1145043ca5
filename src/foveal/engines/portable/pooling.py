"""Pooling in ONNX."""

from __future__ import annotations

from foveal.engines.portable.convolution import onnx_pads
from foveal.engines.portable.graph import Nodes, Row
from foveal.net.kind import Kind
from foveal.net.layers import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool


def max_pool(nodes: Nodes[MaxPool], x: str) -> str:
    return _pool("MaxPool", nodes, x)


def avg_pool(nodes: Nodes[AvgPool], x: str) -> str:
    return _pool("AveragePool", nodes, x, count_include_pad=0)


def global_max_pool(nodes: Nodes[GlobalMaxPool], x: str) -> str:
    return _global_pool("GlobalMaxPool", nodes, x)


def global_avg_pool(nodes: Nodes[GlobalAvgPool], x: str) -> str:
    return _global_pool("GlobalAveragePool", nodes, x)


def _pool(op: str, nodes: Nodes[MaxPool] | Nodes[AvgPool], x: str, **attributes: int) -> str:
    windows = nodes.kind.windows(nodes.step.ins)
    # onnxruntime refuses padding as large as the kernel, even where no window reads it.
    read = [(axis.output - 1) * axis.stride + axis.span - axis.before - axis.n for axis in windows]
    pads = [(axis.before, max(0, after)) for axis, after in zip(windows, read, strict=True)]
    return nodes.node(
        op,
        x,
        kernel_shape=[axis.kernel_size for axis in windows],
        strides=[axis.stride for axis in windows],
        pads=onnx_pads(tuple(pads)),
        **attributes,
    )


def _global_pool(op: str, nodes: Nodes[GlobalMaxPool] | Nodes[GlobalAvgPool], x: str) -> str:
    pooled = nodes.node(op, x)
    return pooled if nodes.kind.keep else nodes.node("Flatten", pooled, axis=1)


ROWS: dict[type[Kind], Row] = {
    MaxPool: max_pool,
    AvgPool: avg_pool,
    GlobalMaxPool: global_max_pool,
    GlobalAvgPool: global_avg_pool,
}
