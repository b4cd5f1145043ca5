"""Upsampling, and unpooling, which puts values back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from support.kinds.drawing import (
    Example,
    Generator,
    Oracle,
    Random,
    Tensors,
    axes,
    chance,
    padding,
    size,
)
from support.kinds.margins import each, margins
from torch.nn import functional as F

from foveal.net.combinators import Item, branches, chain
from foveal.net.kind import Kind, Shape
from foveal.net.layers import Identity, LocallyConnected, MaxPool, MaxUnpool, Tanh, Upsample

Arrays = tuple[torch.Tensor, ...]


def upsample(random: Random, shape: Shape) -> Item:
    factor = size(random, 3, axes(shape))
    if chance(random, 0.4):
        return Upsample(factor)
    return Upsample(factor, "linear", align_corners=chance(random, 0.4))


def unpool(random: Random, shape: Shape) -> Item:
    """What arrives is pooled, and put back where it was.

    Each position has weights of its own before: where two values were equal but for rounding,
    engines would not find the same place.
    """
    count = axes(shape)
    kernel = size(random, 3, count)
    stride = None
    if chance(random, 0.5):
        stride = tuple(k + int(random.integers(3)) for k in each(kernel, count))
    fields: Any = (kernel, stride, padding(random, count, ("valid", "same", "same_lower")))
    pooled = chain(MaxPool(*fields), Tanh()) if chance(random, 0.5) else chain(MaxPool(*fields))
    apart = LocallyConnected(shape[0], 1, bias=False)
    return chain(apart, branches(MaxUnpool(*fields), pooled, Identity()))


def enlarged(kind: Upsample, xs: Arrays, w: Tensors) -> torch.Tensor:
    """Axis by axis, each value by the two it lies between."""
    x = xs[0]
    for dim, factor in enumerate(each(kind.factor, x.ndim - 2), start=2):
        if kind.mode == "nearest":
            x = x.index_select(dim, torch.arange(x.shape[dim]).repeat_interleave(factor))
        else:
            flat = x.movedim(dim, -1).reshape(1, -1, x.shape[dim])
            drawn = F.interpolate(
                flat,
                size=factor * x.shape[dim],
                mode="linear",
                align_corners=kind.align_corners,
            )
            x = drawn.reshape(*x.movedim(dim, -1).shape[:-1], -1).movedim(-1, dim)
    return x


def put_back(kind: MaxUnpool, xs: Arrays, w: Tensors) -> torch.Tensor:
    """Into the padded picture, at the places that PyTorch's own pooling gives."""
    pool: Any = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[xs[1].ndim - 3]
    sides = margins(kind, xs[1], kind.kernel_size if kind.stride is None else kind.stride)
    padded = F.pad(xs[1], sides, value=-torch.inf)
    _, places = pool(padded, kind.kernel_size, kind.stride, return_indices=True)
    made = torch.zeros_like(padded).flatten(2)
    made = made.scatter_add(2, places.flatten(2), xs[0].flatten(2)).reshape(padded.shape)
    return F.pad(made, [-side for side in sides])


GENERATORS: dict[type[Kind], Generator] = {Upsample: upsample, MaxUnpool: unpool}

EXAMPLES: dict[type[Kind], list[Example]] = {
    Upsample: [
        (Upsample(2), ((3, 4, 3),), (3, 8, 6)),
        (Upsample((3, 1)), ((2, 2, 3),), (2, 6, 3)),
        (Upsample(5), ((2, 3),), (2, 15)),
        (Upsample((1, 2, 3)), ((1, 2, 3, 2),), (1, 2, 6, 6)),
        (Upsample(2, "linear"), ((3, 4, 3),), (3, 8, 6)),
        (Upsample(3, "linear"), ((2, 4),), (2, 12)),
        (Upsample((2, 1, 3), "linear"), ((1, 2, 3, 2),), (1, 4, 3, 6)),
        (Upsample((2, 3), "linear", align_corners=True), ((2, 1, 4),), (2, 2, 12)),
        (Upsample(2, "linear", align_corners=True), ((2, 4),), (2, 8)),
        (Upsample(2, "linear", align_corners=True), ((1, 2, 3, 2),), (1, 4, 6, 4)),
    ],
    MaxUnpool: [
        (MaxUnpool(2), ((3, 2, 2), (3, 4, 4)), (3, 4, 4)),
        (MaxUnpool(2), ((3, 2, 2), (3, 5, 4)), (3, 5, 4)),
        (MaxUnpool(2, 3, ((1, 0), 0)), ((2, 2, 2), (2, 5, 6)), (2, 5, 6)),
        (MaxUnpool(3, padding="same"), ((2, 3), (2, 7)), (2, 7)),
        (MaxUnpool((1, 2, 2), (2, 2, 3)), ((1, 2, 2, 1), (1, 3, 4, 3)), (1, 3, 4, 3)),
    ],
}

ORACLES: dict[type[Kind], Oracle] = {Upsample: enlarged, MaxUnpool: put_back}

EXACT: set[type[Kind]] = {Upsample, MaxUnpool}
ROUNDED: dict[type[Kind], Callable[[Any], bool]] = {Upsample: lambda kind: kind.mode == "linear"}
LACKING: set[type[Kind]] = {MaxUnpool, Upsample}
PRECISION: dict[type[Kind], float] = {Upsample: 1e-6}
"""onnxruntime finds the places between values in float32."""
