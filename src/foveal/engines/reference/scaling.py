"""Factors by definition."""

from __future__ import annotations

from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights, per_channel
from foveal.net.kind import Kind
from foveal.net.layers import Gain, Scale


def scale(kind: Scale, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, c] = weight[c] x[n, c] + bias[c]"""
    y = per_channel(weights["weight"], xs[0]) * xs[0]
    return y + per_channel(weights["bias"], y) if kind.bias else y


def scale_backward(
    kind: Scale, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    others = (0, *range(2, dy.ndim))
    dweights = {"weight": (dy * xs[0]).sum(axis=others)}
    if kind.bias:
        dweights["bias"] = dy.sum(axis=others)
    return (dy * per_channel(weights["weight"], dy),), dweights


def gain(kind: Gain, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y = factor x"""
    return kind.factor * xs[0]


def gain_backward(
    kind: Gain, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    return (kind.factor * dy,), {}


ROWS: dict[type[Kind], Row] = {Scale: Row(scale, scale_backward), Gain: Row(gain, gain_backward)}
