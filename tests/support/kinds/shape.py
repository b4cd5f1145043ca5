"""Values in another place: reshape, pad, take."""

from __future__ import annotations

from math import prod

import torch
from support.kinds.drawing import (
    Example,
    Generator,
    Oracle,
    Random,
    Tensors,
    axes,
    chance,
    divisor,
    integers,
)

from foveal.net.combinators import Item
from foveal.net.kind import Kind, Shape
from foveal.net.layers import Pad, Reshape, Take


def reshape(random: Random, shape: Shape) -> Item:
    """The same values with one to three axes behind the channels, or flat."""
    rest, sizes = prod(shape), []
    for _ in range(random.integers(0, 4)):
        sizes.append(divisor(random, rest))
        rest //= sizes[-1]
    return Reshape((rest, *sizes))


def pad(random: Random, shape: Shape) -> Item:
    count = axes(shape)
    fills: list[float | str] = [0.0, 1.0, -0.5, "reflect", "replicate", "circular"]
    fill = fills[random.integers(6)]
    if chance(random, 0.3):
        return Pad(int(random.integers(0, 3)), fill)
    sides = [integers(random, 0, 2, 2) for _ in range(count)]
    return Pad(tuple(s[0] if chance(random, 0.3) else (s[0], s[1]) for s in sides), fill)


def take(random: Random, shape: Shape) -> Item:
    return Take(integers(random, 0, shape[0] - 1, int(random.integers(1, 5))))


def laid_out(kind: Reshape, xs: tuple[torch.Tensor, ...], w: Tensors) -> torch.Tensor:
    sizes = kind.shape if isinstance(kind.shape, tuple) else (kind.shape,)
    return torch.stack([value.flatten().view(sizes) for value in xs[0]])


def bordered(kind: Pad, xs: tuple[torch.Tensor, ...], w: Tensors) -> torch.Tensor:
    """One axis after another, one position after another: the nearest, the mirrored, the other."""
    x = xs[0]
    for axis in range(2, x.ndim):
        side = kind.padding if isinstance(kind.padding, int) else kind.padding[axis - 2]
        before, after = side if isinstance(side, tuple) else (side, side)
        n = x.shape[axis]
        places = torch.arange(-before, n + after)
        if kind.fill == "replicate":
            x = x.index_select(axis, places.clamp(0, n - 1))
        elif kind.fill == "circular":
            x = x.index_select(axis, places.remainder(n))
        elif kind.fill == "reflect":
            there = torch.where(places < 0, -places, places)
            x = x.index_select(axis, torch.where(there >= n, 2 * (n - 1) - there, there))
        else:
            sizes = [list(x.shape), list(x.shape)]
            sizes[0][axis], sizes[1][axis] = before, after
            border = [torch.full(size, float(kind.fill), dtype=x.dtype) for size in sizes]
            x = torch.cat([border[0], x, border[1]], axis)
    return x


GENERATORS: dict[type[Kind], Generator] = {Reshape: reshape, Pad: pad, Take: take}

EXAMPLES: dict[type[Kind], list[Example]] = {
    Reshape: [
        (Reshape((2, 3, 4)), ((24,),), (2, 3, 4)),
        (Reshape(24), ((2, 3, 4),), (24,)),
        (Reshape((4, 6)), ((2, 3, 4),), (4, 6)),
        (Reshape((3, 1, 4, 2)), ((4, 6),), (3, 1, 4, 2)),
        (Reshape((2, 3)), ((2, 3),), (2, 3)),
    ],
    Pad: [
        (Pad(1), ((2, 4, 4),), (2, 6, 6)),
        (Pad(((2, 0),)), ((2, 4),), (2, 6)),
        (Pad((1, (0, 2)), 0.5), ((2, 3, 4),), (2, 5, 6)),
        (Pad(((1, 2), 0), "reflect"), ((2, 3, 4),), (2, 6, 4)),
        (Pad(3, "replicate"), ((1, 1, 2),), (1, 7, 8)),
        (Pad(((3, 1),), "circular"), ((2, 3),), (2, 7)),
        (Pad((1, 0, (0, 1)), "circular"), ((1, 2, 3, 1),), (1, 4, 3, 2)),
        (Pad((1, 0, (0, 2)), "reflect"), ((1, 2, 1, 3),), (1, 4, 1, 5)),
        (Pad(0), ((2, 3),), (2, 3)),
    ],
    Take: [
        (Take((2, 0)), ((3, 4, 2),), (2, 4, 2)),
        (Take((1, 1, 1)), ((2, 3),), (3, 3)),
        (Take((0,)), ((2, 1, 3, 2),), (1, 1, 3, 2)),
        (Take((3, 1)), ((4,),), (2,)),
    ],
}

ORACLES: dict[type[Kind], Oracle] = {
    Reshape: laid_out,
    Pad: bordered,
    Take: lambda kind, xs, w: torch.stack([xs[0].unbind(1)[c] for c in kind.channels], 1),
}

EXACT: set[type[Kind]] = {Reshape, Pad, Take}
ROUNDED = {Pad: lambda kind: kind.fill == -0.5}
LACKING: set[type[Kind]] = {Pad, Take}
