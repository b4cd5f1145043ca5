"""Pooling over the whole picture, by definition."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from foveal.engines.reference.pooling import norm, norm_slope
from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights
from foveal.net.kind import Kind
from foveal.net.layers import (
    GlobalAvgPool,
    GlobalLpPool,
    GlobalMaxPool,
    GlobalMinPool,
    GlobalSumPool,
)


def extreme(best: Callable[..., Array], place: Callable[..., NDArray[np.intp]]) -> Row:
    """y[n, c] = the best value of a channel"""

    def forward(
        kind: GlobalMaxPool | GlobalMinPool, xs: Arrays, weights: Weights, context: Context
    ) -> Array:
        return best(xs[0], axis=_spatial(xs[0]), keepdims=kind.keep)

    def backward(
        kind: GlobalMaxPool | GlobalMinPool,
        xs: Arrays,
        y: Array,
        weights: Weights,
        dy: Array,
        context: Context,
    ) -> tuple[Arrays, Weights]:
        """The best value receives the gradient; of equal ones the first, row by row."""
        rows = xs[0].reshape(*xs[0].shape[:2], int(np.prod(xs[0].shape[2:])))
        dx = np.zeros_like(rows)
        first = place(rows, axis=2)[..., None]
        np.put_along_axis(dx, first, dy.reshape(*dy.shape[:2], 1), axis=2)
        return (dx.reshape(xs[0].shape),), {}

    return Row(forward, backward)


def avg_forward(kind: GlobalAvgPool, xs: Arrays, weights: Weights, context: Context) -> Array:
    y: Array = xs[0].mean(axis=_spatial(xs[0]), keepdims=kind.keep)
    return y


def avg_backward(
    kind: GlobalAvgPool, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    x = xs[0]
    return (np.broadcast_to(_everywhere(dy, x) / np.prod(x.shape[2:]), x.shape).copy(),), {}


def sum_forward(kind: GlobalSumPool, xs: Arrays, weights: Weights, context: Context) -> Array:
    y: Array = xs[0].sum(axis=_spatial(xs[0]), keepdims=kind.keep)
    return y


def sum_backward(
    kind: GlobalSumPool, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    return (np.broadcast_to(_everywhere(dy, xs[0]), xs[0].shape).copy(),), {}


def lp_forward(kind: GlobalLpPool, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, c] = (Σ |x|^p)^(1/p) over all positions"""
    x = np.abs(xs[0]).reshape(*xs[0].shape[:2], int(np.prod(xs[0].shape[2:])))
    y = norm(list(np.moveaxis(x, 2, 0)), kind.p)
    return y.reshape(*y.shape, *(1,) * (xs[0].ndim - 2)) if kind.keep else y


def lp_backward(
    kind: GlobalLpPool, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    x = xs[0]
    return (_everywhere(dy, x) * norm_slope(x, _everywhere(y, x), kind.p),), {}


def _spatial(x: Array) -> tuple[int, ...]:
    return tuple(range(2, x.ndim))


def _everywhere(values: Array, x: Array) -> Array:
    """One number for each channel, to be used at every position of x."""
    return values.reshape(*x.shape[:2], *(1,) * (x.ndim - 2))


ROWS: dict[type[Kind], Row] = {
    GlobalMaxPool: extreme(np.max, np.argmax),
    GlobalMinPool: extreme(np.min, np.argmin),
    GlobalAvgPool: Row(avg_forward, avg_backward),
    GlobalSumPool: Row(sum_forward, sum_backward),
    GlobalLpPool: Row(lp_forward, lp_backward),
}
