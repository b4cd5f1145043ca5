"""Activations by definition."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from math import erfc, pi, sqrt
from typing import Any

import numpy as np

from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights, pointwise
from foveal.net.kind import Kind
from foveal.net.layers import (
    ELU,
    GELU,
    HardSigmoid,
    HardSwish,
    HardTanh,
    LeakyReLU,
    LogSoftmax,
    Maxout,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)

CUBIC = 0.044715
"""Of the tanh form of GELU: Hendrycks & Gimpel 2016, section 2."""
FLAT = 100.0
"""Beyond it e^(-x²) is 0 and tanh is 1 in every digit; x³ of larger numbers may overflow."""


def with_fields(
    forward: Callable[[Any, Array], Array], backward: Callable[[Any, Array, Array], Array]
) -> Row:
    """The row of a kind with fields and no weights: y = f(kind, x), and dx from kind, x and dy."""
    return Row(
        lambda kind, xs, weights, context: forward(kind, xs[0]),
        lambda kind, xs, y, weights, dy, context: ((backward(kind, xs[0], dy),), {}),
    )


def relu_backward(kind: ReLU, x: Array, dy: Array) -> Array:
    """1 between 0 and max, else 0; at the ends too"""
    return dy * ((x > 0) & (x < (np.inf if kind.max is None else kind.max)))


def hard_tanh_backward(kind: HardTanh, x: Array, dy: Array) -> Array:
    """1 between the bounds, else 0; at the bounds too"""
    return dy * ((x > kind.min) & (x < kind.max))


def elu(kind: ELU, x: Array) -> Array:
    return np.where(x > 0, x, kind.alpha * np.expm1(np.minimum(x, 0)))


def elu_backward(kind: ELU, x: Array, dy: Array) -> Array:
    """1 above 0, else alpha eˣ"""
    return dy * np.where(x > 0, 1, kind.alpha * np.exp(np.minimum(x, 0)))


_erfc = np.vectorize(erfc, otypes=[float])


def below(x: Array) -> Array:
    """Φ(x): the share of a normal distribution below x, with all digits for small ones."""
    share: Array = _erfc(-x / sqrt(2)) / 2
    return share


def gelu(kind: GELU, x: Array) -> Array:
    if kind.approximate == "none":
        return x * below(x)
    y: Array = x * (1 + np.tanh(_bent(x))) / 2
    return y


def gelu_backward(kind: GELU, x: Array, dy: Array) -> Array:
    """Φ(x) + x φ(x), φ the normal density; of the tanh form (1 + t)/2 + x (1 - t²)/2 * its slope"""
    near = np.clip(x, -FLAT, FLAT)
    if kind.approximate == "none":
        return dy * (below(x) + x * np.exp(-(near**2) / 2) / sqrt(2 * pi))
    t = np.tanh(_bent(x))
    slope = sqrt(2 / pi) * (1 + 3 * CUBIC * near**2)
    return dy * ((1 + t) / 2 + x * ((1 - t**2) * slope) / 2)


def _bent(x: Array) -> Array:
    """√(2/π) (x + 0.044715 x³)"""
    near = np.clip(x, -FLAT, FLAT)
    return sqrt(2 / pi) * (near + CUBIC * near**3)


def sigmoid(x: Array) -> Array:
    """1 / (1 + e⁻ˣ), written for each sign such that the exponential cannot overflow."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def silu_backward(x: Array, y: Array, dy: Array) -> Array:
    """s + x s (1 - s)"""
    s = sigmoid(x)
    return dy * (s + y * (1 - s))


def hard_sigmoid(x: Array) -> Array:
    return np.clip(x + 3, 0, 6) / 6


def hard_sigmoid_backward(x: Array, y: Array, dy: Array) -> Array:
    """1/6 between -3 and 3, else 0; at the ends too"""
    return dy * ((x > -3) & (x < 3)) / 6


def hard_swish(x: Array) -> Array:
    """x (x + 3) / 6 from -3 to 3, then 0 and x"""
    near = np.minimum(x, 3)
    return np.where(x >= 3, x, near * np.maximum(near + 3, 0) / 6)


def hard_swish_backward(x: Array, y: Array, dy: Array) -> Array:
    """x / 3 + 1/2 between -3 and 3; 0 at -3 and 1 at 3, as outside"""
    return dy * np.where(x <= -3, 0, np.where(x >= 3, 1, np.clip(x, -3, 3) / 3 + 0.5))


def softplus(kind: Softplus, x: Array) -> Array:
    """ln(1 + e^(beta x)) / beta, with the larger of both powers before the logarithm."""
    z = kind.beta * x
    return (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))) / kind.beta


def tanh(kind: Tanh, x: Array) -> Array:
    return kind.amplitude * np.tanh(kind.slope * x)


def tanh_backward(kind: Tanh, x: Array, dy: Array) -> Array:
    return dy * (kind.amplitude * kind.slope * (1 - np.tanh(kind.slope * x) ** 2))


def softmax(x: Array) -> Array:
    """eˣ / Σ eˣ over the channels; less the largest x, which cancels, it cannot overflow."""
    e = np.exp(x - x.max(axis=1, keepdims=True))
    y: Array = e / e.sum(axis=1, keepdims=True)
    return y


def softmax_backward(x: Array, y: Array, dy: Array) -> Array:
    """∂yᵢ/∂xⱼ = yᵢ (δᵢⱼ - yⱼ)"""
    dx: Array = y * (dy - (dy * y).sum(axis=1, keepdims=True))
    return dx


def log_softmax(x: Array) -> Array:
    """x - ln Σ eˣ over the channels; less the largest x, which cancels, it cannot overflow."""
    less = x - x.max(axis=1, keepdims=True)
    y: Array = less - np.log(np.exp(less).sum(axis=1, keepdims=True))
    return y


def log_softmax_backward(x: Array, y: Array, dy: Array) -> Array:
    """∂yᵢ/∂xⱼ = δᵢⱼ - e^yⱼ"""
    dx: Array = dy - np.exp(y) * dy.sum(axis=1, keepdims=True)
    return dx


def maxout(kind: Maxout, x: Array) -> Array:
    """y[n, c, p] = max over j < pieces of x[n, c pieces + j, p]"""
    return reduce(np.maximum, (x[:, j :: kind.pieces] for j in range(kind.pieces)))


def maxout_backward(
    kind: Maxout, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    """The largest value receives the gradient; of equal ones the first."""
    dx, without = np.zeros_like(xs[0]), np.ones(y.shape, bool)
    for j in range(kind.pieces):
        first = without & (xs[0][:, j :: kind.pieces] == y)
        dx[:, j :: kind.pieces] = dy * first
        without &= ~first
    return (dx,), {}


ROWS: dict[type[Kind], Row] = {
    ReLU: with_fields(lambda kind, x: np.clip(x, 0, kind.max), relu_backward),
    LeakyReLU: with_fields(
        lambda kind, x: np.where(x > 0, x, kind.slope * x),
        lambda kind, x, dy: dy * np.where(x > 0, 1, kind.slope),
    ),
    ELU: with_fields(elu, elu_backward),
    GELU: with_fields(gelu, gelu_backward),
    SiLU: pointwise(lambda x: x * sigmoid(x), silu_backward),
    HardSwish: pointwise(hard_swish, hard_swish_backward),
    Softplus: with_fields(softplus, lambda kind, x, dy: dy * sigmoid(kind.beta * x)),
    Tanh: with_fields(tanh, tanh_backward),
    HardTanh: with_fields(lambda kind, x: np.clip(x, kind.min, kind.max), hard_tanh_backward),
    Sigmoid: pointwise(sigmoid, lambda x, y, dy: dy * y * (1 - y)),
    HardSigmoid: pointwise(hard_sigmoid, hard_sigmoid_backward),
    Softmax: pointwise(softmax, softmax_backward),
    LogSoftmax: pointwise(log_softmax, log_softmax_backward),
    Maxout: Row(lambda kind, xs, weights, context: maxout(kind, xs[0]), maxout_backward),
}
