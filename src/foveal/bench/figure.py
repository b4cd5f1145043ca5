"""What a measurement came to."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Literal

Better = Literal["more", "less", ""]
"""Which of two values is the faster computer's; empty where none is, as for an accuracy."""


@dataclass(frozen=True)
class Figure:
    """Some values of one quantity, as they were measured one after another.

    >>> figure = Figure("predict", "one prediction", "ms", (2.0, 1.0, 3.0), "less")
    >>> figure.median, figure.times_as_fast_as(4.0)
    (2.0, 2.0)
    """

    name: str
    what: str
    """In words, for the table."""
    unit: str
    values: tuple[float, ...]
    better: Better = "more"

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def range(self) -> tuple[float, float]:
        return min(self.values), max(self.values)

    def times_as_fast_as(self, other: float) -> float | None:
        """This computer's speed as a multiple of that of the one that came to `other`."""
        match self.better:
            case "more":
                return self.median / other
            case "less":
                return other / self.median
            case "":
                return None

    def facts(self) -> dict[str, object]:
        """Everything, as JSON has it."""
        return {
            "what": self.what,
            "unit": self.unit,
            "n": len(self.values),
            "median": self.median,
            "range": list(self.range),
            "values": list(self.values),
        }
