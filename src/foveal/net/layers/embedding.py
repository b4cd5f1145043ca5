"""Tables of learned vectors: one is looked up by its number, or all are measured against."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from foveal.checks import Constraint, Whole
from foveal.errors import ShapeError
from foveal.net.kind import Kind, Shape, Start, Tensor, shape_text
from foveal.net.layers import learned


@dataclass(frozen=True, repr=False)
class Embed(Kind):
    """Look up a learned vector for each number that arrives.

    Use it first in a net that reads words, letters, or the pieces on a board by their numbers,
    counted from 0. The features of a vector become the channels of its position, so that
    `embed 5000 128 -> conv 100 3` slides over words. Numbers have no slope: the gradient of what
    arrives is 0.

    Shape:   (N, L) -> (N, features, L); (N, 1, H, W) -> (N, features, H, W)
    Params:  num_embeddings * features
    Raises:  ShapeError if a picture of several channels arrives; SpecError, when it runs, for a
             number that is not whole or not below num_embeddings
    Source:  Collobert et al. 2011, arXiv:1103.0398

    >>> Embed(5000, 128).output(((40,),)), Embed(3, 8).output(((1, 19, 19),))
    ((128, 40), (8, 19, 19))
    """

    num_embeddings: int
    features: int

    word: ClassVar[str] = "embed"
    positional: ClassVar[tuple[str, ...]] = ("num_embeddings", "features")
    constraints: ClassVar[dict[str, Constraint]] = {
        "num_embeddings": Whole(),
        "features": Whole(),
    }

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        if len(ins[0]) > 1 and ins[0][0] != 1:
            raise ShapeError(
                f"embed reads one number at each position, but {ins[0][0]} channels arrive",
                arrives=shape_text(ins[0]),
                expected="a row of numbers such as 40, or one channel such as 1x19x19",
                fix="take 0 before it, or flatten",
            )
        return (self.features, *(ins[0] if len(ins[0]) == 1 else ins[0][1:]))

    def tensors(self, ins: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        return (Tensor("weight", (self.num_embeddings, self.features), init="normal:1"),)

    def formula(self, ins: tuple[Shape, ...]) -> str:
        return f"{self.features} numbers for each of {prod(ins[0])}"


@dataclass(frozen=True, repr=False)
class RBF(Kind):
    """Measure how far the features lie from learned prototypes: squared distances.

    Use it as the last layer where each class has a prototype, as LeNet-5 has a bitmap for each
    digit; the smallest output is the answer, so put `gain -1` behind it before softmax. With
    `init` and `frozen` the prototypes are given and stay.

    Shape:   (N, in_features) -> (N, out_features), y_o = Σ_i (x_i - weight[o, i])²
    Params:  in_features * out_features
    Raises:  ShapeError if a picture arrives instead of flat features, or numbers of `init` do
             not fit
    Source:  Broomhead & Lowe 1988; LeCun et al. 1998, doi:10.1109/5.726791

    >>> RBF(10).output(((84,),)), RBF(10).macs(((84,),))
    ((10,), 840)
    """

    out_features: int
    init: Start = None
    frozen: bool = False

    word: ClassVar[str] = "rbf"
    whole: ClassVar[bool] = True
    positional: ClassVar[tuple[str, ...]] = ("out_features",)
    constraints: ClassVar[dict[str, Constraint]] = {"out_features": Whole(), **learned.START}

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        if len(ins[0]) != 1:
            raise ShapeError(
                "rbf reads flat features, but a picture arrives",
                arrives=shape_text(ins[0]),
                fix="put flatten or globalavgpool before it",
            )
        return (self.out_features,)

    def tensors(self, ins: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        shape, fans = (self.out_features, ins[0][0]), (ins[0][0], self.out_features)
        return (learned.weight(self, shape, fans),)

    def macs(self, ins: tuple[Shape, ...]) -> int:
        return ins[0][0] * self.out_features
