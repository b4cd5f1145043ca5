"""Operators that change each number alone, or all numbers of a channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import inf

import numpy as np

from foveal.importing.onnx.reading import Here, Row
from foveal.importing.onnx.values import Value
from foveal.net.kind import Kind
from foveal.net.layers import (
    ELU,
    GELU,
    Gain,
    HardSigmoid,
    HardSwish,
    HardTanh,
    LeakyReLU,
    LogSoftmax,
    Multiply,
    ReLU,
    Scale,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)

_FLOAT16 = 10
_REAL = (1, _FLOAT16, 11, 16)
"""Data types of real numbers: all are computed in float32."""


def activation(kind: Callable[[Here], Kind]) -> Row:
    return lambda here: here.pointwise(kind(here), here.flow())


def clip(here: Here) -> Value:
    """Between two numbers; from 0 on it is a ReLU."""
    x = here.flow()
    if here.opset < 11:
        low, high = here.option("min", -inf), here.option("max", inf)
    else:
        low, high = here.number(1, -inf), here.number(2, inf)
    if high > LARGEST_FLOAT:
        high = inf
    if low == 0:
        return here.pointwise(ReLU() if high == inf else ReLU(max=high), x)
    return here.pointwise(HardTanh(max(low, -LARGEST_FLOAT), min(high, LARGEST_FLOAT)), x)


LARGEST_FLOAT = 3.4e38
"""Of 32 bits, nearly: what is cut off only beyond it is not cut off."""


def hard_sigmoid(here: Here) -> Value:
    """max(0, min(1, alpha x + beta)); `hardsigmoid` is the one with 1/6 and 1/2."""
    x, alpha, beta = here.flow(), here.option("alpha", 0.2), here.option("beta", 0.5)
    if np.float32(alpha) == np.float32(1 / 6) and beta == 0.5:
        return here.pointwise(HardSigmoid(), x)
    channels = (x.whole[0],)
    line = here.pointwise(
        Scale(bias=True), x, weight=np.full(channels, alpha), bias=np.full(channels, beta)
    )
    return here.pointwise(HardTanh(0, 1), line)


def p_relu(here: Here) -> Value:
    """One slope for all is a leaky ReLU."""
    x, slope = here.flow(), here.weights(1)
    if slope.size == 0 or (slope != slope.reshape(-1)[0]).any():
        raise here.refusal(
            "has a slope for each channel, which no layer has",
            expected="one slope for all",
            fix="put LeakyRelu in its place, and train the net on",
        )
    return here.pointwise(LeakyReLU(float(slope.reshape(-1)[0])), x)


def selu(here: Here) -> Value:
    """An ELU times a number."""
    kind = ELU(here.option("alpha", 1.67326))
    return here.pointwise(Gain(here.option("gamma", 1.0507)), here.pointwise(kind, here.flow()))


def over_channels(here: Here, kind: Kind) -> Value:
    """A softmax over the channels, wherever the graph has them."""
    x = here.flow()
    x = x if x.order() else here.plain(x)
    rank = len(x.shape) + 1
    axis = here.axis("axis", 1 if here.opset < 13 else -1, rank)
    order = x.order()
    together = x.shape[axis - 1 :] if here.opset < 13 else ()
    if axis == 0 or order is None or order[axis - 1] != 0 or any(n > 1 for n in together[1:]):
        raise here.refusal(f"is over axis {axis}, and layers do it over the channels")
    return here.pointwise(kind, x)


def mish(here: Here) -> Value:
    """x tanh(softplus(x))."""
    x = here.flow()
    gate = here.pointwise(Tanh(), here.pointwise(Softplus(), x))
    return here.layer(Multiply(), here.plain(x), here.plain(gate))


def cast(here: Here) -> Value:
    """From one type of real numbers to another: nothing is left of it."""
    here.must_be("to", *_REAL)
    here.must_be("saturate", 1)
    here.must_be("round_mode", "up")
    return here.flow()


def dropout(here: Here) -> Value:
    x = here.flow()
    here.option("ratio", 0.5)
    here.option("seed", 0)
    here.number(1, 0.5)
    if here.number(2, 0.0):
        raise here.refusal(
            "drops values, as nets do while they learn", fix="export the net for prediction"
        )
    return x


POINTWISE: Mapping[str, Row] = {
    "Relu": activation(lambda here: ReLU()),
    "LeakyRelu": activation(lambda here: LeakyReLU(here.option("alpha", 0.01))),
    "PRelu": p_relu,
    "Elu": activation(lambda here: ELU(here.option("alpha", 1.0))),
    "Gelu": activation(lambda here: GELU(here.option("approximate", "none"))),
    "Selu": selu,
    "Neg": activation(lambda here: Gain(-1)),
    "Sigmoid": activation(lambda here: Sigmoid()),
    "HardSigmoid": hard_sigmoid,
    "Mish": mish,
    "HardSwish": activation(lambda here: HardSwish()),
    "Softplus": activation(lambda here: Softplus()),
    "Tanh": activation(lambda here: Tanh()),
    "Swish": activation(lambda here: SiLU()),
    "Clip": clip,
    "Softmax": partial(over_channels, kind=Softmax()),
    "LogSoftmax": partial(over_channels, kind=LogSoftmax()),
    "Cast": cast,
    "Dropout": dropout,
    "Identity": lambda here: here.flow(),
}
