"""Constraints as data: what a field may hold, said once.

Validation, the sentence in an error, the notation's way to write the value, the help of an
option and the bad values that tests generate all come from the same object.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass

from foveal.errors import SpecError

LARGEST = 2**31 - 1
_WHOLE = re.compile(r"-?\d+")


class Constraint(ABC):
    """What one field may hold."""

    words: tuple[str, ...] = ()
    """Closed words that may stand for the value in the notation, without the field's name."""

    @abstractmethod
    def sentence(self) -> str:
        """What is accepted, to be read after 'must be'."""

    @abstractmethod
    def accept(self, value: object) -> object:
        """The value in its one canonical form; ValueError if it is not acceptable."""

    @abstractmethod
    def bad_values(self) -> tuple[object, ...]:
        """Values that must be refused, for the tests."""

    def vocabulary(self) -> tuple[str, ...]:
        """All words that may be part of a value, for a suggestion where one is misspelt."""
        return self.words

    def read(self, text: str) -> object:
        """The value that the notation's text stands for; ValueError if it is none."""
        if text in self.words:
            return text
        return self.accept(_parse_number(text))

    def write(self, value: object) -> str:
        """The notation's text for an accepted value."""
        return str(value)


def _parse_number(text: str) -> int | float:
    return int(text) if _WHOLE.fullmatch(text) else float(text)


@dataclass(frozen=True)
class Whole(Constraint):
    """A whole number from `minimum` up."""

    minimum: int = 1

    def sentence(self) -> str:
        return f"a whole number from {self.minimum}"

    def accept(self, value: object) -> int:
        if type(value) is not int or not self.minimum <= value <= LARGEST:
            raise ValueError
        return value

    def bad_values(self) -> tuple[object, ...]:
        return (self.minimum - 1, 1.5, True, "3", None, LARGEST + 1)


@dataclass(frozen=True)
class Real(Constraint):
    """A finite number between two bounds; `below` excludes the upper one."""

    minimum: float = -math.inf
    maximum: float = math.inf
    below: bool = False
    above: bool = False

    def sentence(self) -> str:
        if self.minimum == -math.inf and self.maximum == math.inf:
            return "a finite number"
        lower = f"a number {'above' if self.above else 'from'} {self.minimum:g}"
        if self.maximum == math.inf:
            return lower
        return f"{lower} {'to below' if self.below else 'to'} {self.maximum:g}"

    def accept(self, value: object) -> float:
        if type(value) not in (int, float):
            raise ValueError
        number = float(value)  # type: ignore[arg-type]
        inside = self.minimum <= number <= self.maximum and math.isfinite(number)
        if not inside or (self.below and number == self.maximum):
            raise ValueError
        if self.above and number == self.minimum:
            raise ValueError
        return number

    def bad_values(self) -> tuple[object, ...]:
        bad: list[object] = [math.nan, math.inf, "0.5", None, True]
        if self.minimum != -math.inf:
            bad.append(self.minimum if self.above else self.minimum - 1)
        if self.maximum != math.inf:
            bad.append(self.maximum if self.below else self.maximum + 1)
        return tuple(bad)

    def write(self, value: object) -> str:
        return repr(value).removesuffix(".0")


@dataclass(frozen=True)
class Flag(Constraint):
    """Yes or no; the notation writes the field's name, with `no` before it for False."""

    def sentence(self) -> str:
        return "true or false"

    def accept(self, value: object) -> bool:
        if type(value) is not bool:
            raise ValueError
        return value

    def bad_values(self) -> tuple[object, ...]:
        return (0, "yes", None)


@dataclass(frozen=True)
class OneOf(Constraint):
    """One word of a closed list."""

    words: tuple[str, ...] = ()

    def sentence(self) -> str:
        return "one of " + ", ".join(self.words)

    def accept(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise ValueError
        return value

    def read(self, text: str) -> str:
        return self.accept(text)

    def bad_values(self) -> tuple[object, ...]:
        return ("nonsense", 1, None)


@dataclass(frozen=True)
class Size(Constraint):
    """A whole number for all axes, or one per axis (`3`, `3x5`)."""

    minimum: int = 1
    axes: int = 3

    def sentence(self) -> str:
        return f"a whole number from {self.minimum}, or one per axis such as 3x5"

    def accept(self, value: object) -> int | tuple[int, ...]:
        number = Whole(self.minimum)
        if isinstance(value, (tuple, list)):
            if not 1 <= len(value) <= self.axes:
                raise ValueError
            sizes = tuple(number.accept(part) for part in value)
            return sizes if len(sizes) > 1 else sizes[0]
        return number.accept(value)

    def read(self, text: str) -> object:
        parts = [_parse_number(part) for part in text.split("x")]
        return self.accept(parts[0] if len(parts) == 1 else tuple(parts))

    def write(self, value: object) -> str:
        return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)

    def bad_values(self) -> tuple[object, ...]:
        return (self.minimum - 1, 1.5, "3", (), (3, self.minimum - 1), (1,) * (self.axes + 1), True)


@dataclass(frozen=True)
class Padding(Constraint):
    """A closed word, a whole number, or one per axis, each as `before:after` where they differ."""

    words: tuple[str, ...] = ("valid", "same", "same_lower")

    def sentence(self) -> str:
        words = "".join(f"{word}, " for word in self.words)
        return f"{words}a whole number from 0, or one per axis such as 1x2 or 1:2x0:1"

    def accept(self, value: object) -> object:
        if isinstance(value, str):
            return OneOf(self.words).accept(value)
        if isinstance(value, (tuple, list)):
            if not 1 <= len(value) <= 3:
                raise ValueError
            axes = tuple(self._axis(part) for part in value)
            return axes[0] if len(axes) == 1 and isinstance(axes[0], int) else axes
        return Whole(0).accept(value)

    @staticmethod
    def _axis(part: object) -> int | tuple[int, int]:
        if isinstance(part, (tuple, list)):
            before, after = (Whole(0).accept(side) for side in part)
            return (before, after)
        return Whole(0).accept(part)

    def read(self, text: str) -> object:
        if text in self.words:
            return text
        parts = [tuple(_parse_number(side) for side in axis.split(":")) for axis in text.split("x")]
        return self.accept([part[0] if len(part) == 1 else part for part in parts])

    def write(self, value: object) -> str:
        if not isinstance(value, tuple):
            return str(value)
        return "x".join(":".join(map(str, a)) if isinstance(a, tuple) else str(a) for a in value)

    def bad_values(self) -> tuple[object, ...]:
        return ("nonsense", -1, 1.5, (), ((1, 2, 3),), ((1, -1),), True)


@dataclass(frozen=True)
class Numbers(Constraint):
    """A list of finite numbers (`0.485,0.456,0.406`)."""

    above: float = -math.inf

    def sentence(self) -> str:
        bound = "" if self.above == -math.inf else f" above {self.above:g}"
        return f"a list of numbers{bound} such as 0.5 or 0.4,0.5,0.6"

    def accept(self, value: object) -> tuple[float, ...]:
        values = value if isinstance(value, (tuple, list)) else (value,)
        if not values:
            raise ValueError
        number = Real(self.above, above=self.above != -math.inf)
        return tuple(number.accept(part) for part in values)

    def read(self, text: str) -> tuple[float, ...]:
        return self.accept([_parse_number(part) for part in text.split(",")])

    def write(self, value: object) -> str:
        if not isinstance(value, tuple):
            raise TypeError(f"a list of numbers is a tuple, not {value!r}")
        return ",".join(Real().write(part) for part in value)

    def bad_values(self) -> tuple[object, ...]:
        return ((), "0.5", (0.5, math.nan), (self.above,), None)


@dataclass(frozen=True)
class Wholes(Constraint):
    """A list of whole numbers (`0,1,2`)."""

    minimum: int = 0

    def sentence(self) -> str:
        return f"a list of whole numbers from {self.minimum} such as 0 or 0,1,2"

    def accept(self, value: object) -> tuple[int, ...]:
        values = value if isinstance(value, (tuple, list)) else (value,)
        if not values:
            raise ValueError
        return tuple(Whole(self.minimum).accept(part) for part in values)

    def read(self, text: str) -> tuple[int, ...]:
        return self.accept([_parse_number(part) for part in text.split(",")])

    def write(self, value: object) -> str:
        if not isinstance(value, tuple):
            raise TypeError(f"a list of numbers is a tuple, not {value!r}")
        return ",".join(map(str, value))

    def bad_values(self) -> tuple[object, ...]:
        return ((), "1", (self.minimum - 1,), (1.5,), None)


@dataclass(frozen=True)
class Fill(Constraint):
    """What stands in padding: one number everywhere, or a closed word for what to repeat."""

    words: tuple[str, ...] = ("reflect", "replicate", "circular")

    def sentence(self) -> str:
        return f"a number, or {', '.join(self.words)}"

    def accept(self, value: object) -> float | str:
        return OneOf(self.words).accept(value) if isinstance(value, str) else Real().accept(value)

    def write(self, value: object) -> str:
        return value if isinstance(value, str) else Real().write(value)

    def bad_values(self) -> tuple[object, ...]:
        return ("nonsense", math.nan, None, True)


@dataclass(frozen=True)
class Optional(Constraint):
    """Unset (None), or what another constraint accepts; unset values are not written."""

    inner: Constraint

    @property
    def words(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.inner.words

    def sentence(self) -> str:
        return self.inner.sentence() + ", or unset"

    def vocabulary(self) -> tuple[str, ...]:
        return self.inner.vocabulary()

    def accept(self, value: object) -> object:
        return None if value is None else self.inner.accept(value)

    def read(self, text: str) -> object:
        return self.inner.read(text)

    def write(self, value: object) -> str:
        return self.inner.write(value)

    def bad_values(self) -> tuple[object, ...]:
        return tuple(value for value in self.inner.bad_values() if value is not None)


def accept(owner: str, field: str, constraint: Constraint, value: object) -> object:
    """The canonical value of a field; SpecError, with owner, field and what is accepted."""
    try:
        return constraint.accept(value)
    except (ValueError, TypeError):
        pass
    raise SpecError(f"must be {constraint.sentence()}, not {value!r}", where=f"{owner} {field}")
