"""Activations."""

from __future__ import annotations

from math import inf, pi, sqrt

import torch
from support.kinds.drawing import Example, Generator, Oracle, Random, Tensors, chance, plain
from torch.nn import functional as F

from foveal.errors import SpecError
from foveal.net.combinators import Item
from foveal.net.kind import Kind, Shape
from foveal.net.layers import (
    ELU,
    GELU,
    HardSigmoid,
    HardSwish,
    HardTanh,
    LeakyReLU,
    LogSoftmax,
    Maxout,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)


def relu(random: Random, shape: Shape) -> Item:
    return ReLU(float(random.choice([1, 2, 6])) if chance(random, 0.3) else None)


def gelu(random: Random, shape: Shape) -> Item:
    return GELU(str(random.choice(["none", "tanh"])))


def tanh(random: Random, shape: Shape) -> Item:
    return Tanh(1.7159, 0.6667) if chance(random, 0.3) else Tanh()


def hard_tanh(random: Random, shape: Shape) -> Item:
    return HardTanh() if chance(random, 0.5) else HardTanh(-2, float(random.choice([-1, 0.5, 3])))


def maxout(random: Random, shape: Shape) -> Item:
    pieces = [number for number in range(2, shape[0] + 1) if shape[0] % number == 0]
    if not pieces:
        raise SpecError("one channel has no neighbours")
    return Maxout(int(random.choice(pieces)))


GENERATORS: dict[type[Kind], Generator] = {
    ReLU: relu,
    LeakyReLU: lambda random, shape: LeakyReLU(float(random.choice([0, 0.01, 0.25, 1]))),
    ELU: lambda random, shape: ELU(float(random.choice([0, 1, 1.5]))),
    GELU: gelu,
    SiLU: plain(SiLU),
    HardSwish: plain(HardSwish),
    Softplus: lambda random, shape: Softplus(float(random.choice([0.5, 1, 3]))),
    Tanh: tanh,
    HardTanh: hard_tanh,
    Sigmoid: plain(Sigmoid),
    HardSigmoid: plain(HardSigmoid),
    Softmax: plain(Softmax),
    LogSoftmax: plain(LogSoftmax),
    Maxout: maxout,
}

EXAMPLES: dict[type[Kind], list[Example]] = {
    ReLU: [
        (ReLU(), ((3, 4, 5),), (3, 4, 5)),
        (ReLU(), ((5,),), (5,)),
        (ReLU(0.5), ((3, 4),), (3, 4)),
    ],
    LeakyReLU: [
        (LeakyReLU(), ((3, 4, 5),), (3, 4, 5)),
        (LeakyReLU(0.25), ((5,),), (5,)),
        (LeakyReLU(0), ((2, 3),), (2, 3)),
    ],
    ELU: [
        (ELU(), ((3, 4, 5),), (3, 4, 5)),
        (ELU(1.5), ((5,),), (5,)),
        (ELU(0), ((2, 3),), (2, 3)),
    ],
    GELU: [
        (GELU(), ((3, 4, 5),), (3, 4, 5)),
        (GELU(), ((5,),), (5,)),
        (GELU("tanh"), ((3, 4, 5),), (3, 4, 5)),
        (GELU("tanh"), ((2, 2, 1, 3),), (2, 2, 1, 3)),
    ],
    SiLU: [(SiLU(), ((5,),), (5,)), (SiLU(), ((2, 5, 4),), (2, 5, 4))],
    HardSwish: [(HardSwish(), ((5,),), (5,)), (HardSwish(), ((2, 5, 4),), (2, 5, 4))],
    Softplus: [
        (Softplus(), ((5,),), (5,)),
        (Softplus(3), ((2, 5, 4),), (2, 5, 4)),
        (Softplus(0.5), ((2, 5),), (2, 5)),
    ],
    Tanh: [
        (Tanh(), ((5,),), (5,)),
        (Tanh(), ((3, 4),), (3, 4)),
        (Tanh(1.7159, 2 / 3), ((3, 4),), (3, 4)),
        (Tanh(slope=2), ((3, 2, 2),), (3, 2, 2)),
    ],
    HardTanh: [
        (HardTanh(), ((5,),), (5,)),
        (HardTanh(-0.5, 2), ((3, 4, 2),), (3, 4, 2)),
        (HardTanh(0.1, 0.9), ((3, 4),), (3, 4)),
    ],
    Sigmoid: [(Sigmoid(), ((5,),), (5,)), (Sigmoid(), ((2, 5, 4),), (2, 5, 4))],
    HardSigmoid: [(HardSigmoid(), ((5,),), (5,)), (HardSigmoid(), ((2, 5, 4),), (2, 5, 4))],
    Softmax: [
        (Softmax(), ((5,),), (5,)),
        (Softmax(), ((3, 2, 2),), (3, 2, 2)),
        (Softmax(), ((4, 3),), (4, 3)),
        (Softmax(), ((2, 2, 1, 3),), (2, 2, 1, 3)),
    ],
    LogSoftmax: [
        (LogSoftmax(), ((5,),), (5,)),
        (LogSoftmax(), ((3, 2, 2),), (3, 2, 2)),
        (LogSoftmax(), ((4, 3),), (4, 3)),
        (LogSoftmax(), ((2, 2, 1, 3),), (2, 2, 1, 3)),
    ],
    Maxout: [
        (Maxout(2), ((6,),), (3,)),
        (Maxout(3), ((6, 4),), (2, 4)),
        (Maxout(2), ((4, 3, 2),), (2, 3, 2)),
        (Maxout(4), ((4, 2, 1, 3),), (1, 2, 1, 3)),
    ],
}


def gaussian(kind: GELU, xs: tuple[torch.Tensor, ...], w: Tensors) -> torch.Tensor:
    x = xs[0]
    if kind.approximate == "none":
        y: torch.Tensor = x * torch.special.ndtr(x)
        return y
    return x / (1 + (-2 * sqrt(2 / pi) * (x + 0.044715 * x**3)).exp())


def largest(kind: Maxout, xs: tuple[torch.Tensor, ...], w: Tensors) -> torch.Tensor:
    last = xs[0].movedim(1, -1)
    rows = F.max_pool1d(last.reshape(-1, 1, last.shape[-1]), kind.pieces)
    return rows.reshape(*last.shape[:-1], -1).movedim(-1, 1)


def between(x: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """Cut off at both ends, where the derivative is that of the constant."""
    inside = (x > low) & (x < high)
    return torch.where(inside, x, (x * ~inside).detach().clamp(low, high))


ORACLES: dict[type[Kind], Oracle] = {
    ReLU: lambda kind, xs, w: between(xs[0], 0, inf if kind.max is None else kind.max),
    LeakyReLU: lambda kind, xs, w: xs[0] * (xs[0] > 0) + kind.slope * xs[0] * (xs[0] <= 0),
    ELU: lambda kind, xs, w: xs[0].clamp(min=0) + kind.alpha * (xs[0].clamp(max=0).exp() - 1),
    GELU: gaussian,
    SiLU: lambda kind, xs, w: xs[0] / (1 + (-xs[0]).exp()),
    HardSwish: lambda kind, xs, w: F.hardswish(xs[0]),
    Softplus: lambda kind, xs, w: (1 + (kind.beta * xs[0]).exp()).log() / kind.beta,
    Tanh: lambda kind, xs, w: kind.amplitude * (1 - 2 / ((2 * kind.slope * xs[0]).exp() + 1)),
    HardTanh: lambda kind, xs, w: between(xs[0], kind.min, kind.max),
    Sigmoid: lambda kind, xs, w: 1 / (1 + (-xs[0]).exp()),
    HardSigmoid: lambda kind, xs, w: between(xs[0] + 3, 0, 6) / 6,
    Softmax: lambda kind, xs, w: xs[0].exp() / xs[0].exp().sum(1, keepdim=True),
    LogSoftmax: lambda kind, xs, w: xs[0] - xs[0].exp().sum(1, keepdim=True).log(),
    Maxout: largest,
}

EXACT: set[type[Kind]] = {ReLU, LeakyReLU, HardTanh, HardSigmoid, HardSwish, Maxout}
"""The same numbers from whole ones in both engines, if not always whole."""
LACKING: set[type[Kind]] = {HardSigmoid, Maxout, Tanh}
