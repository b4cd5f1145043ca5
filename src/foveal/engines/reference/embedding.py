"""Looking up vectors and measuring distances to them, by definition."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights
from foveal.errors import SpecError
from foveal.net.kind import Kind
from foveal.net.layers import RBF, Embed


def embed(kind: Embed, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, d, p] = weight[x[n, p], d]"""
    return np.moveaxis(weights["weight"][_numbers(kind, xs[0], context)], -1, 1)


def embed_backward(
    kind: Embed, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    """A vector gets the gradients of all positions that hold its number."""
    dweight = np.zeros_like(weights["weight"])
    np.add.at(dweight, _numbers(kind, xs[0], context), np.moveaxis(dy, 1, -1))
    return (np.zeros_like(xs[0]),), {"weight": dweight}


def _numbers(kind: Embed, x: Array, context: Context) -> NDArray[np.intp]:
    """(N, positions): the numbers without the one channel they may lie in."""
    last = kind.num_embeddings - 1
    wrong = np.argwhere(~((x >= 0) & (x <= last) & (x == np.floor(x))))
    if len(wrong):
        sample, *position = wrong[0].tolist()
        raise SpecError(
            f"{x[tuple(wrong[0])]:g} is the number of no embedding",
            where=context.path,
            arrives=f"at {tuple(position)} of sample {sample}",
            expected=f"a whole number from 0 to {last}",
            fix="count from 0, or say a larger num_embeddings",
        )
    return (x if x.ndim == 2 else x[:, 0]).astype(np.intp)


def rbf(kind: RBF, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, o] = Σ_i (x[n, i] - weight[o, i])²"""
    y: Array = (_apart(xs[0], weights) ** 2).sum(axis=2)
    return y


def rbf_backward(
    kind: RBF, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    flows = 2 * dy[:, :, None] * _apart(xs[0], weights)
    return (flows.sum(axis=1),), {"weight": -flows.sum(axis=0)}


def _apart(x: Array, weights: Weights) -> Array:
    """(N, out_features, in_features)"""
    return x[:, None] - weights["weight"]


ROWS: dict[type[Kind], Row] = {Embed: Row(embed, embed_backward), RBF: Row(rbf, rbf_backward)}
