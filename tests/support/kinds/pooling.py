"""Pooling: in windows, to a size, and over the whole picture."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
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

from foveal.engines.masks import uniform
from foveal.net.combinators import Item, chain
from foveal.net.kind import Kind, Shape
from foveal.net.layers import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    Gain,
    GlobalAvgPool,
    GlobalLpPool,
    GlobalMaxPool,
    GlobalMinPool,
    GlobalSumPool,
    LpPool,
    MaxPool,
    MinPool,
    StochasticPool,
    SumPool,
)

Arrays = tuple[torch.Tensor, ...]
POWERS = (1, 2, 2, 3, 4, 40)


def pool(kind: Any, largest: int = 4, **more: Callable[[Random], object]) -> Generator:
    def draw(random: Random, shape: Shape) -> Item:
        count = axes(shape)
        made: Item = kind(
            size(random, largest, count),
            None if chance(random, 0.4) else size(random, 3, count),
            padding(random, count, ("valid", "same", "same_lower")),
            dilation=size(random, 2, count) if chance(random, 0.4) else 1,
            ceil=chance(random, 0.4),
            **{name: value(random) for name, value in more.items()},
        )
        return made

    return draw


def lessened(generator: Generator, share: Callable[[Any, Shape], float]) -> Generator:
    """With a gain behind it that keeps sums of order 1."""

    def draw(random: Random, shape: Shape) -> Item:
        layer = generator(random, shape)
        return chain(layer, Gain(share(layer, shape)))

    return draw


def of_window(kind: SumPool | LpPool, shape: Shape) -> float:
    """One through the size of the window, or the root of it that belongs to the norm."""
    return float(prod(each(kind.kernel_size, axes(shape))) ** (-1 / getattr(kind, "p", 1)))


def of_picture(kind: GlobalSumPool | GlobalLpPool, shape: Shape) -> float:
    axes(shape)
    return float(prod(shape[1:]) ** (-1 / getattr(kind, "p", 1)))


def global_pool(kind: Any, **more: Callable[[Random], object]) -> Generator:
    return lambda random, shape: kind(
        keep=chance(random, 0.6), **{name: value(random) for name, value in more.items()}
    )


def adaptive(kind: Any) -> Generator:
    return lambda random, shape: kind(size(random, 6, axes(shape)))


def power(random: Random) -> int:
    return int(random.choice(POWERS))


def cells(kind: Any, x: torch.Tensor, fill: float, counted: float = 0) -> torch.Tensor:
    """What each window reads, row by row, in a last axis: `fill` where it reads no picture.

    With `ceil` there are as many as by the formula of PyTorch's source, pooling_output_shape;
    `counted` stands in the padding that the fields ask for.
    """
    count = x.ndim - 2
    strides = each(stride_of(kind), count)
    sides = margins(kind, x, strides, kind.dilation)
    padded = F.pad(x, sides, value=fill + counted)
    kernels, dilations = each(kind.kernel_size, count), each(kind.dilation, count)
    for dim in range(count):
        before, n, room = sides[-2 - 2 * dim], x.shape[2 + dim], padded.shape[2 + dim]
        k, s, d = kernels[dim], strides[dim], dilations[dim]
        span = d * (k - 1) + 1
        windows = (room - span) // s + 1
        if kind.ceil:
            windows = -(-(room - span) // s) + 1
            windows -= (windows - 1) * s >= n + before
        beyond = max(0, (windows - 1) * s + span - room)
        padded = F.pad(padded, [0, 0] * (count - 1) + [0, beyond], value=fill)
        # The cells of a window come last, behind those of the axes before.
        padded = padded.unfold(2 + dim, span, s)[..., ::d]
    return padded.flatten(2 + count)


def best(kind: Any, x: torch.Tensor, worst: float) -> torch.Tensor:
    """The largest cell of each window; argmax documents that of equal ones it takes the first."""
    read = cells(kind, x, worst)
    return read.gather(-1, read.argmax(-1, keepdim=True)).squeeze(-1)


def mean(kind: AvgPool, xs: Arrays, w: Tensors) -> torch.Tensor:
    counted = cells(kind, torch.ones_like(xs[0]), 0, counted=float(kind.count_include_pad))
    return cells(kind, xs[0], 0).sum(-1) / counted.sum(-1)


def lp_norm(kind: Any, read: torch.Tensor) -> torch.Tensor:
    made: torch.Tensor = torch.linalg.vector_norm(read, kind.p, dim=-1)
    return made


def expected(kind: StochasticPool, xs: Arrays, w: Tensors) -> torch.Tensor:
    read = cells(kind, xs[0].clamp(min=0), 0)
    return read.square().sum(-1) / read.sum(-1).clamp(min=1e-300)


def drawn(kind: StochasticPool, xs: Arrays, w: Tensors) -> torch.Tensor:
    """For the first step of a training with seed 0, of the step called `step`."""
    read = cells(kind, xs[0].clamp(min=0), 0)
    u = torch.from_numpy(uniform(0, 0, "step", tuple(read.shape[:-1])))
    reached = read.cumsum(-1) > (u * read.sum(-1)).unsqueeze(-1)
    return read.gather(-1, reached.byte().argmax(-1, keepdim=True)).squeeze(-1)


def stride_of(kind: Any) -> Any:
    return kind.kernel_size if kind.stride is None else kind.stride


def whole_picture(kind: Any, xs: Arrays, values: torch.Tensor) -> torch.Tensor:
    """One value per channel, with axes of one position if they are kept."""
    return values.reshape(*values.shape, *(1,) * (xs[0].ndim - 2)) if kind.keep else values


def shares(
    kind: Any, x: torch.Tensor, pick: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """Adaptive pooling, output after output."""
    wanted = each(kind.size, x.ndim - 2)
    made = []
    for place in torch.cartesian_prod(*map(torch.arange, wanted)).reshape(-1, len(wanted)).tolist():
        part = x
        for dim, (o, m) in enumerate(zip(place, wanted, strict=True), start=2):
            n = x.shape[dim]
            part = part.narrow(dim, o * n // m, ((o + 1) * n - 1) // m + 1 - o * n // m)
        made.append(pick(part.flatten(2)))
    return torch.stack(made, -1).reshape(*x.shape[:2], *wanted)


def first_largest(flat: torch.Tensor) -> torch.Tensor:
    return flat.gather(-1, flat.argmax(-1, keepdim=True)).squeeze(-1)


GENERATORS: dict[type[Kind], Generator] = {
    MaxPool: pool(MaxPool),
    MinPool: pool(MinPool),
    AvgPool: pool(AvgPool, count_include_pad=lambda random: chance(random, 0.5)),
    SumPool: lessened(pool(SumPool), of_window),
    LpPool: lessened(pool(LpPool, p=power), of_window),
    StochasticPool: pool(StochasticPool, largest=3),
    AdaptiveMaxPool: adaptive(AdaptiveMaxPool),
    AdaptiveAvgPool: adaptive(AdaptiveAvgPool),
    GlobalMaxPool: global_pool(GlobalMaxPool),
    GlobalMinPool: global_pool(GlobalMinPool),
    GlobalAvgPool: global_pool(GlobalAvgPool),
    GlobalSumPool: lessened(global_pool(GlobalSumPool), of_picture),
    GlobalLpPool: lessened(global_pool(GlobalLpPool, p=power), of_picture),
}

EXAMPLES: dict[type[Kind], list[Example]] = {
    MaxPool: [
        (MaxPool(2), ((3, 9, 7),), (3, 4, 3)),
        (MaxPool(3, stride=2, padding=1), ((3, 9, 7),), (3, 5, 4)),
        (MaxPool(2), ((2, 5, 6),), (2, 2, 3)),
        (MaxPool(3, 2, 1), ((2, 6, 7),), (2, 3, 4)),
        (MaxPool(2), ((2, 7),), (2, 3)),
        (MaxPool(3, 1, "same"), ((2, 5),), (2, 5)),
        (MaxPool(2, 3, ((0, 2),)), ((1, 4),), (1, 2)),
        (MaxPool(2, 1), ((2, 3, 3, 4),), (2, 2, 2, 3)),
        (MaxPool((1, 2, 2), (2, 1, 1), ((0, 0), (1, 0), 1)), ((2, 3, 4, 3),), (2, 2, 4, 4)),
        (MaxPool(2, ceil=True), ((3, 9, 8),), (3, 5, 4)),
        (MaxPool(2, 3, ceil=True), ((3, 6, 7),), (3, 2, 3)),
        # The third window would begin after picture and padding before it: it is left out.
        (MaxPool(2, 3, 1, ceil=True), ((3, 4, 5),), (3, 2, 2)),
        (MaxPool(3, 2, dilation=2), ((3, 9, 8),), (3, 3, 2)),
        (MaxPool(2, 1, ((2, 0),), dilation=3), ((2, 5),), (2, 4)),
        (MaxPool(2, 2, 1, dilation=(1, 2, 3), ceil=True), ((1, 4, 4, 4),), (1, 3, 3, 2)),
    ],
    MinPool: [
        (MinPool(2), ((3, 9, 7),), (3, 4, 3)),
        (MinPool(3, 2, "same_lower", ceil=True), ((2, 6, 7),), (2, 3, 4)),
        (MinPool(2, 1, ((0, 1),), dilation=2), ((2, 5),), (2, 4)),
        (MinPool((2, 1, 2)), ((1, 4, 3, 3),), (1, 2, 3, 1)),
    ],
    AvgPool: [
        (AvgPool((1, 7)), ((3, 9, 7),), (3, 9, 1)),
        (AvgPool(2, 1, "same"), ((2, 5, 4),), (2, 5, 4)),
        (AvgPool(3, 2, ((1, 0), (0, 1))), ((2, 6, 6),), (2, 3, 3)),
        (AvgPool(3, 2, 1), ((2, 6),), (2, 3)),
        (AvgPool(2, 1), ((2, 4, 3, 3),), (2, 3, 2, 2)),
        (AvgPool(3, 2, 1, ceil=True), ((2, 6, 6),), (2, 4, 4)),
        (AvgPool(3, 2, 1, ceil=True, count_include_pad=True), ((2, 6, 6),), (2, 4, 4)),
        (AvgPool(2, 2, ((1, 0),), dilation=2, count_include_pad=True), ((2, 6),), (2, 3)),
        (AvgPool(2, 2, dilation=2, ceil=True), ((1, 4, 3, 4),), (1, 2, 1, 2)),
    ],
    SumPool: [
        (SumPool(2), ((3, 9, 7),), (3, 4, 3)),
        (SumPool(3, 2, 1, ceil=True), ((2, 6, 6),), (2, 4, 4)),
        (SumPool(2, 1, "same_lower", dilation=2), ((2, 5),), (2, 5)),
        (SumPool((1, 2, 2)), ((1, 3, 4, 3),), (1, 3, 2, 1)),
    ],
    LpPool: [
        (LpPool(2), ((3, 9, 7),), (3, 4, 3)),
        (LpPool(3, 2, 1, ceil=True, p=1), ((2, 6, 6),), (2, 4, 4)),
        (LpPool(2, 1, "same", dilation=2, p=3), ((2, 5),), (2, 5)),
        (LpPool(1, 1, p=3), ((2, 3),), (2, 3)),
        (LpPool(2, p=40), ((1, 3, 4, 2),), (1, 1, 2, 1)),
    ],
    StochasticPool: [
        (StochasticPool(2), ((3, 9, 7),), (3, 4, 3)),
        (StochasticPool(3, 2, 1, ceil=True), ((2, 6, 6),), (2, 4, 4)),
        (StochasticPool(2, 1, "same", dilation=2), ((2, 5),), (2, 5)),
        (StochasticPool(2), ((1, 3, 4, 2),), (1, 1, 2, 1)),
    ],
    AdaptiveMaxPool: [
        (AdaptiveMaxPool(3), ((2, 7, 6),), (2, 3, 3)),
        (AdaptiveMaxPool((2, 9)), ((2, 7, 6),), (2, 2, 9)),
        (AdaptiveMaxPool(4), ((2, 9),), (2, 4)),
        (AdaptiveMaxPool((2, 3, 1)), ((1, 3, 4, 5),), (1, 2, 3, 1)),
    ],
    AdaptiveAvgPool: [
        (AdaptiveAvgPool(3), ((2, 7, 6),), (2, 3, 3)),
        (AdaptiveAvgPool((2, 3)), ((2, 4, 9),), (2, 2, 3)),
        (AdaptiveAvgPool((2, 9)), ((2, 7, 6),), (2, 2, 9)),
        (AdaptiveAvgPool(4), ((2, 9),), (2, 4)),
        (AdaptiveAvgPool((2, 3, 7)), ((1, 3, 4, 5),), (1, 2, 3, 7)),
    ],
    GlobalMaxPool: [
        (GlobalMaxPool(), ((3, 9, 7),), (3,)),
        (GlobalMaxPool(keep=True), ((2, 3),), (2, 1)),
        (GlobalMaxPool(), ((3, 4, 2, 3),), (3,)),
    ],
    GlobalMinPool: [
        (GlobalMinPool(), ((3, 9, 7),), (3,)),
        (GlobalMinPool(keep=True), ((2, 3),), (2, 1)),
        (GlobalMinPool(), ((3, 4, 2, 3),), (3,)),
    ],
    GlobalAvgPool: [
        (GlobalAvgPool(keep=True), ((3, 9, 7),), (3, 1, 1)),
        (GlobalAvgPool(), ((3, 4),), (3,)),
        (GlobalAvgPool(), ((2, 3, 4, 2),), (2,)),
    ],
    GlobalSumPool: [
        (GlobalSumPool(keep=True), ((3, 9, 7),), (3, 1, 1)),
        (GlobalSumPool(), ((3, 4),), (3,)),
        (GlobalSumPool(), ((2, 3, 4, 2),), (2,)),
    ],
    GlobalLpPool: [
        (GlobalLpPool(keep=True), ((3, 9, 7),), (3, 1, 1)),
        (GlobalLpPool(p=1), ((3, 4),), (3,)),
        (GlobalLpPool(p=40), ((2, 3, 4, 2),), (2,)),
    ],
}

ORACLES: dict[type[Kind], Oracle] = {
    MaxPool: lambda kind, xs, w: best(kind, xs[0], -torch.inf),
    MinPool: lambda kind, xs, w: -best(kind, -xs[0], -torch.inf),
    AvgPool: mean,
    SumPool: lambda kind, xs, w: cells(kind, xs[0], 0).sum(-1),
    LpPool: lambda kind, xs, w: lp_norm(kind, cells(kind, xs[0], 0)),
    StochasticPool: expected,
    AdaptiveMaxPool: lambda kind, xs, w: shares(kind, xs[0], first_largest),
    AdaptiveAvgPool: lambda kind, xs, w: shares(kind, xs[0], lambda part: part.mean(-1)),
    GlobalMaxPool: lambda kind, xs, w: whole_picture(kind, xs, xs[0].flatten(2).max(2).values),
    GlobalMinPool: lambda kind, xs, w: whole_picture(kind, xs, xs[0].flatten(2).min(2).values),
    GlobalAvgPool: lambda kind, xs, w: whole_picture(kind, xs, xs[0].flatten(2).mean(2)),
    GlobalSumPool: lambda kind, xs, w: whole_picture(kind, xs, xs[0].flatten(2).sum(2)),
    GlobalLpPool: lambda kind, xs, w: whole_picture(kind, xs, lp_norm(kind, xs[0].flatten(2))),
}
TRAINING_ORACLES: dict[type[Kind], Oracle] = {StochasticPool: drawn}

EXACT: set[type[Kind]] = {
    MaxPool,
    MinPool,
    SumPool,
    AdaptiveMaxPool,
    GlobalMaxPool,
    GlobalMinPool,
    GlobalSumPool,
}
LACKING: set[type[Kind]] = {
    MinPool,
    AvgPool,
    SumPool,
    LpPool,
    StochasticPool,
    GlobalMaxPool,
    GlobalMinPool,
    GlobalAvgPool,
    GlobalSumPool,
    GlobalLpPool,
}
