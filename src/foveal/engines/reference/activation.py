"""Activations by definition."""

from __future__ import annotations

import numpy as np

from foveal.engines.reference.row import Array, Row, pointwise
from foveal.net.kind import Kind
from foveal.net.layers import ReLU, Sigmoid, Softmax, Tanh


def sigmoid(x: Array) -> Array:
    """1 / (1 + e⁻ˣ), written for each sign such that the exponential cannot overflow."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def softmax(x: Array) -> Array:
    """eˣ / Σ eˣ over the channels; less the largest x, which cancels, it cannot overflow."""
    e = np.exp(x - x.max(axis=1, keepdims=True))
    y: Array = e / e.sum(axis=1, keepdims=True)
    return y


def softmax_backward(x: Array, y: Array, dy: Array) -> Array:
    """∂yᵢ/∂xⱼ = yᵢ (δᵢⱼ - yⱼ)"""
    dx: Array = y * (dy - (dy * y).sum(axis=1, keepdims=True))
    return dx


ROWS: dict[type[Kind], Row] = {
    ReLU: pointwise(lambda x: np.maximum(x, 0), lambda x, y, dy: dy * (x > 0)),
    Tanh: pointwise(np.tanh, lambda x, y, dy: dy * (1 - y**2)),
    Sigmoid: pointwise(sigmoid, lambda x, y, dy: dy * y * (1 - y)),
    Softmax: pointwise(softmax, softmax_backward),
}
