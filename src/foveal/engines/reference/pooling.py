"""Pooling by definition: one value for each window of each channel."""

from __future__ import annotations

from functools import reduce

import numpy as np

from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights
from foveal.engines.reference.sliding import Slide, slide
from foveal.net.kind import Kind
from foveal.net.layers import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool


def max_forward(kind: MaxPool, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, c, p] = max over taps of x[n, c, p stride + tap]; padding is -∞ and never wins"""
    over = _slide(kind, xs[0])
    padded = over.pad(xs[0], -np.inf)
    return reduce(np.maximum, (padded[reads] for _, reads in over.taps()))


def max_backward(
    kind: MaxPool, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    """The largest value receives the gradient; of equal ones the first, row by row."""
    over = _slide(kind, xs[0])
    padded, inside = over.pad(xs[0], -np.inf), over.pad(np.ones_like(xs[0]), 0)
    dx, without = np.zeros_like(padded), np.ones(y.shape, bool)
    for _, reads in over.taps():
        first = without & (padded[reads] == y) & (inside[reads] == 1)
        dx[reads] += dy * first
        without &= ~first
    return (over.unpad(dx),), {}


def avg_forward(kind: AvgPool, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, c, p] = mean over taps of x[n, c, p stride + tap]; padding is not counted"""
    over = _slide(kind, xs[0])
    padded = over.pad(xs[0], 0)
    return _summed(over, padded) / _counted(over, xs[0])


def avg_backward(
    kind: AvgPool, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    over = _slide(kind, xs[0])
    dx, share = over.pad(np.zeros_like(xs[0]), 0), dy / _counted(over, xs[0])
    for _, reads in over.taps():
        dx[reads] += share
    return (over.unpad(dx),), {}


def global_max_forward(
    kind: GlobalMaxPool, xs: Arrays, weights: Weights, context: Context
) -> Array:
    y: Array = xs[0].max(axis=_spatial(xs[0]), keepdims=kind.keep)
    return y


def global_max_backward(
    kind: GlobalMaxPool, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    """The largest value receives the gradient; of equal ones the first, row by row."""
    rows = xs[0].reshape(*xs[0].shape[:2], -1)
    dx = np.zeros_like(rows)
    np.put_along_axis(dx, rows.argmax(axis=2)[..., None], dy.reshape(*dy.shape[:2], 1), axis=2)
    return (dx.reshape(xs[0].shape),), {}


def global_avg_forward(
    kind: GlobalAvgPool, xs: Arrays, weights: Weights, context: Context
) -> Array:
    y: Array = xs[0].mean(axis=_spatial(xs[0]), keepdims=kind.keep)
    return y


def global_avg_backward(
    kind: GlobalAvgPool, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    x = xs[0]
    share = dy.reshape(*x.shape[:2], *(1,) * (x.ndim - 2)) / np.prod(x.shape[2:])
    return (np.broadcast_to(share, x.shape).copy(),), {}


def _slide(kind: MaxPool | AvgPool, x: Array) -> Slide:
    stride = kind.kernel_size if kind.stride is None else kind.stride
    return slide(x, kind.kernel_size, stride, kind.padding)


def _counted(over: Slide, x: Array) -> Array:
    """How many positions of x itself each window holds."""
    return _summed(over, over.pad(np.ones((1, 1, *x.shape[2:])), 0))


def _summed(over: Slide, padded: Array) -> Array:
    return reduce(np.add, (padded[reads] for _, reads in over.taps()))


def _spatial(x: Array) -> tuple[int, ...]:
    return tuple(range(2, x.ndim))


ROWS: dict[type[Kind], Row] = {
    MaxPool: Row(max_forward, max_backward),
    AvgPool: Row(avg_forward, avg_backward),
    GlobalMaxPool: Row(global_max_forward, global_max_backward),
    GlobalAvgPool: Row(global_avg_forward, global_avg_backward),
}
