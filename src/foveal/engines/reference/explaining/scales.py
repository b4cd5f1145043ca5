"""Weights that each have one number to multiply, or to be added to."""

from __future__ import annotations

import numpy as np

from foveal.engines.reference.explaining.call import (
    Call,
    Explainer,
    Told,
    ToldGradient,
    gradient_term,
    term,
    total,
)
from foveal.engines.reference.explaining.terms import Index
from foveal.engines.reference.row import Array


def gradient(call: Call, dy: Array, name: str, index: Index) -> ToldGradient:
    """Of a tensor in the shape of the first axes after the samples (channels, or all).

    What a weight multiplies is what the step makes with all weights 1 and no bias.
    """
    if name == "bias":
        return bias_gradient(call, dy, index)
    ones = {name: np.ones_like(call.weights[name])}
    without = {"bias": np.zeros_like(call.weights["bias"])} if "bias" in call.weights else {}
    values = call.forward(call.xs, {**call.weights, **without, **ones})
    terms = tuple(
        gradient_term(dy[at], values[at], call.made(at), call.read(at)) for at in _with(dy, index)
    )
    return ToldGradient("Σ upstream · what the weight multiplies", terms, total(terms))


def bias_gradient(call: Call, dy: Array, index: Index) -> ToldGradient:
    """A bias is added to every number that begins with its index."""
    terms = tuple(gradient_term(dy[at], 1.0, call.made(at), None) for at in _with(dy, index))
    return ToldGradient("Σ upstream: the bias is added as it is", terms, total(terms))


def _with(dy: Array, index: Index) -> list[Index]:
    """Every place of a value whose numbers after the sample begin with an index."""
    rest = dy.shape[1 + len(index) :]
    return [
        (sample, *index, *position) for sample in range(len(dy)) for position in np.ndindex(*rest)
    ]


def scale(call: Call, index: Index) -> Told:
    """y = weight_c x, + bias_c"""
    channel = (index[1],)
    weight = call.weights["weight"][channel]
    at = call.tensor("weight", channel)
    terms = (term(call.xs[0][index], weight, call.read(index), at),)
    if "bias" not in call.weights:
        return Told("value · weight", terms)
    bias = float(call.weights["bias"][channel])
    return Told("value · weight + bias", terms, bias, call.tensor("bias", channel))


SCALE = Explainer(scale, gradient)
