"""Unpooling by definition: each value to the place of the largest of its window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights
from foveal.engines.reference.sliding import Slide, slide
from foveal.net.kind import Kind
from foveal.net.layers import MaxUnpool


def forward(kind: MaxUnpool, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, c, i] = v[n, c, o] where i is the first place of the largest x of window o, else 0"""
    values, x = xs
    over = _slide(kind, x)
    y = over.pad(np.zeros_like(x), 0)
    for reads, first in _places(over, x):
        y[reads] += values * first
    return over.unpad(y)


def backward(
    kind: MaxUnpool, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    """A place is chosen, not computed: the gradient flows to the values alone."""
    values, x = xs
    over = _slide(kind, x)
    padded, dvalues = over.pad(dy, 0), np.zeros_like(values)
    for reads, first in _places(over, x):
        dvalues += padded[reads] * first
    return (dvalues, np.zeros_like(x)), {}


def _places(over: Slide, x: Array) -> Iterator[tuple[Any, Array]]:
    """For each tap what it reads, and in which windows it is the first of the largest values."""
    padded, inside = over.pad(x, -np.inf), over.pad(np.ones_like(x), 0)
    largest = np.max([padded[reads] for _, reads in over.taps()], axis=0)
    without = np.ones(largest.shape, bool)
    for _, reads in over.taps():
        first = without & (padded[reads] == largest) & (inside[reads] == 1)
        without &= ~first
        yield reads, first


def _slide(kind: MaxUnpool, x: Array) -> Slide:
    stride = kind.kernel_size if kind.stride is None else kind.stride
    return slide(x, kind.kernel_size, stride, kind.padding)


ROWS: dict[type[Kind], Row] = {MaxUnpool: Row(forward, backward)}
