"""Joining branches by definition."""

from __future__ import annotations

from functools import reduce
from math import prod

import numpy as np

from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights
from foveal.net.kind import Kind
from foveal.net.layers import Add, Combine, Concat, Multiply


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


def multiply(kind: Multiply, xs: Arrays, weights: Weights, context: Context) -> Array:
    """A gate with a size of 1 weighs all positions of that axis."""
    return reduce(np.multiply, xs)


def multiply_backward(
    kind: Multiply, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    """Each branch gets dy times all others, summed over what it was used for."""
    dxs = []
    for number, x in enumerate(xs):
        flows = reduce(np.multiply, [*xs[:number], *xs[number + 1 :]], dy)
        shared = tuple(axis for axis in range(1, dy.ndim) if x.shape[axis] < dy.shape[axis])
        dxs.append(flows.sum(axis=shared, keepdims=True))
    return tuple(dxs), {}


def combine(kind: Combine, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, t, s] = Σ_k coefficients[n, k, t] prototypes[n, k, s]"""
    prototypes, coefficients = map(_matrices, xs)
    y: Array = np.einsum("nkt,nks->nts", coefficients, prototypes)
    return y.reshape(*y.shape[:2], *xs[0].shape[2:])


def combine_backward(
    kind: Combine, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    prototypes, coefficients = map(_matrices, xs)
    flows = _matrices(dy)
    dprototypes = np.einsum("nkt,nts->nks", coefficients, flows)
    dcoefficients = np.einsum("nks,nts->nkt", prototypes, flows)
    return (dprototypes.reshape(xs[0].shape), dcoefficients.reshape(xs[1].shape)), {}


def _matrices(x: Array) -> Array:
    """(N, K, positions), with one position if there is no axis."""
    return x.reshape(*x.shape[:2], prod(x.shape[2:]))


ROWS: dict[type[Kind], Row] = {
    Add: Row(add, add_backward),
    Concat: Row(concat, concat_backward),
    Multiply: Row(multiply, multiply_backward),
    Combine: Row(combine, combine_backward),
}
