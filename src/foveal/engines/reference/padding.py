"""Padding by definition: for each position of the padded picture, the one whose value it has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foveal.engines.reference.row import Array

Margins = tuple[tuple[int, int], ...]
"""Positions before and after, for each spatial axis."""


def pad(x: Array, margins: Margins, fill: float | str) -> Array:
    """(N, C, ...) with margins of a constant, or of the picture's own values."""
    if not isinstance(fill, str):
        return np.pad(x, [(0, 0), (0, 0), *margins], constant_values=fill)
    for axis, (before, after) in enumerate(margins, start=2):
        x = np.take(x, _sources(x.shape[axis], before, after, fill), axis=axis)
    return x


def pad_backward(dy: Array, margins: Margins, fill: float | str) -> Array:
    """Each position of the picture gets the gradients of all that have its value."""
    for axis, (before, after) in enumerate(margins, start=2):
        n = dy.shape[axis] - before - after
        turned = np.moveaxis(dy, axis, 0)
        dx = turned[before : before + n].copy()
        if isinstance(fill, str):
            sources = _sources(n, before, after, fill)
            for place in (*range(before), *range(before + n, before + n + after)):
                dx[sources[place]] += turned[place]
        dy = np.moveaxis(dx, 0, axis)
    return dy


def _sources(n: int, before: int, after: int, fill: str) -> NDArray[np.intp]:
    """For each padded position along an axis the position, 0 … n - 1, whose value it has."""
    places = np.arange(-before, n + after)
    if fill == "replicate":
        return np.clip(places, 0, n - 1)
    if fill == "circular":
        return places % n
    # Reflection at the first and the last position, which are not repeated.
    folded: NDArray[np.intp] = (n - 1) - np.abs((n - 1) - np.abs(places))
    return folded
