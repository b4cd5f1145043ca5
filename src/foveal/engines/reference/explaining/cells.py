"""One number of many: pooling in all its forms, and maxout. All that take part are listed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from foveal.engines.reference.explaining.call import Call, Explainer, Told, term
from foveal.engines.reference.explaining.terms import Index
from foveal.engines.reference.row import Array
from foveal.engines.reference.sliding import Track, slide


class Held(NamedTuple):
    """What one number is made of."""

    places: list[Index]
    """Row by row."""
    values: Array
    padding: int
    """How many values are padding."""


Cells = Callable[[Call, Index], tuple[list[Index], int]]
"""(call, index) -> the places that a number is made of, and how many are padding"""
Weighing = Callable[[Call, Index, Held], tuple[Array, float | None]]
"""(call, index, what is held) -> weights; that of padding, a 0, or None if it never counts"""


def window(call: Call, index: Index) -> tuple[list[Index], int]:
    """What a window holds; padding is what was declared, not what `ceil` reads beyond it."""
    kind = call.kind
    stride = kind.kernel_size if kind.stride is None else kind.stride
    over = slide(call.xs[0], kind.kernel_size, stride, kind.padding, kind.dilation, kind.ceil)
    inside, held = [], []
    for track, start in zip(over.tracks, index[2:], strict=True):
        places = _places(track, start)
        inside.append([place for place in places if 0 <= place < track.n])
        held.append(len([p for p in places if -track.before <= p < track.n + track.after]))
    cells = [(*index[:2], *place) for place in product(*inside)]
    return cells, prod(held) - len(cells)


def _places(track: Track, output: int) -> list[int]:
    """Where the taps lie, counted from the first position of the picture."""
    first = track.starts[output] - track.before
    return [first + tap * track.dilation for tap in range(track.kernel_size)]


def everywhere(call: Call, index: Index) -> tuple[list[Index], int]:
    """All positions of a channel."""
    return [(*index[:2], *place) for place in np.ndindex(*call.xs[0].shape[2:])], 0


def adaptive(call: Call, index: Index) -> tuple[list[Index], int]:
    """From ⌊o n / m⌋ to below ⌈(o + 1) n / m⌉ along each axis."""
    sizes = zip(index[2:], call.xs[0].shape[2:], call.y.shape[2:], strict=True)
    ranges = [range(o * n // m, -(-(o + 1) * n // m)) for o, n, m in sizes]
    return [(*index[:2], *place) for place in product(*ranges)], 0


def pieces(call: Call, index: Index) -> tuple[list[Index], int]:
    """Neighbouring channels at one place."""
    sample, channel, *position = index
    count = call.kind.pieces
    channels = range(channel * count, (channel + 1) * count)
    return [(sample, c, *position) for c in channels], 0


def largest(call: Call, index: Index, held: Held) -> tuple[Array, float | None]:
    """1 for the largest, of equal ones the first."""
    return _one(held, int(held.values.argmax()))


def smallest(call: Call, index: Index, held: Held) -> tuple[Array, float | None]:
    """1 for the smallest, of equal ones the first."""
    return _one(held, int(held.values.argmin()))


def _one(held: Held, chosen: int) -> tuple[Array, None]:
    made = np.zeros(len(held.values))
    made[chosen] = 1
    return made, None


def window_mean(call: Call, index: Index, held: Held) -> tuple[Array, float | None]:
    """The same for all that counts."""
    if not call.kind.count_include_pad:
        return mean(call, index, held)
    share = 1 / (len(held.values) + held.padding)
    return np.full(len(held.values), share), share


def mean(call: Call, index: Index, held: Held) -> tuple[Array, float | None]:
    return np.full(len(held.values), 1 / len(held.values)), None


def plain_sum(call: Call, index: Index, held: Held) -> tuple[Array, float | None]:
    return np.ones(len(held.values)), 1.0


def power(call: Call, index: Index, held: Held) -> tuple[Array, float | None]:
    """y = (Σ|x|ᵖ)^(1/p) is Σ x · sign(x) (|x| / y)ᵖ⁻¹"""
    p = call.kind.p
    largest = np.abs(held.values).max()
    if largest == 0:
        return np.zeros(len(held.values)), 0.0
    y = largest * ((np.abs(held.values) / largest) ** p).sum() ** (1 / p)
    made: Array = np.sign(held.values) * (np.abs(held.values) / y) ** (p - 1)
    return made, 0.0


def proportion(call: Call, index: Index, held: Held) -> tuple[Array, float | None]:
    """The chance of each to be drawn; in training 1 for the one that was."""
    if call.context.training:
        (dx,) = call.derivatives(index)
        return np.array([dx[place] for place in held.places]), None
    positive = np.maximum(held.values, 0)
    whole = positive.sum()
    return (positive / whole if whole else positive), None


def explainer(formula: str, cells: Cells, weighing: Weighing) -> Explainer:
    """The explainer of a kind that makes one number of several of what it reads."""

    def value(call: Call, index: Index) -> Told:
        places, padding = cells(call, index)
        held = Held(places, np.array([call.xs[0][place] for place in places]), padding)
        weights, of_padding = weighing(call, index, held)
        terms = [
            term(x, weight, call.read(place))
            for x, weight, place in zip(held.values, weights, places, strict=True)
        ]
        if of_padding is not None:
            terms += [term(0.0, of_padding, None)] * padding
        return Told(formula, tuple(terms))

    return Explainer(value)
