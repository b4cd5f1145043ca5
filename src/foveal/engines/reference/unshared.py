"""Local connections by definition: as convolution, with weights of its own for every position."""

from __future__ import annotations

import numpy as np

from foveal.engines.reference.padding import pad, pad_backward
from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights
from foveal.engines.reference.sliding import slide
from foveal.net.kind import Kind
from foveal.net.layers import LocallyConnected


def forward(kind: LocallyConnected, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, o, p] = bias[o, p] + Σ_tap Σ_c weight[o, p, c, tap] x[n, c, p stride + tap dilation]"""
    over = slide(xs[0], kind.kernel_size, kind.stride, kind.padding, kind.dilation)
    x, w = pad(xs[0], over.margins, kind.fill), weights["weight"]
    y = np.zeros((len(x), kind.out_channels, *over.output))
    for tap, reads in over.taps():
        y += np.einsum("o...c,nc...->no...", w[tap], x[reads])
    return y + weights["bias"] if kind.bias else y


def backward(
    kind: LocallyConnected, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    over = slide(xs[0], kind.kernel_size, kind.stride, kind.padding, kind.dilation)
    x, w = pad(xs[0], over.margins, kind.fill), weights["weight"]
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for tap, reads in over.taps():
        dx[reads] += np.einsum("o...c,no...->nc...", w[tap], dy)
        dw[tap] = np.einsum("no...,nc...->o...c", dy, x[reads])
    dweights = {"weight": dw}
    if kind.bias:
        dweights["bias"] = dy.sum(axis=0)
    return (pad_backward(dx, over.margins, kind.fill),), dweights


ROWS: dict[type[Kind], Row] = {LocallyConnected: Row(forward, backward)}
