"""One step at work: what an explanation may look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from foveal.engines.reference.explaining.terms import GradientTerm, Index, Number, Place, Term
from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights
from foveal.net.program import Step


@dataclass(frozen=True)
class Call:
    """One step, with what it read and what it made."""

    step: Step
    row: Row
    xs: Arrays
    y: Array
    weights: Weights
    context: Context
    sources: tuple[str, ...]
    """For each thing that it read the path of the step that made it."""
    first: int = 0
    """Which sample of the batch comes first in these arrays."""

    @property
    def kind(self) -> Any:
        return self.step.kind

    def read(self, index: Index, branch: int = 0) -> Place:
        """The place of a number that was read."""
        return Place(self.sources[branch], (index[0] + self.first, *index[1:]))

    def made(self, index: Index) -> Place:
        """The place of a number that was made."""
        return Place(self.step.path, (index[0] + self.first, *index[1:]))

    def tensor(self, name: str, index: Index) -> Place:
        """The place of a weight."""
        return Place(f"{self.step.owner}.{name}", index)

    def forward(self, xs: Arrays, weights: Weights) -> Array:
        """The same step with other numbers."""
        return self.row.forward(self.kind, xs, weights, self.context)

    def derivatives(self, index: Index) -> Arrays:
        """How much one number that was made changes with each that was read."""
        one = np.zeros_like(self.y)
        one[index] = 1
        dxs, _ = self.row.backward(self.kind, self.xs, self.y, self.weights, one, self.context)
        return dxs


@dataclass(frozen=True)
class Told:
    """What a kind tells of one number."""

    formula: str
    terms: tuple[Term, ...]
    bias: float = 0.0
    bias_at: Place | None = None
    numbers: tuple[Number, ...] = ()


@dataclass(frozen=True)
class ToldGradient:
    """What one use of a weight tells of its gradient."""

    formula: str
    terms: tuple[GradientTerm, ...]
    total: float
    numbers: tuple[Number, ...] = ()


Gradient = Callable[[Call, Array, str, Index], ToldGradient]
"""(call, gradient of what was made, name of the tensor, index in it) -> what it tells"""


@dataclass(frozen=True)
class Explainer:
    """How one kind tells where its numbers come from."""

    value: Callable[[Call, Index], Told]
    gradient: Gradient | None = None
    """None for kinds without weights."""


def term(
    value: float, weight: float, at: Place | None, weight_at: Place | None = None, note: str = ""
) -> Term:
    """A term of a sum of products."""
    return Term(float(value), float(weight), float(value * weight), at, weight_at, note)


def total(terms: tuple[Term, ...] | tuple[GradientTerm, ...]) -> float:
    return float(np.sum([one.product for one in terms]))


def gradient_term(
    upstream: float, value: float, at_output: Place, at_input: Place | None
) -> GradientTerm:
    return GradientTerm(float(upstream), float(value), float(upstream * value), at_output, at_input)


def where(mask: np.ndarray) -> list[Index]:
    """The places that are true, row by row."""
    return [tuple(map(int, index)) for index in np.argwhere(mask)]
