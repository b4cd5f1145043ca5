"""What stands at the entrance of a net, by definition."""

from __future__ import annotations

from typing import Any

import numpy as np

from foveal.engines.reference.geometry import crop_starts, resized_sizes, triangle
from foveal.engines.reference.row import (
    Array,
    Arrays,
    Context,
    Row,
    Weights,
    per_channel,
    pointwise,
)
from foveal.net.kind import Kind
from foveal.net.layers import Crop, Expect, Identity, Input, Normalise, Resize


def input_forward(kind: Input, xs: Arrays, weights: Weights, context: Context) -> Array:
    """Bytes come with the channels last."""
    return np.moveaxis(xs[0], -1, 1) if kind.dtype == "uint8" else xs[0]


def input_backward(
    kind: Input, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    return (np.moveaxis(dy, 1, -1) if kind.dtype == "uint8" else dy,), {}


def resize_forward(kind: Resize, xs: Arrays, weights: Weights, context: Context) -> Array:
    """Triangles of whole numbers along each axis, one division, one rounding: exact."""
    y, total = xs[0], np.ones(())
    for axis, m in enumerate(resized_sizes(xs[0].shape[2:], kind.size), start=2):
        n = xs[0].shape[axis]
        weight = triangle(n, m, np.arange(n), np.arange(m))
        y = np.moveaxis(np.tensordot(weight, y, (1, axis)), 0, axis)
        total = total[..., None] * weight.sum(axis=1)
    levels: Array = np.rint(y / total)
    return levels


def resize_backward(
    kind: Resize, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    """A rounded level does not move with its pixels: the derivative is 0."""
    return (np.zeros_like(xs[0]),), {}


def crop_forward(kind: Crop, xs: Arrays, weights: Weights, context: Context) -> Array:
    y: Array = xs[0][_middle(kind, xs[0], context)]
    return y


def crop_backward(
    kind: Crop, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    dx = np.zeros_like(xs[0])
    dx[_middle(kind, dx, context)] = dy
    return (dx,), {}


def normalise_forward(kind: Normalise, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y = (x - mean) / std"""
    return (xs[0] - per_channel(kind.mean, xs[0])) / per_channel(kind.std, xs[0])


def normalise_backward(
    kind: Normalise, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    return (dy / per_channel(kind.std, xs[0]),), {}


def _middle(kind: Crop, x: Array, context: Context) -> Any:
    starts = crop_starts(x.shape[2:], kind.size, context.path)
    return (..., *(slice(start, start + size) for start, size in starts))


ROWS: dict[type[Kind], Row] = {
    Input: Row(input_forward, input_backward),
    Resize: Row(resize_forward, resize_backward),
    Crop: Row(crop_forward, crop_backward),
    Normalise: Row(normalise_forward, normalise_backward),
    Expect: pointwise(lambda x: x, lambda x, y, dy: dy),
    Identity: pointwise(lambda x: x, lambda x, y, dy: dy),
}
