"""Fully connected layers, and the flattening before them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from foveal.checks import Constraint, Flag, Whole
from foveal.errors import ShapeError
from foveal.net.kind import Kind, Shape, Start, Tensor, shape_text
from foveal.net.layers import learned


@dataclass(frozen=True, repr=False)
class Dense(Kind):
    """Connect every output to every input feature.

    Use it at the end of a net, to weigh all that was found against each other. `weight` and `init`
    are those of Conv.

    Shape:   (N, in_features) -> (N, out_features)
    Params:  in_features * out_features, + out_features with bias, + out_features with weight_norm
    Raises:  ShapeError if a picture arrives instead of flat features
    Source:  Rosenblatt 1958, doi:10.1037/h0042519

    >>> Dense(4704).output(((3072,),)), Dense(4704).macs(((3072,),))
    ((4704,), 14450688)
    """

    out_features: int
    bias: bool = True
    weight: str = "free"
    init: Start = None
    frozen: bool = False

    word: ClassVar[str] = "dense"
    whole: ClassVar[bool] = True
    aliases: ClassVar[tuple[str, ...]] = ("fc", "linear")
    positional: ClassVar[tuple[str, ...]] = ("out_features",)
    constraints: ClassVar[dict[str, Constraint]] = {
        "out_features": Whole(),
        "bias": Flag(),
        **learned.WEIGHT,
        **learned.START,
    }

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        if len(ins[0]) != 1:
            raise ShapeError(
                "dense reads flat features, but a picture arrives",
                arrives=shape_text(ins[0]),
                fix="put flatten or globalavgpool before it",
            )
        return (self.out_features,)

    def tensors(self, ins: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        shape, fans = (self.out_features, ins[0][0]), (ins[0][0], self.out_features)
        return learned.tensors(self, shape, fans, self.out_features)

    def macs(self, ins: tuple[Shape, ...]) -> int:
        return ins[0][0] * self.out_features


class Flatten(Kind):
    """Lay all values of a picture in one row: channel by channel, row by row.

    Use it before dense. What is flat already stays as it is.

    Shape:   (N, C, H, W) -> (N, C * H * W)
    Params:  none
    Raises:  nothing
    Source:  row-major order, as numpy.reshape

    >>> Flatten().output(((16, 5, 5),))
    (400,)
    """

    word: ClassVar[str] = "flatten"
    whole: ClassVar[bool] = True

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        return (prod(ins[0]),)

    def formula(self, ins: tuple[Shape, ...]) -> str:
        return f"{'*'.join(map(str, ins[0]))} = {prod(ins[0])}"
