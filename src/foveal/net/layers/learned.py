"""What layers with weights have in common: how the weights start, and what is done to them."""

from __future__ import annotations

from typing import Protocol

from foveal.checks import Constraint, Flag, OneOf, Optional
from foveal.errors import ShapeError
from foveal.net.initialisers import Init, given
from foveal.net.kind import Shape, Start, Tensor, shape_text

START: dict[str, Constraint] = {"init": Optional(Init()), "frozen": Flag()}
"""How the weights start, and whether training leaves them so."""
WEIGHT: dict[str, Constraint] = {"weight": OneOf(("free", "unit_sum", "weight_norm"))}
"""What is done to the weights before they are used: nothing, or for each filter (each output of a
dense layer) division by the sum of its weights, or a direction times a length."""


class Starting(Protocol):
    """The fields of a kind that learns weights."""

    @property
    def init(self) -> Start: ...
    @property
    def frozen(self) -> bool: ...


class Learned(Starting, Protocol):
    """And of one that may have a bias."""

    @property
    def bias(self) -> bool: ...


class Filters(Learned, Protocol):
    """And of one whose weights are worked on before they are used."""

    @property
    def weight(self) -> str: ...


def weight(kind: Starting, shape: Shape, fans: tuple[int, int], kernel: Shape = ()) -> Tensor:
    """The weight of a kind; ShapeError if the numbers it is to start with do not fit."""
    start = given(kind.init, shape, kernel) or kind.init
    return Tensor("weight", shape, init=start, fans=fans, frozen=kind.frozen)


def bias(kind: Learned, shape: Shape) -> tuple[Tensor, ...]:
    """The bias of a kind, if it has one."""
    return (Tensor("bias", shape, frozen=kind.frozen),) if kind.bias else ()


def tensors(
    kind: Filters, shape: Shape, fans: tuple[int, int], num_outputs: int, kernel: Shape = ()
) -> tuple[Tensor, ...]:
    """Weight, the lengths of its filters if they are learned apart, and bias."""
    made = weight(kind, shape, fans, kernel)
    if kind.weight != "weight_norm":
        return (made, *bias(kind, (num_outputs,)))
    gain = Tensor("gain", shape[:1], init="norm", frozen=kind.frozen)
    return (made, gain, *bias(kind, (num_outputs,)))


def check_groups(groups: int, arriving: Shape, out_channels: int) -> None:
    """ShapeError unless the groups divide the channels that arrive and the filters."""
    for name, count in (("channels that arrive", arriving[0]), ("filters", out_channels)):
        if count % groups:
            raise ShapeError(
                f"groups {groups} does not divide the {count} {name}",
                arrives=shape_text(arriving),
                fix=f"groups that divide both {arriving[0]} and {out_channels}",
            )
