"""Fully connected layers, and the flattening before them."""

from __future__ import annotations

from support.kinds.drawing import Example, Generator, Oracle, Random, Work, chance, channels, plain
from torch.nn import functional as F

from foveal.net.combinators import Item
from foveal.net.kind import Kind, Shape, Tensor
from foveal.net.layers import Dense, Flatten


def dense(random: Random, shape: Shape) -> Item:
    return Dense(channels(random), chance(random, 0.7))


GENERATORS: dict[type[Kind], Generator] = {Flatten: plain(Flatten), Dense: dense}

EXAMPLES: dict[type[Kind], list[Example]] = {
    Flatten: [
        (Flatten(), ((3, 9, 7),), (189,)),
        (Flatten(), ((3, 4),), (12,)),
        (Flatten(), ((2, 1, 3, 2),), (12,)),
        (Flatten(), ((5,),), (5,)),
    ],
    Dense: [(Dense(10), ((5,),), (10,)), (Dense(4, bias=False), ((3,),), (4,))],
}

WORK: list[Work] = [
    (
        Dense(10),
        ((5,),),
        [Tensor("weight", (10, 5), init=None, fans=(5, 10)), Tensor("bias", (10,))],
        50,
    ),
    (Dense(10, bias=False), ((5,),), [Tensor("weight", (10, 5), init=None, fans=(5, 10))], 50),
]

ORACLES: dict[type[Kind], Oracle] = {
    Flatten: lambda kind, xs, w: xs[0].reshape(len(xs[0]), -1),
    Dense: lambda kind, xs, w: F.linear(xs[0], w["weight"], w.get("bias")),
}

EXACT: set[type[Kind]] = {Flatten, Dense}
