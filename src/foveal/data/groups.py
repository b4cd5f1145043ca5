"""Pictures that belong together: those of one scene, one object or one day.

They must lie on one side of a split, or a net is measured on what it has all but seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from foveal.data import pictures
from foveal.data.threads import in_order
from foveal.errors import DataError, SpecError, did_you_mean

if TYPE_CHECKING:
    from foveal.data.listing import Entry

SCENE = 60
"""Seconds without a picture after which a new scene begins, unless another number is given."""
_FORMS = "folder, time, time:SECONDS or name:PATTERN"


@dataclass(frozen=True)
class Grouped:
    """The group of each picture, and what is worth telling of them."""

    groups: tuple[str, ...]
    notes: tuple[str, ...] = ()


Rule = Callable[[Sequence["Entry"]], Grouped]


@dataclass(frozen=True)
class GroupBy:
    """How pictures are grouped: the text it was asked in, and the rule that the text means."""

    text: str
    rule: Rule
    expected: str = ""
    """Of the pictures, so that the rule says something of them."""

    def __call__(self, entries: Sequence[Entry], where: str) -> Grouped:
        """The groups of the pictures of a listing.

        Raises: DataError if no two pictures can be told to belong together by this rule
        """
        found = self.rule(entries)
        if entries and all(map(str.__eq__, found.groups, (entry.name for entry in entries))):
            raise DataError(
                "no picture belongs to a group",
                where=where,
                arrives=f"group_by {self.text}, and pictures such as {entries[0].name}",
                expected=self.expected,
                fix=f"another rule: {_FORMS}",
            )
        count = len(set(found.groups))
        told = f"Grouped by {self.text}: {len(entries):,} pictures in {count:,} groups."
        return Grouped(found.groups, (told, *found.notes))


def group_by(text: str) -> GroupBy:
    r"""The rule that a text asks for.

    `folder`: the folder that a picture lies in below its class folder. `time`: pictures with less
    than 60 seconds between one and the next, `time:300` with less than 300; the time is that of
    the camera (EXIF), else the date of the file. `name:PATTERN`: what a regular expression finds
    at the start of a file's name, or the part of it in brackets: `name:(.*)_\d+`. A picture that
    the rule says nothing of is a group of its own. Groups go across classes.

    Raises: SpecError if the text is no rule

    >>> group_by("time:300").text
    'time:300'
    """
    word, colon, argument = text.partition(":")
    if word not in RULES:
        raise _unreadable(text, did_you_mean(word, RULES))
    return RULES[word](text, argument if colon else None)


def shared(groups: Iterable[str], others: Iterable[str]) -> list[str]:
    """The groups that are in two parts, sorted."""
    return sorted(set(groups) & set(others))


def _folder(text: str, argument: str | None) -> GroupBy:
    if argument is not None:
        raise _unreadable(text, "folder takes nothing after it")

    def rule(entries: Sequence[Entry]) -> Grouped:
        return Grouped(
            tuple(f"folder:{entry.folder}" if entry.folder else entry.name for entry in entries)
        )

    return GroupBy(text, rule, "folders below the class folders, such as cat/monday/1.jpg")


def _name(text: str, argument: str | None) -> GroupBy:
    try:
        pattern = re.compile(argument or "")
    except re.error as error:
        raise _unreadable(text, f"the pattern is wrong: {error}") from None
    if not argument or pattern.groups > 1:
        raise _unreadable(text, r"a pattern with one pair of brackets, such as name:(.*)_\d+")

    def rule(entries: Sequence[Entry]) -> Grouped:
        found = [pattern.match(entry.name.rpartition("/")[2]) for entry in entries]
        groups = tuple(
            f"name:{match[pattern.groups]}" if match and match[pattern.groups] else entry.name
            for match, entry in zip(found, entries, strict=True)
        )
        alone = found.count(None)
        said = f"Names that the pattern does not fit, each a group of its own: {alone:,}."
        return Grouped(groups, (said,) if alone else ())

    return GroupBy(text, rule, "names that the pattern fits from their start")


def _time(text: str, argument: str | None) -> GroupBy:
    if argument is not None and not re.fullmatch(r"[1-9][0-9]{0,8}", argument, re.ASCII):
        raise _unreadable(text, f"whole seconds, such as time:{SCENE}")
    apart = int(argument or SCENE)

    def rule(entries: Sequence[Entry]) -> Grouped:
        moments = list(in_order(lambda index: _moment(entries[index].path), range(len(entries))))
        groups, last = [""] * len(entries), ("", 0.0)
        for index in sorted(range(len(entries)), key=moments.__getitem__):
            clock, seconds = moments[index]
            if clock != last[0] or seconds - last[1] >= apart:
                begun = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
                name = f"time:{begun.isoformat(timespec='seconds')} ({clock})"
            groups[index], last = name, (clock, seconds)
        undated = sum(clock == _FILE for clock, _ in moments)
        said = f"Pictures that do not say when they were taken, dated by their file: {undated:,}."
        return Grouped(tuple(groups), (said,) if undated else ())

    return GroupBy(text, rule)


RULES: dict[str, Callable[[str, str | None], GroupBy]] = {
    "folder": _folder,
    "time": _time,
    "name": _name,
}
"""The first word of a rule, and what makes the rule of the rest."""

_CAMERA, _FILE = "camera", "file"


def _moment(path: str) -> tuple[str, float]:
    """Whose clock, and seconds on it. A camera's knows no time zone: the two are not compared."""
    taken = pictures.taken(path)
    if taken is not None:
        return _CAMERA, taken.replace(tzinfo=UTC).timestamp()
    return _FILE, Path(path).stat().st_mtime


def _unreadable(text: str, fix: str) -> SpecError:
    return SpecError(f"cannot read {text!r}", where="group_by", expected=_FORMS, fix=fix)
