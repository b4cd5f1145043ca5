"""Numbers that are moved, added, or multiplied with each other."""

from __future__ import annotations

from math import prod

import numpy as np

from foveal.engines.reference.explaining.call import (
    Call,
    Explainer,
    Told,
    ToldGradient,
    gradient_term,
    term,
    total,
    where,
)
from foveal.engines.reference.explaining.terms import Index, Number, Term
from foveal.engines.reference.geometry import resized_sizes, triangle
from foveal.engines.reference.row import Array


def affine(formula: str) -> Explainer:
    """The explainer of a kind whose numbers are sums of what it reads, each with a fixed weight.

    The weights are its derivatives. What it makes of zeros is what is added to them.
    """

    def value(call: Call, index: Index) -> Told:
        terms = [
            term(x[at], dx[at], call.read(at, branch))
            for branch, (x, dx) in enumerate(zip(call.xs, call.derivatives(index), strict=True))
            for at in where(dx != 0)
        ]
        of_zeros = call.forward(tuple(map(np.zeros_like, call.xs)), call.weights)[index]
        return Told(formula, tuple(terms), float(of_zeros))

    return Explainer(value)


def padded(call: Call, index: Index) -> Told:
    """A number of the picture, or the constant around it."""
    told = affine("moved").value(call, index)
    if told.terms:
        return told
    return Told("padding", (term(call.kind.fill, 1.0, None),))


def resized(call: Call, index: Index) -> Told:
    """A mean of neighbours, rounded to a whole level."""
    x, (sample, channel, *position) = call.xs[0], index
    alongs = [
        triangle(n, m, np.arange(n), np.array([o]))[0]
        for n, m, o in zip(
            x.shape[2:], resized_sizes(x.shape[2:], call.kind.size), position, strict=True
        )
    ]
    weights = np.ones(())
    for along in alongs:
        weights = weights[..., None] * along
    whole, values = weights.sum(), x[sample, channel]
    terms = tuple(
        term(values[at], weights[at] / whole, call.read((sample, channel, *at)))
        for at in where(weights != 0)
    )
    exact = float((weights * values).sum() / whole)
    level = float(np.clip(np.rint(exact), 0, 255))
    numbers = (Number("mean", exact), Number("rounded to a whole level", level))
    rounding = level - total(terms)
    formula = "mean of neighbours, rounded; what is added is the rounding"
    return Told(formula, terms, rounding, numbers=numbers)


def multiplied(call: Call, index: Index) -> Told:
    """The first factor is the value, the others are its weight."""
    places = [_where_equal_or_one(index, x) for x in call.xs]
    factors = [float(x[at]) for x, at in zip(call.xs, places, strict=True)]
    read = [call.read(at, branch) for branch, at in enumerate(places)]
    weight_at = read[1] if len(read) == 2 else None
    numbers = tuple(Number("factor", factor, at) for factor, at in zip(factors, read, strict=True))
    terms = (term(factors[0], prod(factors[1:]), read[0], weight_at),)
    return Told("product of the branches", terms, numbers=numbers)


def _where_equal_or_one(index: Index, x: Array) -> Index:
    """The place in a value that may be stretched along axes of 1."""
    first, *rest = index
    return (first, *(i if n > 1 else 0 for i, n in zip(rest, x.shape[1:], strict=True)))


def combined(call: Call, index: Index) -> Told:
    """y[t, s] = Σ_k coefficients[k, t] prototypes[k, s]"""
    prototypes, coefficients = call.xs
    sample, target, *position = index
    toward = tuple(map(int, np.unravel_index(target, coefficients.shape[2:] or (1,))))
    terms = []
    for k in range(prototypes.shape[1]):
        at = (sample, k, *position)
        by = (sample, k, *toward) if coefficients.ndim > 2 else (sample, k)
        terms.append(term(prototypes[at], coefficients[by], call.read(at), call.read(by, 1)))
    return Told("Σ prototype · coefficient", tuple(terms))


def embedded(call: Call, index: Index) -> Told:
    """One row of a table, chosen by the number that was read."""
    sample, feature, *position = index
    x = call.xs[0]
    at = (sample, *position) if x.ndim == 2 else (sample, 0, *position)
    chosen = (int(x[at]), feature)
    weight_at = call.tensor("weight", chosen)
    held = float(call.weights["weight"][chosen])
    one = Term(float(x[at]), None, held, call.read(at), weight_at, "row of the table")
    return Told("the row of the table with this number", (one,))


def embedded_gradient(call: Call, dy: Array, name: str, index: Index) -> ToldGradient:
    """A row is used wherever its number was read."""
    row, feature = index
    x = call.xs[0]
    terms = []
    for at in where(x == row):
        position = at[1:] if x.ndim == 2 else at[2:]
        output = (at[0], feature, *position)
        terms.append(gradient_term(dy[output], 1.0, call.made(output), call.read(at)))
    told = tuple(terms)
    return ToldGradient("Σ upstream, wherever the row's number was read", told, total(told))


def distance(call: Call, index: Index) -> Told:
    """y_o = Σ_i (x_i - weight[o, i])²"""
    sample, o = index
    terms = []
    for i, (x, w) in enumerate(zip(call.xs[0][sample], call.weights["weight"][o], strict=True)):
        at, weight_at = call.read((sample, i)), call.tensor("weight", (o, i))
        square = float((x - w) ** 2)
        terms.append(Term(float(x), float(w), square, at, weight_at, "(value - weight)²"))
    return Told("Σ (value - weight)²", tuple(terms))


def distance_gradient(call: Call, dy: Array, name: str, index: Index) -> ToldGradient:
    """∂y_o/∂weight[o, i] = -2 (x_i - weight[o, i])"""
    o, i = index
    w = call.weights["weight"][index]
    terms = tuple(
        gradient_term(dy[n, o], -2 * (x - w), call.made((n, o)), call.read((n, i)))
        for n, x in enumerate(call.xs[0][:, i])
    )
    return ToldGradient("Σ upstream · -2 (value - weight)", terms, total(terms))
