"""Pictures of a part cut to size: decoded once, kept on the disk, in memory where they are few."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import PIL

from foveal import cache
from foveal.data.pictures import DECODING
from foveal.data.samples import Loaded
from foveal.data.spread import Pictures, Spread, spread
from foveal.data.threads import in_order
from foveal.errors import DataError
from foveal.model.collecting import collect
from foveal.model.kept_rows import Store
from foveal.model.preprocessing import Split
from foveal.net.kind import shape_text

if TYPE_CHECKING:
    from foveal.data.colours import Pixels
    from foveal.data.samples import Samples

IN_MEMORY = 2**28
"""Bytes: a part that takes no more is held in memory."""
BLOCK = 2**20
"""Bytes of pictures that are looked at together."""

See = Callable[[np.ndarray], object]


def load_kept(
    split: Split,
    samples: Samples,
    progress: Callable[[int, int], None] | None = None,
    *,
    limit: int | None = None,
    see: See | None = None,
) -> Loaded:
    """The pictures of a part as the net reads them, decoded unless that was done before.

    Use it for what is read many times. Decoded pictures are kept in the cache, which may take
    `limit` bytes (by default a tenth of the free disk; with 0 nothing is kept). A part up to
    256 MiB is held in memory. A larger one is read from the disk whenever it is asked for; what
    the cache has no space for is decoded again then. Every picture that can be read is shown to
    `see` once, in any order, alone or with others: (..., C).

    Raises: DataError as `Samples.load`
    """
    channels, *sizes = split.shape
    small = len(samples) * prod(split.shape) <= IN_MEMORY
    array = samples.stacked
    if array is not None and split.keeps((array.shape[3], *array.shape[1:3])):
        held = array[:] if small else spread(array)
        _show(held, see)
        return Loaded(held, samples.labels, samples.names)
    store = Store(_folder(split), (*sizes, channels), np.uint8, limit)

    def made(index: int) -> Pixels:
        return split.prepare(samples.pictures(index, split.at_least))

    def tried(index: int) -> Pixels | DataError:
        try:
            picture = samples.pictures(index, split.at_least)
        except DataError as error:
            return error
        return split.prepare(picture)

    def compute(missing: Sequence[int]) -> Iterator[tuple[int, Pixels | DataError]]:
        answers = in_order(tried, missing, together=8)
        return zip(missing, answers, strict=True)

    found = collect(samples, store, compute, progress, see=None if small else see, hold=small)
    there = store.find(found.keys)
    pictures: Pictures
    if found.values is not None:
        pictures = found.values
        _show(pictures, see)
    else:
        for place in np.flatnonzero(found.damaged).tolist():
            if there.read(place) is None:  # there was no space to keep it anew
                there.which[place] = -1
        rows = np.where(there.which < 0, found.places, there.rows)
        pictures = Spread(store.shape, there.which, rows, there.values, (made,))
    names = tuple(samples.names[place] for place in found.places)
    return Loaded(pictures, samples.labels[found.places], names, found.skipped, there)


def _show(pictures: Pictures, see: See | None) -> None:
    """All pictures, some at a time."""
    if see is None:
        return
    several = max(1, BLOCK // prod(pictures.shape[1:]))
    for start in range(0, len(pictures), several):
        see(pictures[start : start + several])


def _folder(split: Split) -> Path:
    """Where pictures of this geometry are kept, whatever data they are of."""
    decoder = f"decoding {DECODING}, Pillow {PIL.__version__}"
    facts = [decoder, *map(repr, split.geometry), str(split.shape)]
    digest = hashlib.sha256("\n".join(facts).encode())
    return cache.folder("pictures", f"{shape_text(split.shape)}-{digest.hexdigest()[:16]}")
