"""Fully connected layers and flattening by definition."""

from __future__ import annotations

from math import prod

from foveal.engines.reference.filters import used, used_backward
from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights, pointwise
from foveal.net.kind import Kind
from foveal.net.layers import Dense, Flatten


def forward(kind: Dense, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, o] = bias[o] + Σ_i weight[o, i] x[n, i]"""
    y = xs[0] @ used(kind, weights, xs[0].shape[1]).T
    return y + weights["bias"] if kind.bias else y


def backward(
    kind: Dense, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    num_features = xs[0].shape[1]
    dweights = used_backward(kind, weights, num_features, dy.T @ xs[0])
    if kind.bias:
        dweights["bias"] = dy.sum(axis=0)
    return (dy @ used(kind, weights, num_features),), dweights


ROWS: dict[type[Kind], Row] = {
    Dense: Row(forward, backward),
    Flatten: pointwise(
        lambda x: x.reshape(len(x), prod(x.shape[1:])), lambda x, y, dy: dy.reshape(x.shape)
    ),
}
