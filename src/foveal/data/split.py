"""Cutting one set in two so that every class is in both, the same way for the same seed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


def stratified(
    labels: NDArray[np.int64], names: Sequence[str], fraction: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions of the training and of the validation part, each in the order of the whole.

    In each class the pictures are ordered by the SHA-256 of seed and name, and the first
    `fraction` of them, rounded, are for validation: at least one where there are two, never all.
    So a picture keeps its part when others are added or the files are listed in another order,
    and the split is the same with every version of NumPy.
    """
    order = np.lexsort((_digests(names, seed), labels))
    first = np.searchsorted(labels[order], np.arange(labels.max(initial=-1) + 2))
    chosen = [
        order[start : start + _share(int(end - start), fraction)] for start, end in pairwise(first)
    ]
    validation = np.sort(np.concatenate([np.empty(0, np.intp), *chosen]))
    return np.setdiff1d(np.arange(len(labels)), validation), validation


def _share(count: int, fraction: float) -> int:
    if fraction == 0 or count < 2:
        return 0
    return min(max(round(count * fraction), 1), count - 1)


def _digests(names: Sequence[str], seed: int) -> NDArray[np.uint64]:
    start = hashlib.sha256(f"{seed}:".encode())
    digests = bytearray()
    for name in names:
        digest = start.copy()
        digest.update(name.encode())
        digests += digest.digest()[:8]
    return np.frombuffer(bytes(digests), ">u8").astype(np.uint64)
