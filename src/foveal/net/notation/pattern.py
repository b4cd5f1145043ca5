"""The articles' general pattern, `INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC`.

A text that begins with a bare `INPUT ->` may leave sizes out and use letters for counts. What is
left out takes the defaults below, which `--set` changes.
Source: Karpathy, CS231n, "Convolutional Neural Networks for Visual Recognition".
"""

from __future__ import annotations

from collections.abc import Mapping

from foveal.errors import SpecError, did_you_mean
from foveal.net.combinators import Chain, Item, chain, children
from foveal.net.kind import Kind
from foveal.net.layers import Conv, Dense, Flatten, MaxPool

DEFAULTS: dict[str, int] = {"N": 2, "M": 2, "K": 1, "CONV": 32, "POOL": 1, "FC": 128, "CLASSES": 10}
"""Repeats N, M, K · filters of a bare CONV · 1 or 0 for the option POOL? · features of a bare FC
· answers of the last FC."""


class Settings:
    """What stands for the letters and bare words of a pattern, and which of them were asked for."""

    def __init__(self, given: Mapping[str, int]) -> None:
        unknown = sorted(set(given) - set(DEFAULTS))
        if unknown:
            raise SpecError(
                "is not a letter of the pattern",
                where=f"--set {unknown[0]}",
                fix=did_you_mean(unknown[0].upper(), DEFAULTS) or "known: " + ", ".join(DEFAULTS),
            )
        self.values = DEFAULTS | dict(given)
        self.bare_dense = False

    def number(self, letter: str) -> int | None:
        return self.values.get(letter.upper())

    def bare(self, kind: type[Kind]) -> Kind | None:
        """The layer that a word without numbers stands for; None if it has no default."""
        if kind is Conv:
            return Conv(self.values["CONV"], 3, padding="same")
        if kind is MaxPool:
            return MaxPool(2)
        if kind is Dense:
            self.bare_dense = True
            return Dense(self.values["FC"])
        return None

    def finish(self, root: Chain) -> Chain:
        """Flatten before the first FC, and as many answers as classes from the last, if bare."""
        if not self.bare_dense:
            return root
        items = list(root.items)
        if items[-1] == Dense(self.values["FC"]):
            items[-1] = Dense(self.values["CLASSES"])
        first = next((place for place, item in enumerate(items) if _has_dense(item)), None)
        if first is not None:
            items.insert(first, Flatten())
        return chain(*items)


def _has_dense(item: Item) -> bool:
    return isinstance(item, Dense) or any(map(_has_dense, children(item)))
