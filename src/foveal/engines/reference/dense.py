"""Fully connected layers and flattening by definition."""

from __future__ import annotations

from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights, pointwise
from foveal.net.kind import Kind
from foveal.net.layers import Dense, Flatten


def forward(kind: Dense, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, o] = bias[o] + Σ_i weight[o, i] x[n, i]"""
    y = xs[0] @ weights["weight"].T
    return y + weights["bias"] if kind.bias else y


def backward(
    kind: Dense, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    dweights = {"weight": dy.T @ xs[0]}
    if kind.bias:
        dweights["bias"] = dy.sum(axis=0)
    return (dy @ weights["weight"],), dweights


ROWS: dict[type[Kind], Row] = {
    Dense: Row(forward, backward),
    Flatten: pointwise(lambda x: x.reshape(len(x), -1), lambda x, y, dy: dy.reshape(x.shape)),
}
