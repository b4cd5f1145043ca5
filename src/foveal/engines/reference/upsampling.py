"""Upsampling by definition: where an output lies among what arrives, and what it reads there."""

from __future__ import annotations

import numpy as np

from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights
from foveal.engines.reference.sliding import each
from foveal.net.kind import Kind
from foveal.net.layers import Upsample


def forward(kind: Upsample, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y = Σ weight[o, i] x[i], axis by axis"""
    y = xs[0]
    for axis, factor in enumerate(each(kind.factor, y.ndim - 2), start=2):
        y = _along(_weights(kind, y.shape[axis], factor), y, axis)
    return y


def backward(
    kind: Upsample, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    """The same weights, read the other way."""
    dx = dy
    for axis, factor in enumerate(each(kind.factor, dy.ndim - 2), start=2):
        dx = _along(_weights(kind, xs[0].shape[axis], factor).T, dx, axis)
    return (dx,), {}


def _along(matrix: Array, x: Array, axis: int) -> Array:
    return np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)


def _weights(kind: Upsample, n: int, factor: int) -> Array:
    """How much each of n positions weighs in each of n factor outputs.

    1 - the distance, where it is below 1; of an output that lies before the first centre or after
    the last, the nearest position has all the weight.
    """
    o, i = np.arange(n * factor), np.arange(n)
    places: Array
    if kind.mode == "nearest":
        places = (o // factor).astype(float)
    elif kind.align_corners:
        places = o * (n - 1) / max(1, n * factor - 1)
    else:
        places = (2 * o + 1 - factor) / (2 * factor)
    places = np.clip(places, 0, n - 1)
    weights: Array = np.maximum(0, 1 - np.abs(places[:, None] - i))
    return weights


ROWS: dict[type[Kind], Row] = {Upsample: Row(forward, backward)}
