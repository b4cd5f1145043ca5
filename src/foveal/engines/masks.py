"""What chance decides in training: the same in every engine, by seed, step and path."""

from __future__ import annotations

from hashlib import sha256
from math import prod

import numpy as np
from numpy.typing import NDArray


def uniform(seed: int, step: int, path: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Random numbers from 0 to below 1.

    The first 16 bytes of SHA-256 of `seed/step/path`, least significant first, are the key of a
    Philox4x64-10 generator that starts at zero. Its 64-bit numbers u belong to the values of an
    array of that shape (the batch is its first axis) in row-major order, and become u / 2⁶⁴.

    Raises:  nothing
    Source:  Salmon et al. 2011, doi:10.1145/2063384.2063405

    >>> uniform(0, 1, "dropout1", (2,)).round(3).tolist()
    [0.546, 0.663]
    """
    key = int.from_bytes(sha256(f"{seed}/{step}/{path}".encode()).digest()[:16], "little")
    numbers = np.random.Philox(key=key).random_raw(prod(shape)) / 2.0**64
    return np.minimum(numbers, np.nextafter(1, 0)).reshape(shape)


def mask(seed: int, step: int, path: str, shape: tuple[int, ...], p: float) -> NDArray[np.bool_]:
    """Which values stay when each is dropped with probability p: those whose number is >= p.

    >>> mask(0, 1, "dropout1", (8,), 0.5).astype(int).tolist()
    [1, 1, 0, 0, 1, 1, 0, 0]
    """
    return uniform(seed, step, path, shape) >= p
