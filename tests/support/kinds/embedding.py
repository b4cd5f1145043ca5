"""Tables of vectors: embeddings and prototypes."""

from __future__ import annotations

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
    Work,
    chance,
    channels,
    integers,
)
from torch.nn import functional as F

from foveal.errors import SpecError
from foveal.net.combinators import Item, chain
from foveal.net.kind import Kind, Shape, Tensor
from foveal.net.layers import RBF, Embed, Gain, GlobalAvgPool


def embed(random: Random, shape: Shape) -> Item:
    return Embed(int(random.integers(1, 9)), channels(random))


def rbf(random: Random, shape: Shape) -> Item:
    """Distances grow with the number of features; their mean is of order 1.

    Now and then a picture is pooled for it: few random nets become flat, and stay so.
    """
    start = [None, "sign", "normal:1"][random.integers(3)]
    measured = RBF(channels(random), start), Gain(round(0.5 / shape[0], 4))
    if len(shape) == 1:
        return chain(*measured)
    if chance(random, 0.6):
        raise SpecError("a picture ends here only now and then")
    return chain(GlobalAvgPool(), *measured)


def words(random: Random) -> tuple[list[Item], Shape]:
    """A row of numbers, or a board of them."""
    board = (1, *integers(random, 4, 7, 2))
    return [embed(random, ())], [(int(random.integers(6, 13)),), board][random.integers(2)]


def numbers(random: Random, kind: Embed, batch: int, shape: Shape, whole: bool) -> np.ndarray:
    return random.integers(0, kind.num_embeddings, (batch, *shape))


def looked_up(kind: Embed, xs: tuple[torch.Tensor, ...], w: Tensors) -> torch.Tensor:
    """A row of zeros with a one, times the table."""
    ones = F.one_hot(xs[0].detach().long(), kind.num_embeddings).to(w["weight"].dtype)
    found: torch.Tensor = (ones @ w["weight"]).movedim(-1, 1)
    return found if xs[0].ndim == 2 else found.squeeze(2)


def distances(kind: RBF, xs: tuple[torch.Tensor, ...], w: Tensors) -> torch.Tensor:
    away = [F.mse_loss(xs[0], row.expand_as(xs[0]), reduction="none") for row in w["weight"]]
    return torch.stack([each.sum(1) for each in away], 1)


GENERATORS: dict[type[Kind], Generator] = {Embed: embed, RBF: rbf}

EXAMPLES: dict[type[Kind], list[Example]] = {
    Embed: [
        (Embed(5, 3), ((4,),), (3, 4)),
        (Embed(1, 2), ((3,),), (2, 3)),
        (Embed(3, 2), ((1, 4, 3),), (2, 4, 3)),
        (Embed(9, 1), ((1, 5),), (1, 5)),
        (Embed(4, 2), ((1, 2, 3, 2),), (2, 2, 3, 2)),
    ],
    RBF: [(RBF(4), ((3,),), (4,)), (RBF(1, "sign", frozen=True), ((5,),), (1,))],
}

WORK: list[Work] = [
    (Embed(5, 3), ((4,),), [Tensor("weight", (5, 3), init="normal:1")], 0),
    (RBF(4), ((3,),), [Tensor("weight", (4, 3), init=None, fans=(3, 4))], 12),
    (
        RBF(2, (1, -1, 1), frozen=True),
        ((3,),),
        [Tensor("weight", (2, 3), init=(1, -1, 1), fans=(3, 2), frozen=True)],
        6,
    ),
]

ORACLES: dict[type[Kind], Oracle] = {Embed: looked_up, RBF: distances}
ARRIVING: dict[type[Kind], Arriving] = {Embed: numbers}
ENTRANCES: list[Entrance] = [words]
EXACT: set[type[Kind]] = {Embed, RBF}
LACKING: set[type[Kind]] = {RBF}
NUMBERED: set[type[Kind]] = {Embed}
