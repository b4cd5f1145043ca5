"""Functions of single numbers, and of all channels at one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from foveal.engines.reference.explaining.call import Call, Explainer, Told, term
from foveal.engines.reference.explaining.terms import Index, Number, Term


def pointwise(formula: Callable[[Any], str]) -> Explainer:
    """The explainer of a function of one number: that number, and the function of it alone."""

    def value(call: Call, index: Index) -> Told:
        x = call.xs[0][index].reshape(1, 1)
        made = float(call.forward((x,), call.weights)[0, 0])
        said = formula(call.kind)
        return Told(said, (Term(float(x[0, 0]), None, made, call.read(index), note=said),))

    return Explainer(value)


def softmax(call: Call, index: Index) -> Told:
    """eˣ / Σ eˣ over the channels"""
    exponentials, largest, whole = _exponentials(call, index)
    own = exponentials[index[1]]
    note = "e^(value - largest) / their sum"
    one = Term(float(call.xs[0][index]), None, own.value / whole, own.at, note=note)
    numbers = (Number("largest", largest), *exponentials, Number("their sum", whole))
    return Told("e^(value - largest) / Σ e^(value - largest)", (one,), numbers=numbers)


def log_softmax(call: Call, index: Index) -> Told:
    """x - log Σ eˣ over the channels"""
    exponentials, largest, whole = _exponentials(call, index)
    less = largest + float(np.log(whole))
    numbers = (Number("largest", largest), *exponentials, Number("their sum", whole))
    one = term(call.xs[0][index], 1.0, call.read(index))
    return Told("value - largest - log Σ e^(value - largest)", (one,), -less, numbers=numbers)


def _exponentials(call: Call, index: Index) -> tuple[tuple[Number, ...], float, float]:
    """Of every channel at one place, the largest of the values, and the sum."""
    sample, _, *position = index
    x = call.xs[0]
    places = [(sample, channel, *position) for channel in range(x.shape[1])]
    largest = max(float(x[at]) for at in places)
    made = tuple(
        Number("e^(value - largest)", float(np.exp(x[at] - largest)), call.read(at))
        for at in places
    )
    return made, largest, float(np.sum([number.value for number in made]))
