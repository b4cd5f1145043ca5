"""What acts in training only, by definition."""

from __future__ import annotations

from foveal.engines.masks import mask
from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights
from foveal.net.kind import Kind
from foveal.net.layers import Dropout, DropPath


def forward(kind: Dropout | DropPath, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y = x kept / (1 - p) in training, x otherwise"""
    return _dropped(kind, xs[0], context)


def backward(
    kind: Dropout | DropPath, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    return (_dropped(kind, dy, context),), {}


def _dropped(kind: Dropout | DropPath, x: Array, context: Context) -> Array:
    if context.training is None:
        return x
    training = context.training
    kept = mask(training.seed, training.step, context.path, _drawn(kind, x.shape), kind.p)
    return x * kept / (1 - kind.p)


def _drawn(kind: Dropout | DropPath, shape: tuple[int, ...]) -> tuple[int, ...]:
    """One draw for each value, for each channel of a sample, or for each sample."""
    if isinstance(kind, Dropout) and not kind.spatial:
        return shape
    several = 2 if isinstance(kind, Dropout) else 1
    return (*shape[:several], *(1 for _ in shape[several:]))


ROWS: dict[type[Kind], Row] = {
    Dropout: Row(forward, backward),
    DropPath: Row(forward, backward),
}
