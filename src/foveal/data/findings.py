"""What is wrong or worth knowing about a data set, said before a training does."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from foveal.data.dataset import Dataset
from foveal.data.groups import shared
from foveal.data.names import printable
from foveal.data.samples import Samples
from foveal.data.sources import open_source
from foveal.data.threads import in_order
from foveal.errors import DataError

KINDS = (
    "broken",
    "unused",
    "contradiction",
    "leak",
    "duplicate",
    "classes",
    "balance",
    "sizes",
    "note",
)
"""In the order they are told."""
UNBALANCED = 10
"""A class so many times larger than another is worth a warning."""


@dataclass(frozen=True)
class Finding:
    """One thing found in a data set."""

    kind: str
    severity: str
    """error (the result would be wrong), warning (look at it) or note."""
    file: str
    message: str
    line: int | None = None


def check(
    source: str | Path,
    progress: Callable[[int, int], None] | None = None,
    group_by: str | None = None,
) -> tuple[Finding, ...]:
    """Decode every picture of a data set, the test part too, and tell what was found.

    Pictures are equal if their decoded pixels are, whatever their names and formats. With
    `group_by`, as `open` takes it, groups are told of, and none may be in two parts.

    Raises: DataError if the source cannot be opened as a data set at all, or not be grouped
    """
    dataset = open_source(source, validation=0, group_by=group_by, strict=False)
    parts = [dataset.train, dataset.validation, dataset.test]
    present = [part for part in parts if part is not None and len(part)]
    total = sum(map(len, present))
    seen = _Seen()
    for part in present:
        for name, label, answer in _digests(part):
            seen.add(part.part, name, part.classes[label], answer)
            if progress is not None:
                progress(seen.count, total)
    found = [
        *seen.findings,
        *_unused(dataset),
        *seen.equal(),
        *_across_parts(dataset, present),
        *_about_classes(dataset, present),
    ]
    return tuple(sorted(found, key=lambda finding: KINDS.index(finding.kind)))


@dataclass
class _Seen:
    """Digests of the pictures so far: part, name and class of each."""

    count: int = 0
    findings: list[Finding] = field(default_factory=list)
    places: dict[bytes, list[tuple[str, str, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def add(self, part: str, name: str, label: str, answer: bytes | DataError) -> None:
        self.count += 1
        if isinstance(answer, DataError):
            self.findings.append(Finding("broken", "error", name, answer.problem))
        else:
            self.places[answer].append((part, name, label))

    def equal(self) -> Iterator[Finding]:
        """A finding for each picture that was there before."""
        for (part, name, label), *others in self.places.values():
            for other_part, other, other_label in others:
                if label != other_label:
                    message = f"the same picture as {name}, there '{label}', here '{other_label}'"
                    yield Finding("contradiction", "error", other, message)
                elif part != other_part:
                    message = f"the same picture as {name} of the {part} part, here {other_part}"
                    yield Finding("leak", "error", other, message)
                else:
                    yield Finding("duplicate", "warning", other, f"the same picture as {name}")


def _digests(part: Samples) -> Iterator[tuple[str, int, bytes | DataError]]:
    def one(index: int) -> bytes | DataError:
        try:
            pixels = part.pictures(index)
        except DataError as error:
            return error
        return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()

    answers = in_order(one, range(len(part)))
    return zip(part.names, part.labels.tolist(), answers, strict=True)


def _unused(dataset: Dataset) -> Iterator[Finding]:
    for entry in dataset.skipped:
        kind, severity = ("broken", "error") if entry.damaged else ("unused", "warning")
        yield Finding(kind, severity, entry.path, entry.reason, entry.line)


def _across_parts(dataset: Dataset, present: list[Samples]) -> Iterator[Finding]:
    """A finding for each two parts that share groups."""
    for one, other in combinations(present, 2):
        if both := shared(one.groups, other.groups):
            message = (
                f"{len(both):,} group{'s' * (len(both) > 1)} in the {one.part} and in the "
                f"{other.part} part, such as {both[0]!r}"
            )
            yield Finding("leak", "error", printable(dataset.name), message)


def _about_classes(dataset: Dataset, present: list[Samples]) -> Iterator[Finding]:
    where = printable(dataset.name)
    for part in present:
        absent = [name for name, n in zip(dataset.classes, part.counts, strict=True) if n == 0]
        if absent:
            message = f"the {part.part} part has no picture of {_listed(absent)}"
            yield Finding("classes", "warning", where, message)
    yield _balance(where, dataset)
    (low_h, mid_h, high_h), (low_w, mid_w, high_w) = dataset.sizes.heights, dataset.sizes.widths
    message = (
        f"heights {low_h} to {high_h} pixels (median {mid_h}), widths {low_w} to {high_w} "
        f"(median {mid_w}), {'grey' if dataset.channels == 1 else 'colour'}"
    )
    yield Finding("sizes", "note", where, message)
    for note in dataset.notes:
        if not note.startswith(("No test part", "Groups that are in")) and "says why" not in note:
            yield Finding("note", "note", where, note)


def _balance(where: str, dataset: Dataset) -> Finding:
    counts = dataset.train.counts
    most, least = int(counts.max()), int(counts.min())
    large, small = dataset.classes[counts.argmax()], dataset.classes[counts.argmin()]
    share = f"always saying '{large}' would be right for {most / counts.sum():.1%}"
    if most == least:
        return Finding(
            "balance", "note", where, f"{len(counts)} classes with {most:,} pictures each; {share}"
        )
    sides = f"most of '{large}' ({most:,}), fewest of '{small}' ({least:,})"
    severity = "warning" if most > UNBALANCED * least else "note"
    return Finding("balance", severity, where, f"{len(counts)} classes, {sides}; {share}")


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
