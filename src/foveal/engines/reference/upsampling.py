"""Upsampling by definition: where an output lies among what arrives, and what it reads there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights
from foveal.engines.reference.sliding import each
from foveal.net.kind import Kind
from foveal.net.layers import Upsample


def forward(kind: Upsample, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[o] = Σ weight[o, i] x[i] over the positions that weigh anything, axis by axis"""
    y = xs[0]
    for axis, factor in enumerate(each(kind.factor, y.ndim - 2), start=2):
        x = np.moveaxis(y, axis, 0)
        made = np.zeros((len(x) * factor, *x.shape[1:]))
        for reads, weight in _reads(kind, len(x), factor):
            weight = weight.reshape(-1, *(1,) * (x.ndim - 1))
            made += np.where(weight == 0, 0, weight * x[reads])
        y = np.moveaxis(made, 0, axis)
    return y


def backward(
    kind: Upsample, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    """Each position gets the gradients of the outputs that read it, times the same weights."""
    dx = dy
    for axis, factor in enumerate(each(kind.factor, dy.ndim - 2), start=2):
        arriving = np.moveaxis(dx, axis, 0)
        made = np.zeros((xs[0].shape[axis], *arriving.shape[1:]))
        for reads, weight in _reads(kind, len(made), factor):
            np.add.at(made, reads, weight.reshape(-1, *(1,) * (dx.ndim - 1)) * arriving)
        dx = np.moveaxis(made, 0, axis)
    return (dx,), {}


def _reads(kind: Upsample, n: int, factor: int) -> Iterator[tuple[NDArray[np.intp], Array]]:
    """For each of n factor outputs the position before it and the one after, with their weights.

    1 - the distance, where it is below 1; of an output that lies before the first centre or after
    the last, the nearest position has all the weight.
    """
    o = np.arange(n * factor)
    places: Array
    if kind.mode == "nearest":
        places = (o // factor).astype(float)
    elif kind.align_corners:
        places = o * (n - 1) / max(1, n * factor - 1)
    else:
        places = (2 * o + 1 - factor) / (2 * factor)
    places = np.clip(places, 0, n - 1)
    before = np.floor(places).astype(np.intp)
    yield before, 1 - (places - before)
    yield np.minimum(before + 1, n - 1), places - before


ROWS: dict[type[Kind], Row] = {Upsample: Row(forward, backward)}
