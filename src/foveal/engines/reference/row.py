"""What the reference engine knows of one kind: its formula, and the formula's derivative."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Arrays = tuple[Array, ...]
Weights = Mapping[str, Array]
"""The tensors of one step by their names within the kind (`weight`, not `conv1.weight`)."""


@dataclass(frozen=True)
class Training:
    """One step of a training, on which alone random masks depend."""

    seed: int
    step: int


@dataclass(frozen=True)
class Context:
    """What a formula may depend on besides what arrives and the weights."""

    path: str
    training: Training | None = None
    """None while the net predicts."""


def _no_statistics(kind: Any, xs: Arrays, weights: Weights) -> Weights:
    return {}


@dataclass(frozen=True)
class Row:
    """The formula of one kind, N first, then channels, then the spatial axes."""

    forward: Callable[[Any, Arrays, Weights, Context], Array]
    """(kind, xs, weights, context) -> y"""
    backward: Callable[[Any, Arrays, Array, Weights, Array, Context], tuple[Arrays, Weights]]
    """(kind, xs, y, weights, dy, context) -> (dxs, dweights), for the trained weights"""
    statistics: Callable[[Any, Arrays, Weights], Weights] = _no_statistics
    """(kind, xs, weights) -> the statistics after a training step on xs"""


def pointwise(
    forward: Callable[[Array], Array], backward: Callable[[Array, Array, Array], Array]
) -> Row:
    """The row of a kind without fields and weights: y = f(x), and dx from x, y and dy."""
    return Row(
        lambda kind, xs, weights, context: forward(xs[0]),
        lambda kind, xs, y, weights, dy, context: ((backward(xs[0], y, dy),), {}),
    )


def per_channel(values: Array | tuple[float, ...], x: Array) -> Array:
    """One number for all channels of x or one for each, to be used at every position."""
    return np.reshape(values, (-1, *(1,) * (x.ndim - 2)))
