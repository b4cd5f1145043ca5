"""Convolution by definition: at each tap of the kernel, its weight times all that it reads."""

from __future__ import annotations

from math import prod

import numpy as np

from foveal.engines.reference.filters import used, used_backward
from foveal.engines.reference.padding import pad, pad_backward
from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights, per_channel
from foveal.engines.reference.sliding import Slide, slide
from foveal.net.kind import Kind
from foveal.net.layers import Conv, Depthwise


def forward(kind: Conv | Depthwise, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, o, p] = bias[o] + Σ_tap Σ_c weight[o, c, tap] x[n, c, p stride + tap dilation]"""
    over, groups = _slide(kind, xs[0]), _groups(kind, xs[0])
    whole = used(kind, weights, xs[0].shape[1])
    x, w = _grouped(pad(xs[0], over.margins, kind.fill), groups, 1), _grouped(whole, groups, 0)
    sums = np.zeros((len(x), groups, w.shape[1], prod(over.output)))
    terms = np.empty_like(sums)
    for tap, reads in over.taps():
        sums += np.matmul(w[tap], _flat(x[reads]), out=terms)
    y = sums.reshape(len(x), len(whole), *over.output)
    return y + per_channel(weights["bias"], y) if kind.bias else y


def backward(
    kind: Conv | Depthwise, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    over, groups = _slide(kind, xs[0]), _groups(kind, xs[0])
    padded, whole = pad(xs[0], over.margins, kind.fill), used(kind, weights, xs[0].shape[1])
    x, w = _grouped(padded, groups, 1), _grouped(whole, groups, 0)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    dys = _flat(_grouped(dy, groups, 1))
    for tap, reads in over.taps():
        dx[reads] += (_turned(w[tap]) @ dys).reshape(dx[reads].shape)
        dw[tap] = (dys @ _turned(_flat(x[reads]))).sum(axis=0)
    dweights = used_backward(kind, weights, xs[0].shape[1], dw.reshape(whole.shape))
    if kind.bias:
        dweights["bias"] = dy.sum(axis=(0, *range(2, dy.ndim)))
    return (pad_backward(dx.reshape(padded.shape), over.margins, kind.fill),), dweights


def _slide(kind: Conv | Depthwise, x: Array) -> Slide:
    return slide(x, kind.kernel_size, kind.stride, kind.padding, kind.dilation)


def _groups(kind: Conv | Depthwise, x: Array) -> int:
    return x.shape[1] if isinstance(kind, Depthwise) else kind.groups


def _grouped(array: Array, groups: int, axis: int) -> Array:
    """The channels of one axis as (groups, channels of each)."""
    shape = array.shape
    return array.reshape(*shape[:axis], groups, shape[axis] // groups, *shape[axis + 1 :])


def _flat(array: Array) -> Array:
    """(N, groups, C, ...) -> (N, groups, C, positions)"""
    return array.reshape(*array.shape[:3], int(np.prod(array.shape[3:])))


def _turned(matrices: Array) -> Array:
    return np.swapaxes(matrices, -1, -2)


ROWS: dict[type[Kind], Row] = {Conv: Row(forward, backward), Depthwise: Row(forward, backward)}
