"""Pictures of one size that need not lie in memory: asked for like the rows of an array."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from foveal.data.colours import Pixels
from foveal.data.threads import in_order

Places = NDArray[np.intp] | NDArray[np.bool_]


class Pictures(Protocol):
    """What gives pictures of one size by their places: an array, or a `Spread`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, H, W, C)"""

    @property
    def dtype(self) -> np.dtype[np.uint8]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, chosen: slice | Places, /) -> Pixels: ...


@dataclass(frozen=True, eq=False)
class Spread:
    """Pictures of one size, each in one of several arrays or made when it is asked for.

    Use it where the pictures may be more than the memory: arrays that are files mapped into
    memory cost none, and only what is asked for is read. What is given is a copy.

    Shape:   [slice or places] -> (n, H, W, C) uint8

    >>> light, dark = np.full((2, 1, 1, 1), 200, np.uint8), np.full((3, 1, 1, 1), 20, np.uint8)
    >>> both = Spread.of(light, dark)
    >>> both.shape, both[1:4].ravel().tolist()
    ((5, 1, 1, 1), [200, 20, 20])
    """

    size: tuple[int, ...]
    """(H, W, C)"""
    which: NDArray[np.int32]
    """Where each picture is from: i is arrays[i], and ~i, which is below 0, is makers[i]."""
    rows: NDArray[np.int64]
    """Its row there, or the number its maker knows it by."""
    arrays: tuple[Pixels, ...]
    makers: tuple[Callable[[int], Pixels], ...] = ()

    @staticmethod
    def of(*arrays: Pixels) -> Spread:
        """All pictures of some arrays, one array after the other."""
        lengths = [len(array) for array in arrays]
        which = np.repeat(np.arange(len(arrays), dtype=np.int32), lengths)
        rows = np.concatenate([np.arange(length, dtype=np.int64) for length in lengths])
        return Spread(arrays[0].shape[1:], which, rows, arrays)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.which), *self.size)

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        return np.dtype(np.uint8)

    def __len__(self) -> int:
        return len(self.which)

    def __getitem__(self, chosen: slice | Places) -> Pixels:
        pictures: Pixels = np.empty((len(self.which[chosen]), *self.size), np.uint8)
        self.read(chosen, pictures)
        return pictures

    def read(self, chosen: slice | Places, into: Pixels) -> None:
        """Put some pictures into an array of theirs; little else is allocated."""
        which, rows = self.which[chosen], self.rows[chosen]
        if len(self.arrays) == 1 and not (which < 0).any():
            (array,) = self.arrays
            if array.flags.c_contiguous:  # another would be copied as a whole
                np.take(array, rows, axis=0, out=into, mode="clip")  # the mode that copies once
                return

        def put(place: int) -> None:
            source, row = which[place], int(rows[place])
            into[place] = self.arrays[source][row] if source >= 0 else self.makers[~source](row)

        for place in np.flatnonzero(which >= 0).tolist():
            put(place)
        deque(in_order(put, np.flatnonzero(which < 0).tolist()), maxlen=0)

    def take(self, places: Places) -> Spread:
        """Only some of the pictures, in this order; none is read."""
        return Spread(self.size, self.which[places], self.rows[places], self.arrays, self.makers)

    def then(self, other: Spread) -> Spread:
        """These pictures and after them those of another of the same size; none is read."""
        known, unknown = len(self.arrays), len(self.makers)
        theirs = other.which + np.where(other.which < 0, -unknown, known).astype(np.int32)
        return Spread(
            self.size,
            np.concatenate([self.which, theirs]),
            np.concatenate([self.rows, other.rows]),
            self.arrays + other.arrays,
            self.makers + other.makers,
        )


def spread(pictures: Pictures) -> Spread:
    """Pictures as a `Spread`; none is copied."""
    return pictures if isinstance(pictures, Spread) else Spread.of(np.asarray(pictures))


def both(first: Pictures, second: Pictures) -> Pictures:
    """The pictures of both; one array if both are arrays."""
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return np.concatenate([first, second])
    return spread(first).then(spread(second))
