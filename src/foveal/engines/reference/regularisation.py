"""What acts in training only, by definition."""

from __future__ import annotations

from foveal.engines.masks import mask
from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights
from foveal.net.kind import Kind
from foveal.net.layers import Dropout


def forward(kind: Dropout, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y = x kept / (1 - p) in training, x otherwise"""
    return _dropped(kind, xs[0], context)


def backward(
    kind: Dropout, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    return (_dropped(kind, dy, context),), {}


def _dropped(kind: Dropout, x: Array, context: Context) -> Array:
    if context.training is None:
        return x
    training = context.training
    kept = mask(training.seed, training.step, context.path, x.shape, kind.p)
    return x * kept / (1 - kind.p)


ROWS: dict[type[Kind], Row] = {Dropout: Row(forward, backward)}
