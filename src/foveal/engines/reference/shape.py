"""Values in another place, by definition."""

from __future__ import annotations

import numpy as np

from foveal.engines.reference.padding import Margins, pad, pad_backward
from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights
from foveal.engines.reference.sliding import each
from foveal.net.kind import Kind
from foveal.net.layers import Pad, Reshape, Take


def reshape(kind: Reshape, xs: Arrays, weights: Weights, context: Context) -> Array:
    """Value number i, counted row by row, is value number i."""
    return xs[0].reshape(len(xs[0]), *each(kind.shape, 1))


def reshape_backward(
    kind: Reshape, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    return (dy.reshape(xs[0].shape),), {}


def padded(kind: Pad, xs: Arrays, weights: Weights, context: Context) -> Array:
    return pad(xs[0], _margins(kind, xs[0]), kind.fill)


def padded_backward(
    kind: Pad, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    return (pad_backward(dy, _margins(kind, xs[0]), kind.fill),), {}


def take(kind: Take, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, o] = x[n, channels[o]]"""
    return np.stack([xs[0][:, channel] for channel in kind.channels], axis=1)


def take_backward(
    kind: Take, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    """A channel gets the gradients of all that it was taken for."""
    dx = np.zeros_like(xs[0])
    for number, channel in enumerate(kind.channels):
        dx[:, channel] += dy[:, number]
    return (dx,), {}


def _margins(kind: Pad, x: Array) -> Margins:
    sides = (each(side, 2) for side in each(kind.padding, x.ndim - 2))
    return tuple((before, after) for before, after in sides)


ROWS: dict[type[Kind], Row] = {
    Reshape: Row(reshape, reshape_backward),
    Pad: Row(padded, padded_backward),
    Take: Row(take, take_backward),
}
