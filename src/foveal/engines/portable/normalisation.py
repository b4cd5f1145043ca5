"""Normalisation in ONNX, where it could not be folded into the layer before.

Where a sample has its own statistics, it is written out instead of using the operators for it: of
numbers such as 1000 ± 1 in float32, onnxruntime 1.31's LayerNormalization is off by 1.5e-5 and its
InstanceNormalization by 7e-5 of the largest output, this by 1e-7.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from foveal.engines.portable.graph import Nodes, Row
from foveal.net.kind import Kind, Shape
from foveal.net.layers import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm


def batch_norm(nodes: Nodes[BatchNorm], x: str) -> str:
    names = nodes.weights()
    if not nodes.kind.affine:
        channels = nodes.step.ins[0][0]
        unchanged = np.ones(channels, np.float32), np.zeros(channels, np.float32)
        names = [*map(nodes.numbers, unchanged), *names]
    return nodes.node("BatchNormalization", x, *names, epsilon=nodes.kind.eps)


def group_norm(nodes: Nodes[GroupNorm], x: str) -> str:
    shape, groups = nodes.step.ins[0], nodes.kind.groups
    parts = nodes.node("Reshape", x, nodes.whole(0, groups, prod(shape) // groups))
    scaled = nodes.node("Reshape", _scaled(nodes, parts, 2), nodes.whole(0, *shape))
    return _learned(nodes, scaled, _by_channel(shape))


def instance_norm(nodes: Nodes[InstanceNorm], x: str) -> str:
    shape = nodes.step.ins[0]
    return _learned(nodes, _scaled(nodes, x, *range(2, len(shape) + 1)), _by_channel(shape))


def layer_norm(nodes: Nodes[LayerNorm], x: str) -> str:
    shape = nodes.step.ins[0]
    if nodes.kind.over == "all":
        return _learned(nodes, _scaled(nodes, x, *range(1, len(shape) + 1)), shape)
    return _learned(nodes, _scaled(nodes, x, 1), _by_channel(shape))


def local_response_norm(nodes: Nodes[LocalResponseNorm], x: str) -> str:
    """As a pooling over the axis of the channels.

    onnxruntime's LRN knows odd sizes and four axes only, and goes on with one sum from window to
    window: behind a channel of 1000 it is off by 0.5 %.
    """
    kind, shape = nodes.kind, nodes.step.ins[0]
    squares = nodes.node("Mul", x, x)
    line = nodes.node("Reshape", squares, nodes.whole(0, 1, shape[0], prod(shape[1:])))
    mean = nodes.node(
        "AveragePool",
        line,
        kernel_shape=[kind.size, 1],
        pads=[(kind.size - 1) // 2, 0, kind.size // 2, 0],
        count_include_pad=1,
    )
    mean = nodes.node("Reshape", mean, nodes.whole(0, *shape))
    weighed = nodes.node("Mul", mean, nodes.number(kind.alpha))
    below = nodes.node("Add", weighed, nodes.number(kind.k))
    return nodes.node("Div", x, nodes.node("Pow", below, nodes.number(kind.beta)))


def _scaled(nodes: Nodes[Any], x: str, *axes: int) -> str:
    """The name of x with mean 0 and variance 1 over some axes."""
    over = nodes.whole(*axes)
    for _ in range(2):  # a mean of large numbers is rounded; what it leaves goes the second time
        x = nodes.node("Sub", x, nodes.node("ReduceMean", x, over))
    variance = nodes.node("ReduceMean", nodes.node("Mul", x, x), over)
    above_zero = nodes.node("Add", variance, nodes.number(nodes.kind.eps))
    return nodes.node("Div", x, nodes.node("Sqrt", above_zero))


def _learned(nodes: Nodes[Any], x: str, shape: Shape) -> str:
    """The numbers times their weights plus their biases, which are laid out in a shape for that."""
    if not nodes.kind.affine:
        return x
    weight, bias = nodes.weights()
    if len(shape) > 1 and nodes.step.tensors[0].shape != shape:
        laid_out = nodes.whole(*shape)
        weight, bias = (nodes.node("Reshape", name, laid_out) for name in (weight, bias))
    return nodes.node("Add", nodes.node("Mul", x, weight), bias)


def _by_channel(shape: Shape) -> Shape:
    """One number for each channel, to be used at every position."""
    return (shape[0], *(1 for _ in shape[1:]))


ROWS: dict[type[Kind], Row] = {
    BatchNorm: batch_norm,
    GroupNorm: group_norm,
    LayerNorm: layer_norm,
    InstanceNorm: instance_norm,
    LocalResponseNorm: local_response_norm,
}
