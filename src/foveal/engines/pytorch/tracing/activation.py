"""Functions of each value alone, and those that only training knows."""

from __future__ import annotations

from math import isinf
from typing import Any

from torch import Tensor

from foveal.engines.pytorch.tracing.call import Call
from foveal.engines.pytorch.tracing.value import Row, Value
from foveal.errors import SpecError
from foveal.net.kind import Kind
from foveal.net.layers import (
    ELU,
    GELU,
    Dropout,
    Gain,
    HardSigmoid,
    HardSwish,
    HardTanh,
    LeakyReLU,
    LogSoftmax,
    Multiply,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)

SELU = (1.6732632423543772, 1.0507009873554805)
"""Alpha and scale of Klambauer et al. 2017, arXiv:1706.02515."""


def plain(kind: Kind) -> Row:
    """The row of a function without options."""

    def row(call: Call, input: Tensor, inplace: bool = False) -> Value:
        return call.pointwise(kind, input)

    return row


def leaky_relu(
    call: Call, input: Tensor, negative_slope: float = 0.01, inplace: bool = False
) -> Value:
    return call.pointwise(LeakyReLU(negative_slope), input)


def elu(call: Call, input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Value:
    return call.pointwise(ELU(alpha), input)


def selu(call: Call, input: Tensor, inplace: bool = False) -> Value:
    bent = call.pointwise(ELU(SELU[0]), input)
    return call.node(Gain(SELU[1]), (bent.name,), bent.axes)


def gelu(call: Call, input: Tensor, *, approximate: str = "none") -> Value:
    return call.pointwise(GELU(approximate), input)


def softplus(call: Call, input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Value:
    if threshold < 20:  # up to there a float32 shows that it is not straight
        raise SpecError(f"is straight above {threshold:g}", expected="threshold of 20 or more")
    return call.pointwise(Softplus(beta), input)


def clamp(call: Call, input: Tensor, min: float | None = None, max: float | None = None) -> Value:
    if isinstance(min, Tensor) or isinstance(max, Tensor) or min is None:
        raise SpecError("cuts off at the top only, or by tensors", expected="two numbers")
    top = None if max is None or isinf(max) else max
    if min == 0:
        return call.pointwise(ReLU(top), input)
    if top is None:
        raise SpecError(f"cuts off below {min:g} only", expected="a number for the top too")
    return call.pointwise(HardTanh(min, top), input)


def hardtanh(
    call: Call,
    input: Tensor,
    min_val: float = -1.0,
    max_val: float = 1.0,
    inplace: bool = False,
) -> Value:
    return clamp(call, input, min_val, max_val)


def over_channels(kind: Kind) -> Row:
    """The row of a function over the channels of each position."""

    def row(
        call: Call,
        input: Tensor,
        dim: int | None = None,
        _stacklevel: int = 3,
        dtype: Any = None,
    ) -> Value:
        if dim is None:  # what PyTorch then takes, with a warning
            dim = 0 if input.dim() in (1, 3) else 1
        if call.value(input).axes[dim] != 1:
            raise SpecError(f"is taken over axis {dim}", expected="channels: dim=1 of (N, C, ...)")
        return call.pointwise(kind, input)

    return row


def mish(call: Call, input: Tensor, inplace: bool = False) -> Value:
    value = call.value(input)
    gate = call.node(Tanh(), (call.pointwise(Softplus(), input).name,), value.axes)
    return call.node(Multiply(), (value.name, gate.name), value.axes)


def p_relu(call: Call, input: Tensor, weight: Tensor) -> Value:
    """One slope for all is a leaky ReLU, which learns it no further."""
    if weight.numel() > 1:
        raise SpecError(
            "has a slope for each channel, which no layer has",
            expected="one slope for all",
            fix="nn.LeakyReLU in its place, and train the module on",
        )
    return leaky_relu(call, input, float(str(weight.detach().cpu().numpy().reshape(-1)[0])))


def dropout(
    call: Call, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Value:
    return _dropped(call, input, p, training, spatial=False)


def spatial_dropout(
    call: Call, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Value:
    return _dropped(call, input, p, training, spatial=True)


def _dropped(call: Call, input: Tensor, p: float, training: bool, spatial: bool) -> Value:
    if training:
        raise SpecError(
            "drops values in prediction too", fix="nn.Dropout, or training=self.training"
        )
    return call.pointwise(Dropout(p, spatial), input)


ROWS: dict[str, Row] = {
    "relu": plain(ReLU()),
    "relu6": plain(ReLU(6)),
    "leaky_relu": leaky_relu,
    "prelu": p_relu,
    "elu": elu,
    "selu": selu,
    "gelu": gelu,
    "silu": plain(SiLU()),
    "mish": mish,
    "hardswish": plain(HardSwish()),
    "softplus": softplus,
    "tanh": plain(Tanh()),
    **dict.fromkeys(("clamp", "clip"), clamp),
    "hardtanh": hardtanh,
    "sigmoid": plain(Sigmoid()),
    "hardsigmoid": plain(HardSigmoid()),
    "softmax": over_channels(Softmax()),
    "log_softmax": over_channels(LogSoftmax()),
    "dropout": dropout,
    **{f"dropout{axes}d": spatial_dropout for axes in (1, 2, 3)},
}
