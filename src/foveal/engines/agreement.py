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
    >>> from foveal.net.layers import Tanh
    >>> found = compare(Net.of(Tanh()).bind((3,)), {}, np.eye(3))
    >>> found.difference < 1e-6, found.num_same, found.num_answers
    (True, 3, 3)
    """
    first, second = (build(name, program, weights).run(x) for name in engines)
    pairs = [(first[name].astype(np.float64), second[name]) for name in second]
    counts = [_answers(a, b, tolerance) for a, b in pairs if b.shape[1] > 1]
    answers, same, ties, others = np.array(counts, int).reshape(-1, 4).sum(axis=0).tolist()
    difference = max(distance(a, b) for a, b in pairs)
    if difference > tolerance or others:
        raise DisagreementError(
            f"{engines[0]} and {engines[1]} differ by {difference:.1e} of the largest output",
            where=f"{len(x)} inputs",
            arrives=f"{same} of {answers} answers the same, {ties} ties",
            expected=f"at most {tolerance:.0e}, and the same answers but for ties",
            fix="do not use this net elsewhere, and please report it",
        )
    return Agreement(engines, len(x), difference, tolerance, answers, same, ties)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """max|a - b| / max|b|; infinite where either is not finite."""
    with np.errstate(invalid="ignore"):
        gap, scale = np.abs(a - b).max(), np.abs(b).max()
    if gap == 0:
        return 0.0
    return float(gap / scale) if np.isfinite(gap) and scale > 0 else np.inf


def _answers(a: np.ndarray, b: np.ndarray, tolerance: float) -> tuple[int, int, int, int]:
    """How many answers there are, the same, ties, and neither the same nor ties."""
    ordered = np.sort(b, axis=1)
    tie = ordered[:, -1] - ordered[:, -2] < tolerance * np.abs(b).max()
    same = a.argmax(axis=1) == b.argmax(axis=1)
    return same.size, int(same.sum()), int(tie.sum()), int((~same & ~tie).sum())
