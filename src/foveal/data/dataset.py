"""A data set: classes, its training, validation and test part, and what is worth telling of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foveal.data.groups import GroupBy, shared
from foveal.data.samples import Content, Samples, Skipped
from foveal.data.split import grouped, stratified
from foveal.errors import DataError

_BLOCK = 2**24
"""Bytes whose digest is taken together."""
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
    """SHA-256 over parts, names, labels and bytes (of files: their sizes in bytes).

    Where pictures are grouped, a colon and another one over the groups follow.
    """
    seed: int
    """Of the split."""
    group_by: str | None = None
    """The rule by which pictures stay together in the split."""
    cut_off: bool = False
    """Whether the validation part was cut off here, and not by whoever made the data."""

    @property
    def measured(self) -> Samples:
        """The part whose accuracy is reported: test, or validation where there is no test part."""
        return self.validation if self.test is None else self.test

    def in_colour(self) -> Dataset:
        """The same pictures with three channels, grey ones too."""
        if self.channels == 3:
            return self
        return replace(
            self,
            train=self.train.in_colour(),
            validation=self.validation.in_colour(),
            test=None if self.test is None else self.test.in_colour(),
            channels=3,
        )


@dataclass(frozen=True)
class Cut:
    """How a validation part is cut off where the data has none of its own."""

    seed: int
    validation: float
    group_by: GroupBy | None = None


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
    """The data set of what a reader found; cuts off a validation part if there is none.

    Raises: DataError if groups are asked for where there are no files, or all are one group
    """
    train, validation, test = parts
    said, groups = list(notes), ""
    if cut.group_by is not None:
        cutting = validation is None and cut.validation > 0
        _refuse_one_group(name, train, cut.group_by, cutting=cutting)
        given = {"validation": validation, "test": test}
        said += [
            _about_groups(part, train, content)
            for part, content in given.items()
            if isinstance(content, Content)
        ]
        groups = f":{_digest(train.groups)}"
    cut_off = validation is None
    if validation is None:
        share = cut.validation
        if test is not None:
            share = min(share, MOST_WATCHED / max(1, len(train.labels)))
        together = grouped if train.groups else stratified
        inside, outside = together(train.labels, train.groups or train.names, share, cut.seed)
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
        fingerprint=fingerprint + groups,
        seed=cut.seed,
        group_by=None if cut.group_by is None else cut.group_by.text,
        cut_off=cut_off,
    )


def fingerprint(items: Iterable[bytes | NDArray[np.uint8] | NDArray[np.int64]]) -> str:
    """SHA-256 over the items, each with its length before it."""
    digest = hashlib.sha256()
    for item in items:
        digest.update((len(item) if isinstance(item, bytes) else item.nbytes).to_bytes(8, "little"))
        if isinstance(item, bytes):
            digest.update(item)
            continue
        rows = max(1, _BLOCK * len(item) // max(1, item.nbytes))
        for start in range(0, len(item), rows):  # not all at once: a copy might be made
            digest.update(np.ascontiguousarray(item[start : start + rows]).data)
    return digest.hexdigest()


def _digest(groups: Iterable[str]) -> str:
    return fingerprint(group.encode() for group in groups)


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
    kept = np.bincount(labels[outside], minlength=len(classes))
    for label in np.flatnonzero((counts > 1) & (kept == 0))[:5]:
        said.append(
            f"The class '{classes[label]}' has too few groups: none is left for validation."
        )
    return said


def _refuse_one_group(name: str, train: Content, rule: GroupBy, *, cutting: bool) -> None:
    if not train.groups:
        raise DataError(
            "pictures in arrays cannot be grouped",
            where=name,
            arrives=f"group_by {rule.text}",
            expected="pictures in files",
        )
    if cutting and len(train.groups) > 1 and len(set(train.groups)) == 1:
        raise DataError(
            "all pictures are one group, which cannot be cut in two",
            where=name,
            arrives=f"{len(train.groups):,} pictures in the group {train.groups[0]!r}",
            fix="another rule, such as time:10 or name:(.*)_\\d+, or none",
        )


def _about_groups(part: str, train: Content, other: Content) -> str:
    if both := shared(train.groups, other.groups):
        return (
            f"Groups that are in the training and in the {part} part: {len(both):,}, such as "
            f"{both[0]!r}; results will look better than they are."
        )
    return f"No group is in the training and in the {part} part."
