"""Normalisation: a number less a mean, divided by a deviation, and which numbers those are of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from foveal.engines.reference.explaining.call import Call, Explainer, Told, term
from foveal.engines.reference.explaining.scales import gradient
from foveal.engines.reference.explaining.terms import Index, Number

Together = Callable[[Call, Index], Any]
"""(call, index) -> the index of all numbers that are normalised together with one"""


def of_channel(call: Call, index: Index) -> Any:
    """One channel of all samples."""
    return (slice(None), index[1])


def of_group(call: Call, index: Index) -> Any:
    """A group of neighbouring channels of one sample, at all positions."""
    size = call.xs[0].shape[1] // call.kind.groups
    first = index[1] // size * size
    return (index[0], slice(first, first + size))


def of_map(call: Call, index: Index) -> Any:
    """One channel of one sample."""
    return index[:2]


def of_layer(call: Call, index: Index) -> Any:
    """All channels of one sample, at one position or at all."""
    if call.kind.over == "all":
        return index[:1]
    return (index[0], slice(None), *index[2:])


def explainer(together: Together) -> Explainer:
    """The explainer of a normalisation, as one multiplication and one addition."""
    return Explainer(lambda call, index: _normalised(call, index, together), gradient)


def _normalised(call: Call, index: Index, together: Together) -> Told:
    x, weights = call.xs[0], call.weights
    if "running_mean" in weights and not call.context.training:
        mean, variance = (
            float(weights[name][index[1]]) for name in ("running_mean", "running_var")
        )
        of = "learned"
    else:
        numbers = x[together(call, index)]
        mean, variance = float(numbers.mean()), float(numbers.var())
        of = f"of {numbers.size} values"
    deviation = (variance + call.kind.eps) ** 0.5
    gain, shift, gain_at, shift_at = 1.0, 0.0, None, None
    if "weight" in weights:
        own = index[1 : 1 + weights["weight"].ndim]
        gain, shift = float(weights["weight"][own]), float(weights["bias"][own])
        gain_at, shift_at = call.tensor("weight", own), call.tensor("bias", own)
    told = (
        Number(f"mean, {of}", mean),
        Number(f"variance, {of}", variance),
        Number("deviation, √(variance + eps)", deviation),
        Number("normalised, (value - mean) / deviation", float(x[index] - mean) / deviation),
        *((Number("gain", gain, gain_at), Number("shift", shift, shift_at)) if gain_at else ()),
    )
    one = term(x[index], gain / deviation, call.read(index))
    formula = "value · gain / deviation + (shift - mean · gain / deviation)"
    return Told(formula, (one,), shift - mean * gain / deviation, numbers=told)


def local_response(call: Call, index: Index) -> Told:
    """x / (k + alpha / size Σ x²)^beta over neighbouring channels"""
    kind, x = call.kind, call.xs[0]
    sample, channel, *position = index
    first, last = channel - (kind.size - 1) // 2, channel + kind.size // 2
    near = range(max(first, 0), min(last, x.shape[1] - 1) + 1)
    places = [(sample, c, *position) for c in near]
    squares = [Number("value²", float(x[at] ** 2), call.read(at)) for at in places]
    whole = float(np.sum([square.value for square in squares]))
    base = kind.k + kind.alpha / kind.size * whole
    numbers = (*squares, Number("k + alpha / size · sum", base))
    formula = "value / (k + alpha / size · Σ value² of neighbouring channels)^beta"
    one = term(x[index], base**-kind.beta, call.read(index))
    return Told(formula, (one,), numbers=numbers)
