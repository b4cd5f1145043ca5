"""Batch normalisation by definition."""

from __future__ import annotations

from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights, per_channel
from foveal.errors import ShapeError
from foveal.net.kind import Kind
from foveal.net.layers import BatchNorm


def forward(kind: BatchNorm, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y = (x - mean) / √(variance + eps) weight + bias, of the batch in training"""
    x = xs[0]
    scaled, _ = _scaled(kind, x, weights, context)
    return scaled * per_channel(weights["weight"], x) + per_channel(weights["bias"], x)


def backward(
    kind: BatchNorm, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    x = xs[0]
    scaled, deviation = _scaled(kind, x, weights, context)
    others = _all_but_channels(x)
    dweights = {"weight": (dy * scaled).sum(axis=others), "bias": dy.sum(axis=others)}
    dscaled = dy * per_channel(weights["weight"], x)
    if context.training:  # mean and variance depend on x too
        mean = dscaled.mean(axis=others, keepdims=True)
        dscaled = dscaled - mean - scaled * (dscaled * scaled).mean(axis=others, keepdims=True)
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


def _scaled(kind: BatchNorm, x: Array, weights: Weights, context: Context) -> tuple[Array, Array]:
    """x with mean 0 and variance 1, and the deviation it was divided by."""
    mean, variance = per_channel(weights["running_mean"], x), per_channel(weights["running_var"], x)
    if context.training:
        if x.size == x.shape[1]:
            raise ShapeError(
                "batch norm cannot learn from one value per channel",
                where=context.path,
                arrives="x".join(map(str, x.shape)),
                fix="a batch of two or more",
            )
        others = _all_but_channels(x)
        mean = x.mean(axis=others, keepdims=True)
        variance = x.var(axis=others, keepdims=True)
    deviation = (variance + kind.eps) ** 0.5
    return (x - mean) / deviation, deviation


def _all_but_channels(x: Array) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))


ROWS: dict[type[Kind], Row] = {BatchNorm: Row(forward, backward, statistics)}
