"""A value of an ONNX graph: where its numbers lie in a value of the net.

Exporters turn, cut and lay out values anew where nothing is computed: to flatten, to have the
channels last, to split. No layer does that, so nothing is done for it: what is kept is the place
of each number in the value of the net. Two turns that undo each other are gone by themselves, and
a dense layer after a flattening with the channels last has its weights sorted instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from math import prod

import numpy as np

from foveal.importing.onnx.arrays import Array
from foveal.net.kind import Shape


class UnfitError(ValueError):
    """Values or numbers do not fit each other; its text goes into a sentence."""


MOST_PLACES = 2**26
"""Numbers of a value whose places are kept: 256 MiB. A picture of 3x4000x4000 has fewer."""


@dataclass(frozen=True, eq=False)
class Value:
    """Numbers of a value of the net, in some order; the batch is not among the axes."""

    of: str
    """The value of the net."""
    whole: Shape
    """Its shape."""
    places: Array | None = None
    """Where each number lies in it, counted row by row; None if all are where they are."""

    @property
    def shape(self) -> Shape:
        return self.whole if self.places is None else self.places.shape

    def numbered(self) -> Array:
        """The place of each number; UnfitError if there are too many."""
        if self.places is not None:
            return self.places
        if prod(self.whole) > MOST_PLACES:
            count = prod(self.whole)
            raise UnfitError(f"lays out {count:,} numbers anew, more than {MOST_PLACES:,}")
        return np.arange(prod(self.whole), dtype=np.int32).reshape(self.whole)

    def seen(self, places: Array) -> Value:
        """Other numbers of the same value, or in another order."""
        as_it_is = Value(self.of, self.whole)
        same = places.shape == self.whole and np.array_equal(places, as_it_is.numbered())
        return as_it_is if same else Value(self.of, self.whole, places)

    def order(self) -> tuple[int, ...] | None:
        """For each axis which one of the net's value it is; None if it is none of them."""
        axes = range(len(self.whole))
        if self.places is None:
            return tuple(axes)
        plain = Value(self.of, self.whole).numbered()
        for turned in permutations(axes):
            if np.array_equal(plain.transpose(turned), self.places):
                return turned
        return None

    def is_laid_out(self) -> bool:
        """Whether all numbers follow one another as in the net's value, whatever the shape."""
        return self.places is None or (
            self.places.size == prod(self.whole)
            and bool((np.diff(self.places.reshape(-1)) == 1).all())
        )

    def channels(self) -> tuple[int, ...] | None:
        """Which channels of the net's value these are, each with all its positions."""
        if len(self.shape) != len(self.whole) or self.shape[1:] != self.whole[1:]:
            return None
        places, positions = self.numbered(), prod(self.whole[1:])
        rows = places.reshape(len(places), positions)
        if not np.array_equal(rows, rows[:, :1] + np.arange(positions)):
            return None
        first = rows[:, 0]
        return tuple((first // positions).tolist()) if not (first % positions).any() else None

    def spread(self, numbers: Array) -> Array | None:
        """Given numbers, one for each number of this value, laid out as the net's value is.

        None if the value has not each number of the net's value once. UnfitError if they do not
        fit it: they may lack axes, or have 1 where one number serves all.
        """
        sizes = numbers.shape[1:] if numbers.ndim > len(self.shape) else numbers.shape
        pairs = zip(reversed(sizes), reversed(self.shape), strict=False)
        if (
            numbers.shape not in (sizes, (1, *sizes))
            or len(sizes) > len(self.shape)
            or any(n not in (1, m) for n, m in pairs)
        ):
            arrives, expected = "x".join(map(str, numbers.shape)), "x".join(map(str, self.shape))
            raise UnfitError(f"has {arrives} given numbers for a value of {expected}")
        given = np.broadcast_to(numbers.reshape(sizes), self.shape)
        if self.places is None:
            return given
        if self.places.size != prod(self.whole):
            return None
        flat = self.places.reshape(-1)
        made = np.empty(flat.size, given.dtype)
        made[flat] = given.reshape(-1)
        return (
            made.reshape(self.whole)
            if np.bincount(flat, minlength=flat.size).max(initial=0) < 2
            else None
        )
