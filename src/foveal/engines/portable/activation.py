"""Activations in ONNX; operator set 18 has no GELU of its own."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

from foveal.engines.portable.graph import Nodes, Row
from foveal.net.kind import Kind
from foveal.net.layers import (
    ELU,
    GELU,
    HardSigmoid,
    HardSwish,
    HardTanh,
    LeakyReLU,
    LogSoftmax,
    Maxout,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)

CUBIC = 0.044715
"""Of the tanh form of GELU: Hendrycks & Gimpel 2016, section 2."""


def relu(nodes: Nodes[ReLU], x: str) -> str:
    if nodes.kind.max is None:
        return nodes.node("Relu", x)
    return nodes.node("Clip", x, nodes.number(0), nodes.number(nodes.kind.max))


def leaky_relu(nodes: Nodes[LeakyReLU], x: str) -> str:
    return nodes.node("LeakyRelu", x, alpha=nodes.kind.slope)


def elu(nodes: Nodes[ELU], x: str) -> str:
    return nodes.node("Elu", x, alpha=nodes.kind.alpha)


def gelu(nodes: Nodes[GELU], x: str) -> str:
    """x (1 + erf(x / √2)) / 2, or x (1 + tanh(x (√(2/π) + √(2/π) 0.044715 x²))) / 2"""
    if nodes.kind.approximate == "none":
        bent = nodes.node("Erf", nodes.node("Div", x, nodes.number(sqrt(2))))
    else:
        square = nodes.node("Mul", x, x)
        third = nodes.node("Mul", square, nodes.number(sqrt(2 / pi) * CUBIC))
        slope = nodes.node("Add", third, nodes.number(sqrt(2 / pi)))
        bent = nodes.node("Tanh", nodes.node("Mul", x, slope))
    twice = nodes.node("Mul", x, nodes.node("Add", bent, nodes.number(1)))
    return nodes.node("Mul", twice, nodes.number(0.5))


def silu(nodes: Nodes[SiLU], x: str) -> str:
    return nodes.node("Mul", x, nodes.node("Sigmoid", x))


def hard_swish(nodes: Nodes[HardSwish], x: str) -> str:
    return nodes.node("HardSwish", x)


def softplus(nodes: Nodes[Softplus], x: str) -> str:
    beta = nodes.kind.beta
    return _scaled(nodes, 1 / beta, nodes.node("Softplus", _scaled(nodes, beta, x)))


def tanh(nodes: Nodes[Tanh], x: str) -> str:
    kind = nodes.kind
    return _scaled(nodes, kind.amplitude, nodes.node("Tanh", _scaled(nodes, kind.slope, x)))


def hard_tanh(nodes: Nodes[HardTanh], x: str) -> str:
    return nodes.node("Clip", x, nodes.number(nodes.kind.min), nodes.number(nodes.kind.max))


def sigmoid(nodes: Nodes[Sigmoid], x: str) -> str:
    return nodes.node("Sigmoid", x)


def hard_sigmoid(nodes: Nodes[HardSigmoid], x: str) -> str:
    return nodes.node("HardSigmoid", x, alpha=1 / 6, beta=0.5)


def softmax(nodes: Nodes[Softmax], x: str) -> str:
    return nodes.node("Softmax", x, axis=1)


def log_softmax(nodes: Nodes[LogSoftmax], x: str) -> str:
    return nodes.node("LogSoftmax", x, axis=1)


def maxout(nodes: Nodes[Maxout], x: str) -> str:
    """The larger of every pieces-th channel from each start; `ReduceMax` would lose NaN."""
    channels, pieces = nodes.step.ins[0][0], nodes.kind.pieces
    end, axis, step = nodes.whole(channels), nodes.whole(1), nodes.whole(pieces)
    parts = [nodes.node("Slice", x, nodes.whole(j), end, axis, step) for j in range(pieces)]
    return nodes.node("Max", *parts)


def _scaled(nodes: Nodes[Any], by: float, x: str) -> str:
    """Times a number, without a node where that is 1."""
    return x if by == 1 else nodes.node("Mul", x, nodes.number(by))


ROWS: dict[type[Kind], Row] = {
    ReLU: relu,
    LeakyReLU: leaky_relu,
    ELU: elu,
    GELU: gelu,
    SiLU: silu,
    HardSwish: hard_swish,
    Softplus: softplus,
    Tanh: tanh,
    HardTanh: hard_tanh,
    Sigmoid: sigmoid,
    HardSigmoid: hard_sigmoid,
    Softmax: softmax,
    LogSoftmax: log_softmax,
    Maxout: maxout,
}
