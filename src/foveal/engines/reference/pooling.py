"""Pooling by definition: one value for each window of each channel."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal.engines.masks import uniform
from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights
from foveal.engines.reference.sliding import Slide, slide
from foveal.net.kind import Kind
from foveal.net.layers import AvgPool, LpPool, MaxPool, MinPool, StochasticPool, SumPool

Pool = MaxPool | MinPool | AvgPool | SumPool | LpPool | StochasticPool


def extreme(better: Callable[[Array, Array], Array], worst: float) -> Row:
    """y[n, c, p] = the best over taps of x[n, c, p stride + tap dilation]; padding never wins"""

    def forward(kind: MaxPool | MinPool, xs: Arrays, weights: Weights, context: Context) -> Array:
        over = _slide(kind, xs[0])
        padded = over.pad(xs[0], worst)
        return reduce(better, (padded[reads] for _, reads in over.taps()))

    def backward(
        kind: MaxPool | MinPool,
        xs: Arrays,
        y: Array,
        weights: Weights,
        dy: Array,
        context: Context,
    ) -> tuple[Arrays, Weights]:
        """The best value receives the gradient; of equal ones the first, row by row."""
        over = _slide(kind, xs[0])
        padded, inside = over.pad(xs[0], worst), over.pad(np.ones_like(xs[0]), 0)
        dx, without = np.zeros_like(padded), np.ones(y.shape, bool)
        for _, reads in over.taps():
            first = without & (padded[reads] == y) & (inside[reads] == 1)
            dx[reads] += dy * first
            without &= ~first
        return (over.unpad(dx),), {}

    return Row(forward, backward)


def avg_forward(kind: AvgPool, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, c, p] = mean over taps of x[n, c, p stride + tap dilation] that are counted"""
    over = _slide(kind, xs[0])
    return _summed(over, over.pad(xs[0], 0)) / _counted(over, xs[0], kind.count_include_pad)


def avg_backward(
    kind: AvgPool, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    over = _slide(kind, xs[0])
    return (_spread(over, xs[0], dy / _counted(over, xs[0], kind.count_include_pad)),), {}


def sum_forward(kind: SumPool, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, c, p] = Σ over taps of x[n, c, p stride + tap dilation]; padding is 0"""
    over = _slide(kind, xs[0])
    return _summed(over, over.pad(xs[0], 0))


def sum_backward(
    kind: SumPool, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    return (_spread(_slide(kind, xs[0]), xs[0], dy),), {}


def lp_forward(kind: LpPool, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, c, p] = (Σ over taps of |x[n, c, p stride + tap dilation]|^p)^(1/p); padding is 0"""
    over = _slide(kind, xs[0])
    padded = over.pad(np.abs(xs[0]), 0)
    return norm([padded[reads] for _, reads in over.taps()], kind.p)


def lp_backward(
    kind: LpPool, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    over = _slide(kind, xs[0])
    padded = over.pad(xs[0], 0)
    dx = np.zeros_like(padded)
    for _, reads in over.taps():
        dx[reads] += dy * norm_slope(padded[reads], y, kind.p)
    return (over.unpad(dx),), {}


def norm(sizes: list[Array], p: int) -> Array:
    """(Σ |x|^p)^(1/p) over a list of |x|: m (Σ (|x| / m)^p)^(1/p), which no p makes too large."""
    largest = reduce(np.maximum, sizes)
    unit = np.where(largest == 0, 1, largest)
    total = reduce(np.add, ((size / unit) ** p for size in sizes))
    made: Array = largest * total ** (1 / p)
    return made


def norm_slope(x: Array, y: Array, p: int) -> Array:
    """∂y/∂x = sign(x) (|x| / y)^(p - 1) of a p-norm y; 0 where all values are 0"""
    return np.sign(x) * (np.abs(x) / np.where(y == 0, 1, y)) ** (p - 1)


def stochastic_forward(
    kind: StochasticPool, xs: Arrays, weights: Weights, context: Context
) -> Array:
    """Σ a² / Σ a of a = max(x, 0), 0 where all are 0; in training the a that is drawn"""
    over = _slide(kind, xs[0])
    a = over.pad(np.maximum(xs[0], 0), 0)
    if context.training is not None:
        drawn = _drawn(over, a, context)
        return reduce(np.add, (a[reads] * (drawn == t) for t, (_, reads) in enumerate(over.taps())))
    total = _summed(over, a)
    return _summed(over, a**2) / np.where(total == 0, 1, total)


def stochastic_backward(
    kind: StochasticPool, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    over = _slide(kind, xs[0])
    a = over.pad(np.maximum(xs[0], 0), 0)
    da = np.zeros_like(a)
    if context.training is not None:
        drawn = _drawn(over, a, context)
        for t, (_, reads) in enumerate(over.taps()):
            da[reads] += dy * (drawn == t)
    else:
        total = _summed(over, a)
        share = dy / np.where(total == 0, 1, total)
        for _, reads in over.taps():
            da[reads] += share * (2 * a[reads] - y)
    return (over.unpad(da) * (xs[0] > 0),), {}


def _drawn(over: Slide, a: Array, context: Context) -> NDArray[np.intp]:
    """The tap that each window draws: the first at which the sum so far is above u Σ a."""
    assert context.training is not None
    so_far = np.cumsum([a[reads] for _, reads in over.taps()], axis=0)
    u = uniform(context.training.seed, context.training.step, context.path, so_far.shape[1:])
    drawn: NDArray[np.intp] = (so_far <= u * so_far[-1]).sum(axis=0)
    return drawn


def _slide(kind: Pool, x: Array) -> Slide:
    stride = kind.kernel_size if kind.stride is None else kind.stride
    return slide(x, kind.kernel_size, stride, kind.padding, kind.dilation, kind.ceil)


def _counted(over: Slide, x: Array, padding: bool) -> Array:
    """How many positions of x itself each window holds, or with `padding` of x and its padding."""
    ones = np.ones((1, 1, *x.shape[2:]))
    if padding:
        whole = np.pad(ones, [(0, 0), (0, 0), *over.margins], constant_values=1)
        beyond = [(0, track.beyond) for track in over.tracks]
        return _summed(over, np.pad(whole, [(0, 0), (0, 0), *beyond]))
    return _summed(over, over.pad(ones, 0))


def _summed(over: Slide, padded: Array) -> Array:
    return reduce(np.add, (padded[reads] for _, reads in over.taps()))


def _spread(over: Slide, x: Array, share: Array) -> Array:
    """Every position gets the share of each window that reads it."""
    dx: Any = over.pad(np.zeros_like(x), 0)
    for _, reads in over.taps():
        dx[reads] += share
    return over.unpad(dx)


ROWS: dict[type[Kind], Row] = {
    MaxPool: extreme(np.maximum, -np.inf),
    MinPool: extreme(np.minimum, np.inf),
    AvgPool: Row(avg_forward, avg_backward),
    SumPool: Row(sum_forward, sum_backward),
    LpPool: Row(lp_forward, lp_backward),
    StochasticPool: Row(stochastic_forward, stochastic_backward),
}
