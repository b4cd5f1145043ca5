"""From a list of picture files with labels to a data set: headers, classes and parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from foveal.data import pictures
from foveal.data.dataset import Cut, Dataset, Sizes, assemble, fingerprint, refuse_few_classes
from foveal.data.pictures import HEIC_FIX, Header, MissingReaderError
from foveal.data.samples import Content, Files, Skipped, refuse_if_many
from foveal.data.threads import in_order
from foveal.errors import DataError

MAX_HEADERS = 10_000
"""Of more files than that, evenly spaced ones are looked at before training."""


@dataclass(frozen=True)
class Entry:
    """A picture file and what its place or a table says of it."""

    path: str
    name: str
    """Path below the data set's folder, printable, with forward slashes."""
    label: str
    part: str
    """train, validation or test; empty where the data is not split."""
    size: int
    """In bytes."""
    line: int | None = None
    folder: str = ""
    """The folder it lies in: below its class folder, or below that of the table."""


@dataclass(frozen=True)
class Listing:
    """What a folder or a table lists."""

    name: str
    where: str
    entries: tuple[Entry, ...]
    skipped: tuple[Skipped, ...]
    expected: str
    """How the pictures should be arranged, for the error."""
    fix: str


def to_dataset(listing: Listing, cut: Cut, *, strict: bool = True) -> Dataset:
    """Read the headers, set aside what is no picture, and cut the rest into parts.

    Raises: DataError if fewer than two classes are left, or (`strict`) if more than 1 % and
            more than 10 headers cannot be read
    """
    entries, headers, refused, notes = _look(listing.entries)
    if strict:
        lost = [entry for entry in (*listing.skipped, *refused) if entry.damaged]
        refuse_if_many(lost, len(entries) + len(lost), listing.where)
    training = [entry for entry in entries if entry.part in ("", "train")]
    counts = Counter(entry.label for entry in training)
    refuse_few_classes(
        listing.where, dict(sorted(counts.items())), listing.expected, _fix(listing, refused)
    )
    classes = tuple(sorted(counts))
    unknown = [_unknown_class(entry) for entry in entries if entry.label not in counts]
    entries = [entry for entry in entries if entry.label in counts]
    skipped = [*listing.skipped, *refused, *unknown]
    if skipped:
        notes.append(f"Files or folders not used: {len(skipped):,} (foveal data check says why).")
    groups: dict[str, str] = {}
    if cut.group_by is not None:
        grouped = cut.group_by(entries, listing.where)
        groups = dict(zip((entry.name for entry in entries), grouped.groups, strict=True))
        notes += grouped.notes
    channels = max((header.channels for header in headers), default=3)
    places = {name: place for place, name in enumerate(classes)}

    def content(part: str) -> Content | None:
        chosen = [entry for entry in entries if (entry.part or "train") == part]
        if not chosen and part != "train":
            return None
        labels = np.array([places[entry.label] for entry in chosen], np.int64)
        files = Files(tuple(entry.path for entry in chosen), channels)
        names = tuple(entry.name for entry in chosen)
        return Content(names, labels, files, tuple(groups[n] for n in names) if groups else ())

    train = content("train")
    assert train is not None  # two classes have training pictures
    return assemble(
        listing.name,
        classes,
        (train, content("validation"), content("test")),
        cut,
        channels=channels,
        sizes=_sizes(headers),
        fingerprint=fingerprint(_facts(entry) for entry in entries),
        skipped=skipped,
        notes=notes,
    )


def _look(
    entries: Sequence[Entry],
) -> tuple[list[Entry], list[Header], list[Skipped], list[str]]:
    """The entries but for those whose header cannot be read, and what the headers say."""
    step = max(1, -(-len(entries) // MAX_HEADERS))
    looked = range(0, len(entries), step)

    def one(position: int) -> Header | DataError:
        try:
            return pictures.header(entries[looked[position]].path)
        except DataError as error:
            return error

    headers, refused, bad, missing = [], [], set(), 0
    for index, answer in zip(looked, in_order(one, range(len(looked))), strict=True):
        if isinstance(answer, Header):
            headers.append(answer)
            continue
        lacks_reader = isinstance(answer, MissingReaderError)
        missing += lacks_reader
        entry = entries[index]
        bad.add(index)
        refused.append(Skipped(entry.name, answer.problem, entry.line, damaged=not lacks_reader))
    notes = []
    if missing:
        notes.append(f"HEIC pictures not read: {missing:,} (to read them: {HEIC_FIX}).")
    if several := sum(header.animated for header in headers):
        notes.append(f"Files with several pictures, of which the first is used: {several:,}.")
    if step > 1:
        notes.append(f"Sizes and colours are those of {len(looked):,} of {len(entries):,} files.")
    return [e for i, e in enumerate(entries) if i not in bad], headers, refused, notes


def _fix(listing: Listing, refused: Sequence[Skipped]) -> str:
    lost = [*listing.skipped, *refused]
    if not lost:
        return listing.fix
    first = "; ".join(f"{entry.path}: {entry.reason}" for entry in lost[:3])
    return f"{listing.fix}\nnot used: {first}" + ("; …" if len(lost) > 3 else "")


def _unknown_class(entry: Entry) -> Skipped:
    return Skipped(entry.name, f"its class '{entry.label}' has no training picture", entry.line)


def _facts(entry: Entry) -> bytes:
    return "\0".join((entry.part, entry.label, entry.name, str(entry.size))).encode()


def _sizes(headers: Iterable[Header]) -> Sizes:
    sides = np.array([(header.height, header.width) for header in headers])
    low, middle, high = (
        np.percentile(sides, share, axis=0, method="lower") for share in (0, 50, 100)
    )
    heights, widths = ((int(low[axis]), int(middle[axis]), int(high[axis])) for axis in (0, 1))
    return Sizes(heights, widths, len(sides))
