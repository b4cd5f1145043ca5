"""The entrance: input, resize, crop, normalise, expect, identity."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from support.kinds.drawing import (
    Arriving,
    Entrance,
    Example,
    Generator,
    Oracle,
    Random,
    Tensors,
    axes,
    chance,
    integers,
    numbers,
    plain,
)
from torch.nn import functional as F

from foveal.net.combinators import Item
from foveal.net.kind import Kind, Shape
from foveal.net.layers import Crop, Expect, Identity, Input, Normalise, Resize


def resize(random: Random, shape: Shape) -> Item:
    """Doubling and quadrupling: their weights are exact in every precision, so that no engine
    rounds a level the other way.
    """
    factors = random.choice([2, 4], axes(shape))
    if chance(random, 0.5):
        return Resize(2 * min(shape[1:]))
    return Resize(tuple(n * int(factor) for n, factor in zip(shape[1:], factors, strict=True)))


def crop(random: Random, shape: Shape) -> Item:
    cut = integers(random, 0, 2, axes(shape))
    sizes = tuple(max(1, n - less) for n, less in zip(shape[1:], cut, strict=True))
    return Crop(sizes if chance(random, 0.7) else min(sizes))


def normalise(random: Random, shape: Shape) -> Item:
    count = int(random.choice([1, shape[0]]))
    mean, std = random.normal(0, 0.5, count), random.uniform(0.5, 2, count)
    return Normalise(tuple(mean.round(2).tolist()), tuple(std.round(2).tolist()))


def picture(random: Random) -> tuple[list[Item], Shape]:
    """Bytes, brought to size and to numbers of order 1."""
    shape = (int(random.choice([1, 3])), *integers(random, 3, 6, 2))
    cut: list[Item] = [resize(random, shape), Crop(int(random.integers(3, 6)))]
    return [Input("uint8"), *cut, Normalise(mean=(120.0,), std=(60.0,))], shape


def levels(random: Random, kind: Kind, batch: int, shape: Shape, whole: bool) -> np.ndarray:
    """Between 0 and 255; whole ones meet halfway, where every engine must round alike."""
    if whole:
        return random.integers(0, 256, (batch, *shape)).astype(float)
    return random.uniform(0, 255, (batch, *shape))


def arriving_at_input(
    random: Random, kind: Input, batch: int, shape: Shape, whole: bool
) -> np.ndarray:
    if kind.dtype == "uint8":
        return random.integers(0, 256, (batch, *shape[1:], shape[0]), np.uint8)
    return numbers(random, (batch, *shape), whole)


def unchanged(kind: Kind, xs: tuple[torch.Tensor, ...], w: Tensors) -> torch.Tensor:
    return xs[0]


def channels_first(kind: Input, xs: tuple[torch.Tensor, ...], w: Tensors) -> torch.Tensor:
    x = xs[0]
    return x.permute(0, -1, *range(1, x.ndim - 1)) if kind.dtype == "uint8" else x


def interpolated(kind: Resize, xs: tuple[torch.Tensor, ...], w: Tensors) -> torch.Tensor:
    """PyTorch smooths in two dimensions only, which matters only where a picture shrinks."""
    x = xs[0]
    sizes = kind.size
    if isinstance(sizes, int):
        sizes = tuple(int(n * sizes / min(x.shape[2:]) + 0.5) for n in x.shape[2:])
    if x.ndim == 4:
        return F.interpolate(x, sizes, mode="bilinear", antialias=True).round()
    return F.interpolate(x, sizes, mode="linear" if x.ndim == 3 else "trilinear").round()


def middle(kind: Crop, xs: tuple[torch.Tensor, ...], w: Tensors) -> torch.Tensor:
    x = xs[0]
    for axis, n in enumerate(x.shape[2:], start=2):
        size = kind.size if isinstance(kind.size, int) else kind.size[axis - 2]
        x = x.index_select(axis, torch.arange(n)[(n - size) // 2 :][:size])
    return x


def standardised(kind: Any, xs: tuple[torch.Tensor, ...], w: Tensors) -> torch.Tensor:
    mean, std = (
        torch.tensor(values, dtype=xs[0].dtype).reshape(1, -1, *(1,) * (xs[0].ndim - 2))
        for values in (kind.mean, kind.std)
    )
    return (xs[0] - mean) / std


GENERATORS: dict[type[Kind], Generator] = {
    Input: lambda random, shape: Input(str(random.choice(["float", "uint8"]))),
    Resize: resize,
    Crop: crop,
    Normalise: normalise,
    Expect: lambda random, shape: Expect(shape),
    Identity: plain(Identity),
}

EXAMPLES: dict[type[Kind], list[Example]] = {
    Input: [
        (Input(), ((3, 4),), (3, 4)),
        (Input("uint8"), ((3, 5, 4),), (3, 5, 4)),
    ],
    Resize: [
        (Resize(3), ((1, 2, 5),), (1, 3, 8)),
        (Resize(3), ((2, 5, 6),), (2, 3, 4)),
        (Resize((6, 10)), ((2, 3, 5),), (2, 6, 10)),
        (Resize((7,)), ((2, 5),), (2, 7)),
        (Resize((2, 4, 3)), ((1, 2, 2, 3),), (1, 2, 4, 3)),
    ],
    Crop: [
        (Crop(5), ((3, 9, 7),), (3, 5, 5)),
        (Crop((9, 2)), ((3, 9, 7),), (3, 9, 2)),
        (Crop(2), ((1, 3, 2),), (1, 2, 2)),
        (Crop((2, 3)), ((1, 5, 6),), (1, 2, 3)),
        (Crop(2), ((2, 5),), (2, 2)),
        (Crop((1, 3, 2)), ((2, 2, 3, 5),), (2, 1, 3, 2)),
    ],
    Normalise: [
        (Normalise(), ((3, 4, 2),), (3, 4, 2)),
        (Normalise((0.5,), (2.0,)), ((2, 3, 4),), (2, 3, 4)),
        (Normalise((0.5, 1.0), (2.0, 4.0)), ((2, 3),), (2, 3)),
        (Normalise((1, 2), (3, 4)), ((2,),), (2,)),
        (Normalise((0.5, 1.0)), ((2,),), (2,)),
        (Normalise((1, 2), (3, 4)), ((2, 2, 1, 3),), (2, 2, 1, 3)),
    ],
    Expect: [
        (Expect((3, 4)), ((3, 4),), (3, 4)),
        (Expect((3, 5, 2)), ((3, 5, 2),), (3, 5, 2)),
        (Expect(10), ((10,),), (10,)),
    ],
    Identity: [(Identity(), ((5,),), (5,)), (Identity(), ((2, 5),), (2, 5))],
}

ORACLES: dict[type[Kind], Oracle] = {
    Input: channels_first,
    Resize: interpolated,
    Crop: middle,
    Normalise: standardised,
    Expect: unchanged,
    Identity: unchanged,
}

ARRIVING: dict[type[Kind], Arriving] = {Input: arriving_at_input, Resize: levels}
ENTRANCES: list[Entrance] = [picture]
EXACT: set[type[Kind]] = {Input, Resize, Crop, Expect, Identity}
LACKING: set[type[Kind]] = {Crop, Normalise}
