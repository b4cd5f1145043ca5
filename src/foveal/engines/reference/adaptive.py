"""Adaptive pooling by definition: window after window."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import ceil, floor, prod
from typing import Any

import numpy as np

from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights
from foveal.engines.reference.sliding import each
from foveal.net.kind import Kind
from foveal.net.layers import AdaptiveAvgPool, AdaptiveMaxPool

Pool = AdaptiveAvgPool | AdaptiveMaxPool


def max_forward(kind: AdaptiveMaxPool, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, c, o] = max of x[n, c, i] over floor(o n / m) ≤ i < ceil((o + 1) n / m)"""
    y = _empty(kind, xs[0])
    for at, read in _windows(kind, xs[0]):
        y[at] = xs[0][read].max(axis=_spatial(y))
    return y


def max_backward(
    kind: AdaptiveMaxPool, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    """The largest value receives the gradient; of equal ones the first, row by row."""
    dx = np.zeros_like(xs[0])
    for at, read in _windows(kind, xs[0]):
        cells = xs[0][read]
        rows = cells.reshape(*cells.shape[:2], prod(cells.shape[2:]))
        first = np.zeros_like(rows)
        np.put_along_axis(first, rows.argmax(axis=2)[..., None], dy[at][..., None], axis=2)
        dx[read] += first.reshape(cells.shape)
    return (dx,), {}


def avg_forward(kind: AdaptiveAvgPool, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, c, o] = mean of x[n, c, i] over floor(o n / m) ≤ i < ceil((o + 1) n / m)"""
    y = _empty(kind, xs[0])
    for at, read in _windows(kind, xs[0]):
        y[at] = xs[0][read].mean(axis=_spatial(y))
    return y


def avg_backward(
    kind: AdaptiveAvgPool, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    dx = np.zeros_like(xs[0])
    for at, read in _windows(kind, xs[0]):
        share = dy[at] / prod(dx[read].shape[2:])
        dx[read] += share.reshape(*share.shape, *(1,) * (dx.ndim - 2))
    return (dx,), {}


def _windows(kind: Pool, x: Array) -> Iterator[tuple[Any, Any]]:
    """Each output position with the positions it reads."""
    sizes = x.shape[2:]
    wanted = each(kind.size, len(sizes))
    for place in product(*map(range, wanted)):
        axes = zip(place, sizes, wanted, strict=True)
        reads = (slice(floor(o * n / m), ceil((o + 1) * n / m)) for o, n, m in axes)
        yield (..., *place), (..., *reads)


def _empty(kind: Pool, x: Array) -> Array:
    return np.empty((*x.shape[:2], *each(kind.size, x.ndim - 2)))


def _spatial(x: Array) -> tuple[int, ...]:
    return tuple(range(2, x.ndim))


ROWS: dict[type[Kind], Row] = {
    AdaptiveMaxPool: Row(max_forward, max_backward),
    AdaptiveAvgPool: Row(avg_forward, avg_backward),
}
