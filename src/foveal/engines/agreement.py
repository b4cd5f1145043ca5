"""Whether two engines give the same answers for the same net."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from foveal.engines import build
from foveal.errors import DisagreementError
from foveal.net.program import Program

TOLERANCE = 1e-5
"""Of the largest output: what sums in float32, in whatever order, stay within."""


@dataclass(frozen=True)
class Agreement:
    """How near the answers of two engines are, over a number of inputs."""

    engines: tuple[str, str]
    num_inputs: int
    difference: float
    """The largest max|a - b| / max|b| of any result."""
    tolerance: float
    num_answers: int
    """How often a result had a largest channel: once for an input, or at each position."""
    num_same: int
    num_ties: int
    """Answers whose two largest values differ by less than the tolerance: either may win."""


def compare(
    program: Program,
    weights: Mapping[str, np.ndarray],
    x: np.ndarray,
    *,
    engines: tuple[str, str] = ("portable", "reference"),
    tolerance: float = TOLERANCE,
) -> Agreement:
    """Run two engines on the same inputs and refuse if they disagree.

    Use it before a net leaves the house. `resize` rounds to whole levels: where the exact value
    lies half-way between two, engines may round it either way. Compare with pictures that have
    their size already, or begin the program after `resize`.

    Shape:  (N, C, H, W) float, or (N, H, W, C) uint8 after `input uint8`
    Raises: DisagreementError if any result differs by more than the tolerance, relative to the
            largest output of the second engine, or another channel wins that is no tie
    Source: none

    >>> from foveal.net import Net
    >>> from foveal.net.layers import ReLU
    >>> compare(Net.of(ReLU()).bind((3,)), {}, np.ones((4, 3))).num_answers
    4
    """
    first, second = (build(name, program, weights).run(x) for name in engines)
    agreement = Agreement(engines, len(x), 0.0, tolerance, 0, 0, 0)
    ...
