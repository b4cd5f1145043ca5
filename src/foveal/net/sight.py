"""What every value of a program sees of the picture: receptive fields composed over the steps."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from foveal.net.kind import Merge, Shape
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
    gated: bool = False
    """The reaches are those of what a gate or a mean of the picture weighs; that sees more."""

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
        before = [made[value] for value in step.inputs]
        if _begins(step, before[0]):
            made.append(_origin(step.output, step.shape))
        else:
            made.append(_after(step, before))
    return made


def _begins(step: Step, before: Sight) -> bool:
    """Whether positions are counted anew.

    So where a picture is cut to size before anything looked at it, where it is resized, which no
    rule of whole positions follows, and where flat features that have only seen themselves become
    a picture.
    """
    if step.kind.geometric:
        untouched = before.origin == step.inputs[0]
        return untouched or step.kind.reach(step.ins, 0) is None
    return len(step.ins[0]) == 1 and not before.whole and len(step.shape) > 1


def _origin(value: int, shape: Shape) -> Sight:
    return Sight(value, (POINT,) * (len(shape) - 1), whole=False)


def _after(step: Step, before: list[Sight]) -> Sight:
    own = direct(step, before)
    first = own[0]
    weighed = len(own) < len(before) or step.kind.surveys(step.ins)
    gated = weighed or any(sight.gated for sight in before)
    axes = range(len(first.reaches))
    if step.kind.whole or any(sight.whole for sight in own):
        return Sight(first.origin, (None,) * len(axes), whole=True)
    if any(sight.origin != first.origin for sight in own):
        return Sight(first.origin, (None,) * len(axes), whole=False)
    adds = [step.kind.reach(step.ins, axis) for axis in axes]
    reaches = tuple(
        join(tuple(compose(adds[axis], sight.reaches[axis]) for sight in own)) for axis in axes
    )
    return Sight(first.origin, reaches, whole=False, gated=gated)


def direct(step: Step, before: list[Sight]) -> list[Sight]:
    """Of the sights of what a step reads those that are its own, without those of gates."""
    if not isinstance(step.kind, Merge):
        return before
    return [sight for sight, seen in zip(before, step.kind.seen(step.ins), strict=True) if seen]
