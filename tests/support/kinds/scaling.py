"""Factors: scale and gain."""

from __future__ import annotations

import torch
from support.kinds.drawing import Example, Generator, Oracle, Random, Tensors, Work, chance

from foveal.net.combinators import Item
from foveal.net.kind import Kind, Shape, Tensor
from foveal.net.layers import Gain, Scale


def scale(random: Random, shape: Shape) -> Item:
    return Scale(float(random.choice([1.0, 0.5, 1e-6])), chance(random, 0.5))


def scaled(kind: Scale, xs: tuple[torch.Tensor, ...], w: Tensors) -> torch.Tensor:
    maps = [x * weight for x, weight in zip(xs[0].unbind(1), w["weight"], strict=True)]
    if kind.bias:
        maps = [y + bias for y, bias in zip(maps, w["bias"], strict=True)]
    return torch.stack(maps, 1)


GENERATORS: dict[type[Kind], Generator] = {
    Scale: scale,
    Gain: lambda random, shape: Gain(float(random.choice([-1.0, 2.0, 0.3]))),
}

EXAMPLES: dict[type[Kind], list[Example]] = {
    Scale: [
        (Scale(), ((3, 4, 2),), (3, 4, 2)),
        (Scale(0.5, bias=True), ((3, 4),), (3, 4)),
        (Scale(bias=True), ((2, 1, 3, 2),), (2, 1, 3, 2)),
        (Scale(1e-6, bias=True), ((4,),), (4,)),
    ],
    Gain: [
        (Gain(0.5), ((3, 4, 2),), (3, 4, 2)),
        (Gain(-2), ((4,),), (4,)),
        (Gain(0), ((2, 3),), (2, 3)),
    ],
}

WORK: list[Work] = [
    (Scale(), ((3, 4, 2),), [Tensor("weight", (3,), init="constant:1")], 24),
    (
        Scale(1e-6, bias=True),
        ((5,),),
        [Tensor("weight", (5,), init="constant:1e-06"), Tensor("bias", (5,))],
        5,
    ),
    (Gain(0.5), ((3, 4, 2),), [], 24),
]

ORACLES: dict[type[Kind], Oracle] = {
    Scale: scaled,
    Gain: lambda kind, xs, w: torch.mul(xs[0], kind.factor),
}

EXACT: set[type[Kind]] = {Scale, Gain}
ROUNDED = {Gain: lambda kind: not kind.factor.is_integer()}
LACKING: set[type[Kind]] = {Scale, Gain}
