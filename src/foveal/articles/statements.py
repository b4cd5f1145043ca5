"""What the articles say: one statement after another, as `docs/articles.toml` holds them.

The file is the only source: in a checkout it lies in `docs/`, in an installed package beside
this module's folder.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from foveal.errors import MachineError, SpecError

State = Literal["runs", "measured", "corrected", "later"]
STATES: tuple[State, ...] = get_args(State)
"""It is so · it is so, by a measurement · the article errs, the right value is shown · to come."""

Expected: TypeAlias = str | list[str] | dict[str, object]
"""Texts that the output contains; or paths into its JSON, with the value or its bounds."""

CHAPTERS: dict[str, range] = {
    "Representation": range(1, 4),
    "Layers": range(4, 15),
    "Arithmetic": range(15, 20),
    "Training": range(20, 27),
    "Nets": range(27, 28),
    "What is asked of pictures": range(28, 36),
    "Beyond pictures": range(36, 41),
    "Looking inside": range(41, 45),
}
"""Each chapter and the numbers of its statements, M1 to M44."""

_PACKAGE = Path(__file__).parent.parent
PLACES = (_PACKAGE / "articles.toml", _PACKAGE.parent.parent / "docs" / "articles.toml")
"""Where the file lies in an installed package, and in a checkout."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of an article, and how it is checked."""

    id: str
    """Number of the mission's row, and a letter if the row makes several statements."""
    article: str
    """Which articles say it: a, b, c, or several of them."""
    quotation: str
    """Its own words."""
    claim: str
    """What is so, in one plain sentence."""
    state: State
    correction: str = ""
    """Where the article errs, what is right."""
    source: str = ""
    """For history, which no machine can run: where it is written."""
    step: int = 0
    """The step of the plan that brings it, if it is to come."""
    folder: str = ""
    """What fills the folder it is checked in, if not empty: a name of `shown.FOLDERS`."""
    before: Sequence[Sequence[str]] = ()
    """Commands that are run first, without `foveal`."""
    command: Sequence[str] = ()
    """The command that shows it, without `foveal`."""
    python: str = ""
    """If only Python can show it: a name of `shown.SHOWN`."""
    expected: Expected = ""
    exit: int = 0
    """What the command exits with."""
    seconds: int = 0
    """If it trains a net: about how long on two cores. It then needs the extra `train`."""

    @property
    def number(self) -> int:
        """Of the mission's row."""
        return int(re.sub(r"\D", "", self.id))

    @property
    def trains(self) -> bool:
        return self.seconds > 0

    @property
    def landed(self) -> bool:
        return self.state != "later"

    @property
    def line(self) -> str:
        """The command as one types it."""
        return " && ".join(
            "foveal " + " ".join(map(_quoted, c)) for c in (*self.before, self.command)
        )


def read() -> tuple[Statement, ...]:
    """All statements, in the order of the file."""
    path = next((place for place in PLACES if place.is_file()), None)
    if path is None:
        raise MachineError(
            "is missing from this installation", where="articles.toml", fix="install foveal again"
        )
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["statement"]
    return tuple(Statement(**row) for row in rows)


def choose(statements: Sequence[Statement], ids: Sequence[str]) -> tuple[Statement, ...]:
    """The statements of these ids, in the file's order; `M15` means all of that row.

    Raises: SpecError if an id is none
    """
    if not ids:
        return tuple(statements)
    wanted = {given.upper() for given in ids}
    known = {name.upper() for each in statements for name in (each.id, f"M{each.number}")}
    for given in ids:
        if given.upper() not in known:
            raise SpecError(
                "is no statement of the articles",
                where=given,
                fix="foveal articles --list",
            )
    return tuple(each for each in statements if wanted & {each.id.upper(), f"M{each.number}"})


def chapter(statement: Statement) -> str:
    """The chapter a statement belongs to."""
    return next(name for name, numbers in CHAPTERS.items() if statement.number in numbers)


def _quoted(word: str) -> str:
    """In double quotes, which every shell understands, where a shell would read more into it."""
    return word if re.fullmatch(r"[\w.,:=/+-]+", word) else f'"{word}"'
