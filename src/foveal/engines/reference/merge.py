"""Joining branches by definition."""

from __future__ import annotations

from functools import reduce

import numpy as np

from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights
from foveal.net.kind import Kind
from foveal.net.layers import Add, Concat


def add(kind: Add, xs: Arrays, weights: Weights, context: Context) -> Array:
    return reduce(np.add, xs)


def add_backward(
    kind: Add, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    return tuple(dy for _ in xs), {}


def concat(kind: Concat, xs: Arrays, weights: Weights, context: Context) -> Array:
    return np.concatenate(xs, axis=1)


def concat_backward(
    kind: Concat, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    ends = np.cumsum([x.shape[1] for x in xs])
    return tuple(np.split(dy, ends[:-1], axis=1)), {}


ROWS: dict[type[Kind], Row] = {
    Add: Row(add, add_backward),
    Concat: Row(concat, concat_backward),
}
