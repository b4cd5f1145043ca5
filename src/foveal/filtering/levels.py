"""From the values that a filter gives to the levels 0 … 255 that a picture can hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]
MIDDLE, WHITE = 128, 255


@dataclass(frozen=True)
class Levels:
    """A picture of levels, and what was done to the values to have it."""

    pixels: NDArray[np.uint8]
    rule: str
    low: float
    """The smallest value before."""
    high: float
    black: float
    """The value that became black, level 0 (level 1 for `signed`), with all below it."""
    white: float
    """The value that became white, level 255, with all above it."""
    cut: float
    """The share of values beyond these two, which were lost in them."""

    def sentence(self) -> str:
        """The values' range and what became of it, in a line.

        >>> to_levels(np.array([[[-2.0], [6.0]]], np.float32), "rescale").sentence()
        'values -2 … 6; rescale: black is -2, white 6'
        """
        zero = ", 0 is grey" if self.rule == "signed" else ""
        lost = f", {self.cut:.2%} beyond" if self.cut else ""
        return (
            f"values {self.low:.4g} … {self.high:.4g}; {self.rule}: black is {self.black:.4g}, "
            f"white {self.white:.4g}{zero}{lost}"
        )


def to_levels(values: Values, rule: str, saturate: float = 0.0) -> Levels:
    """Bring values to levels by a rule: `clip`, `rescale` or `signed`.

    `clip` keeps levels as they are and cuts what is below 0 or above 255. `rescale` makes the
    smallest value black and the largest white; a plain picture is clipped. `signed` makes 0 grey
    (128) and the value furthest from it black (1) or white (255); with `saturate` that share of
    the values, those furthest from 0, may be cut, so that the others are seen better. All colours
    share one scale. A value halfway between two levels goes to the even one.

    Shape:   (H, W, C) -> the same
    Raises:  KeyError if there is no such rule

    >>> to_levels(np.array([[[-2.0], [0.0], [6.0]]], np.float32), "signed").pixels.ravel().tolist()
    [86, 128, 255]
    """
    low, high = float(values.min()), float(values.max())
    black, white, floor = RULES[rule](values, low, high, saturate)
    cut = float(np.mean((values < black) | (values > white))) if low < black or high > white else 0
    scaled = values - np.float32(black)
    scaled *= np.float32((WHITE - floor) / (white - black))
    scaled += np.float32(floor)
    np.rint(scaled, out=scaled)
    np.clip(scaled, floor, WHITE, out=scaled)
    return Levels(scaled.astype(np.uint8), rule, low, high, black, white, cut)


Ends = tuple[float, float, int]
"""What becomes black and what white, and the level of that black."""


def _clip(values: Values, low: float, high: float, saturate: float) -> Ends:
    return 0.0, float(WHITE), 0


def _rescale(values: Values, low: float, high: float, saturate: float) -> Ends:
    return (low, high, 0) if low < high else (0.0, float(WHITE), 0)


def _signed(values: Values, low: float, high: float, saturate: float) -> Ends:
    """Black is as far from 0 as white: 127 levels either way, so it is level 1."""
    largest = max(-low, high)
    if saturate:
        largest = float(np.quantile(np.abs(values), 1 - saturate)) or largest
    largest = largest or float(WHITE - MIDDLE)
    return -largest, largest, 1


RULES: dict[str, Callable[[Values, float, float, float], Ends]] = {
    "clip": _clip,
    "rescale": _rescale,
    "signed": _signed,
}
"""What each rule makes black and white, of values between `low` and `high`."""
