"""A data set: classes, its training, validation and test part, and what is worth telling of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foveal.data.samples import Content, Samples, Skipped
from foveal.data.split import stratified
from foveal.errors import DataError

MOST_WATCHED = 5_000
"""Validation pictures enough to watch a training, where a test part measures the result."""


@dataclass(frozen=True)
class Sizes:
    """Heights and widths in pixels: smallest, median, largest."""

    heights: tuple[int, int, int]
    widths: tuple[int, int, int]
    measured: int
    """From how many pictures' headers; where a set is very large, evenly spaced ones."""

    @property
    def one_size(self) -> bool:
        """Whether all measured pictures are equally large."""
        return self.heights[0] == self.heights[2] and self.widths[0] == self.widths[2]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Pictures with one label each, cut into parts; nothing is decoded before it is asked for."""

    name: str
    classes: tuple[str, ...]
    """Sorted as text (digits of IDX and .npz files as numbers); labels are positions in it."""
    train: Samples
    validation: Samples
    test: Samples | None
    channels: int
    """1 if every measured picture is grey, else 3."""
    sizes: Sizes
    skipped: tuple[Skipped, ...]
    """Files and folders that are not used, with reasons."""
    notes: tuple[str, ...]
    """Sentences worth telling before a training."""
    fingerprint: str
    """SHA-256 over parts, names, labels and bytes (of files: their sizes in bytes)."""
    seed: int
    """Of the split."""

    @property
    def measured(self) -> Samples:
        """The part whose accuracy is reported: test, or validation where there is no test part."""
        return self.validation if self.test is None else self.test


@dataclass(frozen=True)
class Cut:
    """How a validation part is cut off where the data has none of its own."""

    seed: int
    validation: float


Parts = tuple[Content, Content | None, Content | Callable[[], Content] | None]
"""Training, validation and test part, as far as the data has them."""


def assemble(
    name: str,
    classes: tuple[str, ...],
    parts: Parts,
    cut: Cut,
    *,
    channels: int,
    sizes: Sizes,
    fingerprint: str,
    skipped: Sequence[Skipped] = (),
    notes: Sequence[str] = (),
) -> Dataset:
    """The data set of what a reader found; cuts off a validation part if there is none."""
    train, validation, test = parts
    said = list(notes)
    if validation is None:
        share = cut.validation
        if test is not None:
            share = min(share, MOST_WATCHED / max(1, len(train.labels)))
        inside, outside = stratified(train.labels, train.names, share, cut.seed)
        said += _about_split(classes, train.labels, outside, cut, tested=test is not None)
        train, validation = train.take(inside), train.take(outside)
    elif test is None:
        said.append("No test part: accuracy is measured on the validation part.")
    return Dataset(
        name=name,
        classes=classes,
        train=Samples("train", classes, train),
        validation=Samples("validation", classes, validation),
        test=None if test is None else Samples("test", classes, test),
        channels=channels,
        sizes=sizes,
        skipped=tuple(skipped),
        notes=tuple(said),
        fingerprint=fingerprint,
        seed=cut.seed,
    )


def fingerprint(items: Iterable[bytes | NDArray[np.uint8] | NDArray[np.int64]]) -> str:
    """SHA-256 over the items, each with its length before it."""
    digest = hashlib.sha256()
    for item in items:
        data = item if isinstance(item, bytes) else np.ascontiguousarray(item).data.cast("B")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def refuse_few_classes(where: str, counts: dict[str, int], expected: str, fix: str) -> None:
    """Stop unless two classes have pictures."""
    if len(counts) >= 2:
        return
    found = ", ".join(
        f"{name!r} ({count} picture{'s' * (count != 1)})" for name, count in counts.items()
    )
    raise DataError(
        "a classifier needs at least two classes",
        where=where,
        arrives=f"one class: {found}" if counts else "no class with pictures",
        expected=expected,
        fix=fix,
    )


def _about_split(
    classes: tuple[str, ...],
    labels: NDArray[np.int64],
    outside: NDArray[np.intp],
    cut: Cut,
    *,
    tested: bool,
) -> list[str]:
    if cut.validation == 0:
        return []
    said = []
    if not tested:
        said.append(
            f"No test part: accuracy is measured on the validation part, {len(outside):,} of "
            f"{len(labels):,} pictures (seed {cut.seed})."
        )
    counts = np.bincount(labels, minlength=len(classes))
    for label in np.flatnonzero(counts == 1)[:5]:
        said.append(f"The class '{classes[label]}' has one picture: none is left for validation.")
    return said
