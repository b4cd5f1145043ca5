"""Normalisation by definition."""

from __future__ import annotations

import numpy as np

from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights, per_channel
from foveal.errors import ShapeError
from foveal.net.kind import Kind
from foveal.net.layers import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm

Own = GroupNorm | LayerNorm | InstanceNorm
"""Kinds that take the statistics of each sample, in training and in prediction."""
Axes = tuple[int, ...]


def batch_forward(kind: BatchNorm, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y = (x - mean) / √(variance + eps) weight + bias, of the batch in training"""
    scaled, _ = _batch_scaled(kind, xs[0], weights, context)
    return _learned(scaled, weights)


def batch_backward(
    kind: BatchNorm, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    scaled, deviation = _batch_scaled(kind, xs[0], weights, context)
    dscaled, dweights = _learned_backward(scaled, weights, dy)
    if context.training:
        return (_scaled_backward(scaled, deviation, dscaled, _all_but_channels(dy)),), dweights
    return (dscaled / deviation,), dweights


def statistics(kind: BatchNorm, xs: Arrays, weights: Weights) -> Weights:
    """running + momentum (batch - running), with the unbiased variance of the batch"""
    others = _all_but_channels(xs[0])
    batch = {
        "running_mean": xs[0].mean(axis=others),
        "running_var": xs[0].var(axis=others, ddof=1),
    }
    return {
        name: weights[name] + kind.momentum * (value - weights[name])
        for name, value in batch.items()
    }


def _batch_scaled(
    kind: BatchNorm, x: Array, weights: Weights, context: Context
) -> tuple[Array, Array]:
    """x with mean 0 and variance 1, and the deviation it was divided by."""
    if context.training:
        if x.size == x.shape[1]:
            raise ShapeError(
                "batch norm cannot learn from one value per channel",
                where=context.path,
                arrives="x".join(map(str, x.shape)),
                fix="a batch of two or more",
            )
        return _scaled(x, _all_but_channels(x), kind.eps)
    deviation = np.sqrt(per_channel(weights["running_var"], x) + kind.eps)
    return (x - per_channel(weights["running_mean"], x)) / deviation, deviation


def _all_but_channels(x: Array) -> Axes:
    return (0, *range(2, x.ndim))


def own_forward(kind: Own, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y = (x - mean) / √(variance + eps) weight + bias, over what shares a mean"""
    x = xs[0]
    scaled, _ = _scaled(*_sharing(kind, x), kind.eps)
    return _learned(scaled.reshape(x.shape), weights)


def own_backward(
    kind: Own, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    x = xs[0]
    parts, axes = _sharing(kind, x)
    scaled, deviation = _scaled(parts, axes, kind.eps)
    dscaled, dweights = _learned_backward(scaled.reshape(x.shape), weights, dy)
    dx = _scaled_backward(scaled, deviation, dscaled.reshape(parts.shape), axes)
    return (dx.reshape(x.shape),), dweights


def _sharing(kind: Own, x: Array) -> tuple[Array, Axes]:
    """x, its channels cut into groups if there are any, and the axes that share a mean."""
    if isinstance(kind, GroupNorm):
        each = x.shape[1] // kind.groups
        x = x.reshape(len(x), kind.groups, each, *x.shape[2:])
        return x, tuple(range(2, x.ndim))
    if isinstance(kind, InstanceNorm):
        return x, tuple(range(2, x.ndim))
    return x, tuple(range(1, x.ndim)) if kind.over == "all" else (1,)


def _scaled(x: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """x with mean 0 and variance 1 over some axes, and the deviation it was divided by."""
    deviation = np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    return (x - x.mean(axis=axes, keepdims=True)) / deviation, deviation


def _scaled_backward(scaled: Array, deviation: Array, dscaled: Array, axes: Axes) -> Array:
    """Mean and variance depend on x too: of what arrives nothing along 1 and along x is left."""
    mean = dscaled.mean(axis=axes, keepdims=True)
    along = (dscaled * scaled).mean(axis=axes, keepdims=True)
    dx: Array = (dscaled - mean - scaled * along) / deviation
    return dx


def _learned(scaled: Array, weights: Weights) -> Array:
    """The numbers times their weights plus their biases, if the kind has any."""
    if "weight" not in weights:
        return scaled
    weight, bias = weights["weight"], weights["bias"]
    if weight.ndim == 1:
        weight, bias = per_channel(weight, scaled), per_channel(bias, scaled)
    return scaled * weight + bias


def _learned_backward(scaled: Array, weights: Weights, dy: Array) -> tuple[Array, Weights]:
    if "weight" not in weights:
        return dy, {}
    weight = weights["weight"]
    others = _all_but_channels(dy) if weight.ndim == 1 else (0,)
    dweights = {"weight": (dy * scaled).sum(axis=others), "bias": dy.sum(axis=others)}
    return dy * (per_channel(weight, dy) if weight.ndim == 1 else weight), dweights


def response_forward(
    kind: LocalResponseNorm, xs: Arrays, weights: Weights, context: Context
) -> Array:
    """y_c = x_c / (k + alpha / size Σ_i x_i²)^beta, over the window of channels around c"""
    y: Array = xs[0] / _response(kind, xs[0]) ** kind.beta
    return y


def response_backward(
    kind: LocalResponseNorm, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    """x_i stands above its own line, and below those of the channels whose windows it is in"""
    x = xs[0]
    below = _response(kind, x)
    before, after = _sides(kind)
    others = _neighbours(dy * x * below ** (-kind.beta - 1), after, before)
    factor = 2 * kind.beta * kind.alpha / kind.size
    return (dy * below**-kind.beta - factor * x * others,), {}


def _response(kind: LocalResponseNorm, x: Array) -> Array:
    response: Array = kind.k + kind.alpha / kind.size * _neighbours(x**2, *_sides(kind))
    return response


def _sides(kind: LocalResponseNorm) -> tuple[int, int]:
    """How many channels a window has before its own, and after it: of an even size one more."""
    return (kind.size - 1) // 2, kind.size // 2


def _neighbours(values: Array, before: int, after: int) -> Array:
    """For each channel the sum of those around it."""
    made = np.zeros_like(values)
    for channel in range(values.shape[1]):
        window = values[:, max(0, channel - before) : channel + after + 1]
        made[:, channel] = window.sum(axis=1)
    return made


ROWS: dict[type[Kind], Row] = {
    BatchNorm: Row(batch_forward, batch_backward, statistics),
    GroupNorm: Row(own_forward, own_backward),
    LayerNorm: Row(own_forward, own_backward),
    InstanceNorm: Row(own_forward, own_backward),
    LocalResponseNorm: Row(response_forward, response_backward),
}
