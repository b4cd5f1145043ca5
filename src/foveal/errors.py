"""The errors Foveal raises: each names the place, what came, what was expected and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class FovealError(Exception):
    """Something went wrong that a sentence can explain.

    The first line (`where: problem`) stands alone; the facts under it are fields, so that a
    terminal and a browser can render them without parsing text.
    """

    exit_code: ClassVar[int] = 2
    """What the command line exits with: 1 findings, 2 the user can fix it, 3 the machine."""

    def __init__(
        self, problem: str, *, where: str = "", arrives: str = "", expected: str = "", fix: str = ""
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.where = where
        self.arrives = arrives
        self.expected = expected
        self.fix = fix

    @property
    def kind(self) -> str:
        """The name of its class, or of the one above it that is public."""
        names = (kind.__name__ for kind in type(self).__mro__)
        return next(name for name in names if not name.startswith("_"))

    def headline(self) -> str:
        return f"{self.where}: {self.problem}" if self.where else self.problem

    def facts(self) -> list[tuple[str, str]]:
        """The named lines under the headline, in the order they are printed."""
        named = [("arrives", self.arrives), ("expected", self.expected), ("fix", self.fix)]
        return [(name, text) for name, text in named if text]

    def __str__(self) -> str:
        lines = [self.headline()]
        for name, text in self.facts():
            first, *rest = text.splitlines()
            lines.append(f"  {name + ':':<9} {first}")
            lines += [" " * 12 + line for line in rest]
        return "\n".join(lines)


class SpecError(FovealError, ValueError):
    """A net, layer or option says something impossible."""


class ShapeError(SpecError):
    """What arrives at a layer does not fit it."""


class NotationError(SpecError):
    """A text is not a net; says the line, the column and shows the place."""

    def __init__(
        self, problem: str, *, text: str, offset: int, expected: str = "", fix: str = ""
    ) -> None:
        before = text[:offset]
        self.line = before.count("\n") + 1
        self.column = offset - (before.rfind("\n") + 1) + 1
        line = text.split("\n")[self.line - 1].removesuffix("\r")
        # A tab would move the caret, an escape sequence the terminal.
        self.source_line = "".join(sign if sign.isprintable() else " " for sign in line)
        where = f"line {self.line}, column {self.column}"
        super().__init__(problem, where=where, expected=expected, fix=fix)

    def __str__(self) -> str:
        first, *rest = super().__str__().split("\n")
        source, start = self._excerpt()
        caret = " " * (self.column - 1 - start) + "^"
        return "\n".join([first, "  " + source, "  " + caret, *rest])

    def _excerpt(self, width: int = 76) -> tuple[str, int]:
        """The part of the line around the column that fits a terminal, and where it starts."""
        start = max(0, self.column - 1 - width // 2) if len(self.source_line) > width else 0
        return self.source_line[start : start + width], start


class ModelFileError(FovealError):
    """A file is not a Foveal model, or not a whole one."""


class DataError(FovealError):
    """Pictures or labels cannot be used."""


class MissingExtra(FovealError, ImportError):
    """A command needs a part of Foveal that is not installed."""

    def __init__(self, what: str, *, extra: str) -> None:
        super().__init__(f"{what} needs the extra '{extra}'", fix=f"pip install 'foveal[{extra}]'")
        self.extra = extra


class DisagreementError(FovealError):
    """Two engines gave different answers for the same net."""

    exit_code = 1


class MachineError(FovealError):
    """The disk, the memory or the operating system refused."""

    exit_code = 3


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """A sentence that suggests the nearest of the choices, or lists them if they are few."""
    from difflib import get_close_matches  # only when something is already wrong

    known = sorted(set(choices))
    close = get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    if 0 < len(known) <= 12:
        return "known: " + ", ".join(known)
    return ""
