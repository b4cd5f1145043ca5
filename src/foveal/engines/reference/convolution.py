"""Convolution by definition: at each tap of the kernel, its weight times all that it reads."""

from __future__ import annotations

from functools import reduce

import numpy as np

from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights, per_channel
from foveal.engines.reference.sliding import Slide, slide
from foveal.net.kind import Kind
from foveal.net.layers import Conv


def forward(kind: Conv, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, o, p] = bias[o] + Σ_tap Σ_c weight[o, c, tap] x[n, c, p stride + tap dilation]"""
    over = _slide(kind, xs[0])
    x, w = _grouped(over.pad(xs[0], 0), kind, 1), _grouped(weights["weight"], kind, 0)
    terms = (w[tap] @ _flat(x[reads]) for tap, reads in over.taps())
    y: Array = reduce(np.add, terms).reshape(len(x), kind.out_channels, *over.output)
    return y + per_channel(weights["bias"], y) if kind.bias else y


def backward(
    kind: Conv, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    over = _slide(kind, xs[0])
    padded = over.pad(xs[0], 0)
    x, w = _grouped(padded, kind, 1), _grouped(weights["weight"], kind, 0)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    dys = _flat(_grouped(dy, kind, 1))
    for tap, reads in over.taps():
        dx[reads] += (_turned(w[tap]) @ dys).reshape(dx[reads].shape)
        dw[tap] = (dys @ _turned(_flat(x[reads]))).sum(axis=0)
    dweights = {"weight": dw.reshape(weights["weight"].shape)}
    if kind.bias:
        dweights["bias"] = dy.sum(axis=(0, *range(2, dy.ndim)))
    return (over.unpad(dx.reshape(padded.shape)),), dweights


def _slide(kind: Conv, x: Array) -> Slide:
    return slide(x, kind.kernel_size, kind.stride, kind.padding, kind.dilation)


def _grouped(array: Array, kind: Conv, axis: int) -> Array:
    """The channels of one axis as (groups, channels of each)."""
    shape = array.shape
    return array.reshape(*shape[:axis], kind.groups, -1, *shape[axis + 1 :])


def _flat(array: Array) -> Array:
    """(N, groups, C, ...) -> (N, groups, C, positions)"""
    return array.reshape(*array.shape[:3], -1)


def _turned(matrices: Array) -> Array:
    return np.swapaxes(matrices, -1, -2)


ROWS: dict[type[Kind], Row] = {Conv: Row(forward, backward)}
