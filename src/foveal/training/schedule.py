"""The learning rate over a training: shares of its highest value, by what share is done."""

from __future__ import annotations

from collections.abc import Callable

WARM_UP = 0.2
"""Share of a one-cycle training that goes up."""
START = 0.1
"""Share of the highest rate that one-cycle starts with."""


def one_cycle(progress: float) -> float:
    """Straight up from a tenth, then straight down to zero.

    Source:  Smith & Topin 2017, arXiv:1708.07120 (straight lines, one turn)
    Example:
        >>> one_cycle(0.0), one_cycle(WARM_UP), one_cycle(1.0)
        (0.1, 1.0, 0.0)
    """
    if progress < WARM_UP:
        return START + (1 - START) * progress / WARM_UP
    return (1 - progress) / (1 - WARM_UP)


def linear(progress: float) -> float:
    """Straight down to zero.

    Example:
        >>> linear(0.25)
        0.75
    """
    return 1 - progress


SCHEDULES: dict[str, Callable[[float], float]] = {"one-cycle": one_cycle, "linear": linear}
