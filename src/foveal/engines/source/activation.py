"""Activations, written for PyTorch."""

from __future__ import annotations

from typing import Any

from foveal.engines.source.code import Piece, Row, Rows, call, option, quoted
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
from foveal.net.program import Step


def plain(module: str, function: str) -> Row:
    """An activation without options."""

    def row(step: Step, shared: bool) -> tuple[Piece, ...]:
        return (Piece(call(module, {}), f"{function}({{0}})"),)

    return row


def rectifier(kind: Any) -> Piece:
    if kind.max is None:
        return Piece(call("nn.ReLU", {}), "F.relu({0})")
    if kind.max == 6:
        return Piece(call("nn.ReLU6", {}), "F.relu6({0})")
    module = call("nn.Hardtanh", {"min_val": 0.0, "max_val": kind.max})
    return Piece(module, f"F.hardtanh({{0}}, 0.0, {kind.max!r})")


def leaky(kind: Any) -> Piece:
    slope = option(kind.slope, 0.01)
    said = "" if slope is None else f", {slope!r}"
    return Piece(call("nn.LeakyReLU", _given(slope)), f"F.leaky_relu({{0}}{said})")


def exponential(kind: Any) -> Piece:
    alpha = option(kind.alpha, 1.0)
    said = "" if alpha is None else f", {alpha!r}"
    return Piece(call("nn.ELU", _given(alpha)), f"F.elu({{0}}{said})")


def gaussian(kind: Any) -> Piece:
    if kind.approximate == "none":
        return Piece(call("nn.GELU", {}), "F.gelu({0})")
    said = quoted(kind.approximate)
    module = call("nn.GELU", {}, approximate=said)
    return Piece(module, f"F.gelu({{0}}, approximate={said})")


def smooth(kind: Any) -> Piece:
    """PyTorch takes x itself from beta * x = 20 on; from 40 on that is right in every digit."""
    beta = option(kind.beta, 1.0)
    said = "" if beta is None else f"beta={beta!r}, "
    module = call("nn.Softplus", {}, beta=beta, threshold=40)
    return Piece(module, f"F.softplus({{0}}, {said}threshold=40)")


def hyperbolic(kind: Any) -> Piece:
    inner = "{0}" if kind.slope == 1 else f"{kind.slope!r} * {{0}}"
    if kind.amplitude == 1:
        module = call("nn.Tanh", {}) if kind.slope == 1 else None
        return Piece(module, f"torch.tanh({inner})")
    return Piece(None, f"{kind.amplitude!r} * torch.tanh({inner})")


def bounds(kind: Any) -> Piece:
    module = call("nn.Hardtanh", {"min_val": kind.min, "max_val": kind.max})
    return Piece(module, f"F.hardtanh({{0}}, {kind.min!r}, {kind.max!r})")


def probabilities(kind: Any) -> Piece:
    return Piece(call("nn.Softmax", {}, dim=1), "F.softmax({0}, dim=1)")


def log_probabilities(kind: Any) -> Piece:
    return Piece(call("nn.LogSoftmax", {}, dim=1), "F.log_softmax({0}, dim=1)")


def largest(kind: Any) -> Piece:
    return Piece(None, f"torch.amax(torch.unflatten({{0}}, 1, (-1, {kind.pieces})), 2)")


def with_options(write: Any) -> Row:
    """An activation as its fields say."""

    def row(step: Step, shared: bool) -> tuple[Piece, ...]:
        return (write(step.kind),)

    return row


def _given(value: Any) -> dict[str, Any]:
    return {} if value is None else {"value": value}


ROWS: Rows = {
    ReLU: with_options(rectifier),
    LeakyReLU: with_options(leaky),
    ELU: with_options(exponential),
    GELU: with_options(gaussian),
    SiLU: plain("nn.SiLU", "F.silu"),
    HardSwish: plain("nn.Hardswish", "F.hardswish"),
    Softplus: with_options(smooth),
    Tanh: with_options(hyperbolic),
    HardTanh: with_options(bounds),
    Sigmoid: plain("nn.Sigmoid", "torch.sigmoid"),
    HardSigmoid: plain("nn.Hardsigmoid", "F.hardsigmoid"),
    Softmax: with_options(probabilities),
    LogSoftmax: with_options(log_probabilities),
    Maxout: with_options(largest),
}
