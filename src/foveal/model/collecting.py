"""One value for each picture of a part: those that a store has, and the others computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foveal.data.samples import Skipped, refuse_if_many
from foveal.data.threads import in_order
from foveal.errors import DataError
from foveal.model.kept_rows import KEY, Store

if TYPE_CHECKING:
    from foveal.data.samples import Samples

Compute = Callable[[Sequence[int]], Iterator[tuple[int, np.ndarray | DataError]]]
"""The value of each of some pictures by their places, or why there is none."""
See = Callable[[np.ndarray], object]


@dataclass(frozen=True, eq=False)
class Collected:
    """What came of the pictures of a part."""

    values: NDArray[Any] | None
    """(N, *shape), where they were to be held in memory."""
    keys: NDArray[np.uint8]
    places: NDArray[np.intp]
    """Of these pictures in the part; the others could not be read."""
    skipped: tuple[Skipped, ...]
    reused: int
    """How many of the values the store had."""
    damaged: NDArray[np.bool_]
    """Of each key, whether the store had a row that was not whole."""


def collect(
    samples: Samples,
    store: Store,
    compute: Compute,
    progress: Callable[[int, int], None] | None = None,
    *,
    see: See | None = None,
    hold: bool = True,
) -> Collected:
    """Go once through a part: take what the store has, compute the rest and add it.

    Every value is shown to `see`, and held in memory if `hold` says so. `progress` is told how
    many are done and how many there are. What was computed before an interruption stays.

    Raises: DataError as `Samples.load`
    """
    count = len(samples)
    values = np.empty((count if hold else 0, *store.shape), store.dtype)
    keys = np.zeros((count, KEY), np.uint8)
    good = np.zeros(count, bool)
    skipped: list[Skipped] = []
    done = 0

    def settle(index: int, value: np.ndarray | DataError) -> None:
        nonlocal done
        done += 1
        if isinstance(value, DataError):
            skipped.append(Skipped(samples.names[index], value.problem, damaged=True))
            refuse_if_many(skipped, count, f"the {samples.part} part")
        else:
            good[index] = True
            if hold:
                values[index] = value
            if see is not None:
                see(value)
        if progress is not None:
            progress(done, count)

    known: list[int] = []
    digests = in_order(partial(_digest, samples), range(count), together=64)
    for index, key in enumerate(digests):
        if isinstance(key, DataError):
            settle(index, key)
        else:
            keys[index] = np.frombuffer(key, np.uint8)
            known.append(index)
    found = store.find(keys)
    missing: list[int] = []
    damaged = np.zeros(count, bool)
    for index in known:
        kept = found.read(index)
        if kept is None:
            missing.append(index)
            damaged[index] = found.which[index] >= 0
        else:
            settle(index, kept)
    reused = len(known) - len(missing)
    with store.growing(len(missing)):
        for index, value in compute(missing):
            if not isinstance(value, DataError):
                store.add(keys[index].tobytes(), value)
            settle(index, value)
    places = np.flatnonzero(good)
    samples.refuse_if_class_lost(places.tolist())
    if len(places) < count and hold:
        values = values[places]
    return Collected(
        values if hold else None, keys[places], places, tuple(skipped), reused, damaged[places]
    )


def _digest(samples: Samples, index: int) -> bytes | DataError:
    try:
        return samples.digest(index)
    except DataError as error:
        return error
