"""What dropout drops: the same values in every engine, by seed, step and path."""

from __future__ import annotations

from hashlib import sha256
from math import prod

import numpy as np
from numpy.typing import NDArray


def mask(seed: int, step: int, path: str, shape: tuple[int, ...], p: float) -> NDArray[np.bool_]:
    """Which values stay when each is dropped with probability p.

    The first 16 bytes of SHA-256 of `seed/step/path`, least significant first, are the key of a
    Philox4x64-10 generator that starts at zero. Its 64-bit numbers u belong to the values of an
    array of that shape (the batch is its first axis) in row-major order, and a value stays where
    u / 2⁶⁴ >= p.

    Raises:  nothing
    Source:  Salmon et al. 2011, doi:10.1145/2063384.2063405

    >>> mask(0, 1, "dropout1", (8,), 0.5).astype(int).tolist()
    [1, 1, 0, 0, 1, 1, 0, 0]
    """
    key = int.from_bytes(sha256(f"{seed}/{step}/{path}".encode()).digest()[:16], "little")
    numbers = np.random.Philox(key=key).random_raw(prod(shape))
    kept: NDArray[np.bool_] = np.asarray(numbers / 2.0**64 >= p).reshape(shape)
    return kept
