"""What a layer kind is: a frozen dataclass that knows its own arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from foveal import checks
from foveal.checks import Constraint
from foveal.errors import ShapeError
from foveal.net.reach import POINT, Reach

if TYPE_CHECKING:
    from foveal.net.layers.window import Window

Shape = tuple[int, ...]
"""Sizes without the batch: (channels, *spatial axes), or (features,) when flat."""
Start = str | tuple[float, ...] | None
"""How a tensor starts: a word such as `normal:0.02`, numbers, or None for what suits the net."""
Pads = tuple[tuple[int, int], ...]
"""Padding before and after, in positions, for each spatial axis."""


@dataclass(frozen=True)
class Tensor:
    """One array that a step owns: a parameter, or a statistic kept beside the parameters."""

    name: str
    shape: Shape
    trained: bool = True
    """A parameter; false for statistics."""
    init: Start = "zero"
    """How it starts (`foveal.net.initialisers`)."""
    fans: tuple[int, int] = (0, 0)
    """How many values a weight sums over, and how many sums one value goes into."""
    frozen: bool = False
    """A parameter that training leaves as it is."""

    @property
    def size(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class Kind:
    """One kind of layer. Subclasses are frozen dataclasses; their fields are their notation.

    One without fields of its own inherits all of it undecorated: a decorator costs 0.4 ms at start.
    What arrives is never a field: every fact takes `ins`, the shapes of the values read.
    """

    word: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    positional: ClassVar[tuple[str, ...]] = ()
    constraints: ClassVar[Mapping[str, Constraint]] = {}
    training_only: ClassVar[bool] = False
    """Does nothing when the net predicts (dropout)."""
    first: ClassVar[bool] = False
    """Reads what arrives from outside, so nothing may stand before it."""
    geometric: ClassVar[bool] = False
    """Cuts the picture to size before the net looks at it; receptive fields count from there."""
    whole: ClassVar[bool] = False
    """Every output sees all that arrives (dense, flatten, global pooling)."""

    def __post_init__(self) -> None:
        for field, constraint in self.constraints.items():
            value = checks.accept(self.word, field, constraint, getattr(self, field))
            object.__setattr__(self, field, value)

    def __repr__(self) -> str:
        """As Python writes it, with what differs from the defaults."""
        said = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.default is MISSING:
                said.append(repr(value))
            elif value != field.default:
                said.append(f"{field.name}={value!r}")
        return f"{type(self).__name__}({', '.join(said)})"

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        """The shape of the value this kind makes; ShapeError if what arrives does not fit."""
        return ins[0]

    def tensors(self, ins: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        """The weights and statistics this kind needs for what arrives."""
        return ()

    def macs(self, ins: tuple[Shape, ...]) -> int:
        """Multiplications with a following addition, per sample."""
        return 0

    def windows(self, ins: tuple[Shape, ...]) -> tuple[Window, ...]:
        """The sliding window along each axis; empty for kinds without one."""
        return ()

    def pads(self, ins: tuple[Shape, ...]) -> Pads:
        """The padding resolved for what arrives; empty for kinds without a window."""
        return ()

    def reach(self, ins: tuple[Shape, ...], axis: int) -> Reach | None:
        """Which input positions an output position reads along an axis; None if no rule says it."""
        return None if self.whole else POINT

    def surveys(self, ins: tuple[Shape, ...]) -> bool:
        """Whether numbers of the whole picture, such as its mean, weigh what each output sees."""
        return False

    def ramped(self, number: int, count: int) -> Kind:
        """This kind as the number-th (from 0) of `count` in a ramp through the net; itself if none.

        A ramp begins at nothing and ends with what the field says.
        """
        return self

    def note(self, ins: tuple[Shape, ...]) -> str:
        """What a reader should know of it, where that follows from what arrives; mostly empty."""
        return ""

    def formula(self, ins: tuple[Shape, ...]) -> str:
        """The arithmetic with the numbers put in, in the notation of Dumoulin & Visin 2016."""
        return ""


class Merge(Kind):
    """A kind that joins several values of parallel branches into one."""

    def seen(self, ins: tuple[Shape, ...]) -> tuple[bool, ...]:
        """Of each branch whether an output sees what it saw; a gate only weighs the others."""
        return (True,) * len(ins)


def spatial(kind: Kind, shape: Shape) -> Shape:
    """The spatial axes of what arrives; ShapeError if it is flat."""
    if len(shape) < 2:
        raise ShapeError(
            f"{kind.word} reads a picture, but flat features arrive",
            arrives=shape_text(shape),
            fix="put it before flatten and global pooling; a picture is 1x28x28, not 784",
        )
    return shape[1:]


def per_axis(kind: Kind, field: str, value: object, axes: int) -> tuple[Any, ...]:
    """What a field says for each of the axes that arrive; ShapeError if their number differs."""
    if not isinstance(value, tuple):
        return (value,) * axes
    if len(value) != axes:
        given = f"{len(value)} size{'s' if len(value) > 1 else ''}"
        arrive = "1 spatial axis arrives" if axes == 1 else f"{axes} spatial axes arrive"
        several = f", or {axes} joined by x" if axes > 1 else ""
        raise ShapeError(
            f"{field} gives {given}, but {arrive}", fix=f"give {field} as one number{several}"
        )
    return value


def shape_text(shape: Shape) -> str:
    """A shape as people write it: 3x32x32."""
    return "x".join(map(str, shape))
