"""Cutting one set in two so that every class is in both, the same way for the same seed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import inf

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


def grouped(
    labels: NDArray[np.int64], groups: Sequence[str], fraction: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """As `stratified`, but what is in one group stays on one side, across classes too.

    The groups are ordered by the SHA-256 of seed and name. One after another is taken for
    validation where that brings the share of its classes nearer to `fraction`; a class that has
    none by then gets the group that disturbs the shares least. No class loses its last picture
    of the training part. With groups of one picture each it is the cut of `stratified`.
    """
    members: dict[str, list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    names = list(members)
    inside = [Counter(labels[places].tolist()) for places in members.values()]
    sizes = Counter(labels.tolist())
    wanted = {label: _share(count, fraction) for label, count in sizes.items()}
    taken: Counter[int] = Counter()
    chosen: set[int] = set()

    def change(group: int) -> float:
        """How much farther the shares would be from what is wanted; infinite where it must not."""
        if any(taken[label] + count >= sizes[label] for label, count in inside[group].items()):
            return inf
        return sum(
            (abs(taken[label] + count - wanted[label]) - abs(taken[label] - wanted[label]))
            / sizes[label]
            for label, count in inside[group].items()
        )

    def take(group: int) -> None:
        chosen.add(group)
        taken.update(inside[group])

    order = np.argsort(_digests(names, seed), kind="stable").tolist()
    for group in order:
        if change(group) < 0:
            take(group)
    for label in sorted(wanted):
        if wanted[label] and not taken[label]:
            best = min((group for group in order if label in inside[group]), key=change)
            if change(best) < inf:
                take(best)
    places = [place for group in chosen for place in members[names[group]]]
    validation = np.sort(np.array(places, np.intp))
    return np.setdiff1d(np.arange(len(labels)), validation), validation


def ranks(labels: NDArray[np.int64], names: Sequence[str], seed: int) -> NDArray[np.intp]:
    """The place of each picture among those of its class, in the order of `stratified`.

    Those below k are k pictures of each class, and among those below any larger number.
    """
    order = np.lexsort((_digests(names, seed), labels))
    first = np.searchsorted(labels[order], labels[order])
    found = np.empty(len(labels), np.intp)
    found[order] = np.arange(len(labels)) - first
    return found


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
