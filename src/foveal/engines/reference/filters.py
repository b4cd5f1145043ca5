"""What is done to weights before they are used, and what that means for their gradients."""

from __future__ import annotations

import numpy as np

from foveal.engines.reference.row import Array, Weights
from foveal.net.layers import Conv, Dense, Depthwise

Filtering = Conv | Depthwise | Dense


def used(kind: Filtering, tensors: Weights, num_channels: int) -> Array:
    """The weights as they enter the sums: lengthened, the same for all channels, divided, turned.

    Shape:   (filters, channels or 1, *kernel) -> (out_channels, channels, *kernel);
             of a matrix (out_features, in_features) -> the same
    """
    w = tensors["weight"]
    if kind.weight == "weight_norm":
        w = per_filter(tensors["gain"], w) * w / _length(w)
    w = spread(kind, w, num_channels)
    if kind.weight == "unit_sum":
        w = w / _sum(w)
    return _turned(kind, w)


def used_backward(
    kind: Filtering, tensors: Weights, num_channels: int, dw: Array
) -> dict[str, Array]:
    """The gradients of the tensors, from those of the weights as they were used."""
    dw = _turned(kind, dw)
    v = tensors["weight"]
    if kind.weight == "unit_sum":
        # u = w / Σw, so ∂u_i/∂w_j = (δ_ij - u_i) / Σw
        total = _sum(spread(kind, v, num_channels))
        u = spread(kind, v, num_channels) / total
        dw = (dw - _sum(dw * u)) / total
    dw = gathered(kind, dw, v.shape)
    if kind.weight != "weight_norm":
        return {"weight": dw}
    # w = g v / |v|, so ∂w/∂g = v / |v| and ∂w/∂v = g / |v| (1 - v vᵀ / |v|²)
    direction = v / _length(v)
    along = _sum(dw * direction)
    dv = per_filter(tensors["gain"], v) / _length(v) * (dw - along * direction)
    return {"weight": dv, "gain": along.reshape(-1)}


def spread(kind: Filtering, w: Array, num_channels: int) -> Array:
    """One kernel for all channels, as many times as there are channels."""
    if isinstance(kind, Conv) and kind.shared:
        return np.concatenate([w] * (num_channels // kind.groups), axis=1)
    if isinstance(kind, Depthwise) and kind.shared:
        return np.concatenate([w] * num_channels, axis=0)
    return w


def gathered(kind: Filtering, dw: Array, shape: tuple[int, ...]) -> Array:
    """What all uses of a kernel say of it, added up."""
    if isinstance(kind, Conv) and kind.shared:
        made: Array = dw.sum(axis=1, keepdims=True)
        return made
    if isinstance(kind, Depthwise) and kind.shared:
        uses: Array = dw.reshape(-1, *shape).sum(axis=0)
        return uses
    return dw


def per_filter(numbers: Array, w: Array) -> Array:
    return numbers.reshape(-1, *(1,) * (w.ndim - 1))


def _sum(w: Array) -> Array:
    total: Array = w.sum(axis=tuple(range(1, w.ndim)), keepdims=True)
    return total


def _length(w: Array) -> Array:
    return np.sqrt(_sum(w**2))


def _turned(kind: Filtering, w: Array) -> Array:
    """The kernel the other way round, along all its axes."""
    if isinstance(kind, Dense) or not kind.flip:
        return w
    return np.flip(w, axis=tuple(range(2, w.ndim)))
