"""What every value of a program sees of the picture: receptive fields composed over the steps."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from foveal.net.kind import Shape
from foveal.net.program import Program, Step
from foveal.net.reach import POINT, Reach, compose, join


@dataclass(frozen=True)
class Sight:
    """What one value sees, counted in the positions of the value `origin`.

    The origin is the input, or the last value before it that was cut to size (resize, crop).
    """

    origin: int
    reaches: tuple[Reach | None, ...]
    """One for each spatial axis of the origin; None for the whole picture, or if it varies."""
    whole: bool
    """Every position sees the whole picture: a global step lies between."""

    @cached_property
    def known(self) -> tuple[Reach, ...] | None:
        """The reaches, if every axis has one."""
        found = tuple(reach for reach in self.reaches if reach is not None)
        return found if len(found) == len(self.reaches) else None

    @cached_property
    def receptive_field(self) -> Shape | None:
        """Positions seen along each axis, before clipping at the border."""
        known = self.known
        return None if known is None else tuple(reach.size for reach in known)

    @cached_property
    def jump(self) -> tuple[Fraction, ...] | None:
        """How far the field moves from one position to the next."""
        known = self.known
        return None if known is None else tuple(reach.jump for reach in known)

    @cached_property
    def start(self) -> tuple[Fraction, ...] | None:
        """Where the field of the first position has its centre."""
        known = self.known
        return None if known is None else tuple(reach.start for reach in known)

    @cached_property
    def coverage(self) -> tuple[Fraction, ...] | None:
        """Share of the field's positions that are really read."""
        known = self.known
        return None if known is None else tuple(reach.coverage for reach in known)


def sights(program: Program) -> list[Sight]:
    """The sight of every value, by its number; 0 is the input."""
    made = [_origin(0, program.input)]
    for step in program.steps:
        if step.kind.geometric:
            made.append(_origin(step.output, step.shape))
        else:
            made.append(_after(step, [made[value] for value in step.inputs]))
    return made


def _origin(value: int, shape: Shape) -> Sight:
    return Sight(value, (POINT,) * (len(shape) - 1), whole=False)


def _after(step: Step, before: list[Sight]) -> Sight:
    first = before[0]
    axes = range(len(first.reaches))
    if any(sight.whole for sight in before):
        return Sight(first.origin, (None,) * len(axes), whole=True)
    if any(sight.origin != first.origin for sight in before):
        return Sight(first.origin, (None,) * len(axes), whole=False)
    own = [step.kind.reach(step.ins, axis) for axis in axes]
    reaches = tuple(
        join(tuple(compose(own[axis], sight.reaches[axis]) for sight in before)) for axis in axes
    )
    return Sight(first.origin, reaches, whole=None in own and not step.kind.windows(step.ins))
