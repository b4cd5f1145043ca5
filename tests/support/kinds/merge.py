"""How branches become one value again."""

from __future__ import annotations

import torch
from support.kinds.drawing import (
    MOST_CHANNELS,
    Example,
    Generator,
    Oracle,
    Random,
    Tensors,
    Work,
    alike,
    axes,
    chance,
    channels,
    size,
)

from foveal.net.combinators import Item, Named, branches, chain
from foveal.net.kind import Kind, Shape
from foveal.net.layers import (
    Add,
    BatchNorm,
    Combine,
    Concat,
    Conv,
    Dense,
    GlobalAvgPool,
    Identity,
    Multiply,
    ReLU,
    Reshape,
    Sigmoid,
    Tanh,
)


def add(random: Random, shape: Shape) -> Item:
    if len(shape) > 1 and chance(random, 0.4):
        out, stride = channels(random), size(random, 2, axes(shape))
        long = chain(Conv(out, 3, stride=stride, padding="same"), BatchNorm(), ReLU())
        return branches(Add(), Conv(out, 1, stride=stride), long)
    return branches(Add(), *(alike(random, shape) for _ in range(random.integers(1, 4))))


def concat(random: Random, shape: Shape) -> Item:
    if shape[0] * 2 > MOST_CHANNELS and len(shape) > 1:
        parts = [Conv(2, size(random, 3, axes(shape)), padding="same"), Conv(1, 1)]
        return branches(Concat(), chain(parts[0], ReLU()), Named("short", chain(parts[1])))
    return branches(Concat(), alike(random, shape), alike(random, shape))


def multiply(random: Random, shape: Shape) -> Item:
    """Two values, or one and a gate for its channels, its positions or both; gates on any side."""
    if len(shape) == 1:
        gate = chain(Dense(shape[0] if chance(random, 0.5) else 1), Tanh())
        return branches(Multiply(), gate, Identity())
    squeezed = chain(GlobalAvgPool(keep=True), Conv(shape[0], 1), Sigmoid())
    gates = [squeezed, chain(Conv(1, 1), Sigmoid()), chain(Conv(shape[0], 1), Tanh())]
    parts: list[Item] = [alike(random, shape)]
    for _ in range(random.integers(1, 3)):
        parts.insert(random.integers(len(parts) + 1), gates[random.integers(3)])
    return branches(Multiply(), *parts)


def combine(random: Random, shape: Shape) -> Item:
    """One set of coefficients, or one for each position of another map."""
    if len(shape) == 1:
        return branches(Combine(), Identity(), chain(Dense(shape[0]), Tanh()))
    count = int(random.integers(1, 4))
    prototypes, pooled = Conv(count, 1), chain(GlobalAvgPool(), Dense(count * 2), Tanh())
    ways = [
        chain(GlobalAvgPool(), Dense(count), Tanh()),
        chain(*pooled.items, Reshape((count, 2))),
        chain(Conv(count, 2, stride=2, padding="same"), Tanh()),
    ]
    return branches(Combine(), prototypes, ways[random.integers(3)])


GENERATORS: dict[type[Kind], Generator] = {
    Add: add,
    Concat: concat,
    Multiply: multiply,
    Combine: combine,
}

EXAMPLES: dict[type[Kind], list[Example]] = {
    Add: [
        (Add(), ((3, 5, 4),) * 3, (3, 5, 4)),
        (Add(), ((2, 3),) * 2, (2, 3)),
        (Add(), ((2, 3),), (2, 3)),
        (Add(), ((4,),) * 2, (4,)),
    ],
    Concat: [
        (Concat(), ((3, 5, 4), (1, 5, 4)), (4, 5, 4)),
        (Concat(), ((3, 4), (1, 4), (2, 4)), (6, 4)),
        (Concat(), ((3,), (4,)), (7,)),
    ],
    Multiply: [
        (Multiply(), ((3, 5, 4), (3, 1, 1)), (3, 5, 4)),
        (Multiply(), ((1, 5, 4), (3, 5, 4), (3, 1, 1)), (3, 5, 4)),
        (Multiply(), ((2, 3), (2, 3)), (2, 3)),
        (Multiply(), ((2, 3),), (2, 3)),
        (Multiply(), ((2, 1, 3, 1), (2, 4, 3, 2)), (2, 4, 3, 2)),
        (Multiply(), ((4,), (1,)), (4,)),
    ],
    Combine: [
        (Combine(), ((3, 5, 4), (3,)), (1, 5, 4)),
        (Combine(), ((3, 5, 4), (3, 2, 2)), (4, 5, 4)),
        (Combine(), ((2, 4), (2, 4)), (4, 4)),
        (Combine(), ((2, 2, 1, 3), (2, 1, 3, 1)), (3, 2, 1, 3)),
        (Combine(), ((4,), (4,)), (1,)),
    ],
}

WORK: list[Work] = [
    (Multiply(), ((3, 5, 4), (3, 1, 1)), [], 60),
    (Multiply(), ((1, 5, 4), (3, 5, 4), (3, 1, 1)), [], 120),
    (Multiply(), ((2, 3),), [], 0),
    (Combine(), ((3, 5, 4), (3, 2, 2)), [], 4 * 20 * 3),
    (Combine(), ((3, 5, 4), (3,)), [], 20 * 3),
]


def multiplied(kind: Multiply, xs: tuple[torch.Tensor, ...], w: Tensors) -> torch.Tensor:
    """Every value laid out in full first."""
    full = tuple(map(max, zip(*(x.shape for x in xs), strict=True)))
    made = torch.ones(full, dtype=xs[0].dtype)
    for x in xs:
        made = made * x.expand(full)
    return made


def weighed(kind: Combine, xs: tuple[torch.Tensor, ...], w: Tensors) -> torch.Tensor:
    """One set of coefficients after another, each for all maps."""
    prototypes, coefficients = xs
    sets = coefficients.flatten(2).unbind(2) if coefficients.ndim > 2 else (coefficients,)
    made = []
    for each in sets:
        column = each.reshape(*each.shape, *(1,) * (prototypes.ndim - 2))
        made.append((prototypes * column).sum(1))
    return torch.stack(made, 1)


ORACLES: dict[type[Kind], Oracle] = {
    Add: lambda kind, xs, w: torch.stack(xs).sum(0),
    Concat: lambda kind, xs, w: torch.cat(xs, 1),
    Multiply: multiplied,
    Combine: weighed,
}

EXACT: set[type[Kind]] = {Add, Concat, Multiply, Combine}
LACKING: set[type[Kind]] = {Multiply, Combine}
