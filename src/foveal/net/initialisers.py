"""How weights start, as data: a word, a word with numbers, a filter by name, or the numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from math import prod

from foveal.checks import Constraint, Numbers
from foveal.errors import ShapeError
from foveal.net.filters import FILTERS, kernel
from foveal.net.kind import Shape, Start, shape_text

NUMBERS: dict[str, int] = {
    "zero": 0,
    "one": 0,
    "constant": 1,
    "uniform": 2,
    "normal": 1,
    "xavier": 0,
    "xavier_uniform": 0,
    "kaiming": 0,
    "kaiming_uniform": 0,
    "orthogonal": 0,
    "dirac": 0,
    "partial_dirac": 0,
    "sign": 0,
    "whitening": 0,
}
"""Each word, and how many numbers follow it: `normal:0.02`, `uniform:-0.1,0.1`."""


@dataclass(frozen=True)
class Init(Constraint):
    """How a tensor starts: a word of `NUMBERS`, a filter of `FILTERS`, or numbers in a row."""

    def sentence(self) -> str:
        return (
            f"one of {', '.join(map(_example, NUMBERS))}, the name of a filter, "
            "or the kernel's numbers row by row such as 1,0,-1"
        )

    def vocabulary(self) -> tuple[str, ...]:
        return (*map(_example, NUMBERS), *FILTERS)

    def accept(self, value: object) -> Start:
        if not isinstance(value, str):
            return Numbers().accept(value)
        if value in FILTERS:
            return value
        word, numbers = start(value)
        if word not in NUMBERS or len(numbers) != NUMBERS[word]:
            raise ValueError
        if (word == "uniform" and numbers[0] > numbers[1]) or (word == "normal" and numbers[0] < 0):
            raise ValueError
        return f"{word}:{Numbers().write(numbers)}" if numbers else word

    def read(self, text: str) -> Start:
        return self.accept(Numbers().read(text) if text[:1] in "-.0123456789" else text)

    def write(self, value: object) -> str:
        return value if isinstance(value, str) else Numbers().write(value)

    def bad_values(self) -> tuple[object, ...]:
        return ("nonsense", "constant", "normal:-1", "uniform:1,0", "zero:1", "normal:x", math.nan)


def start(value: str) -> tuple[str, tuple[float, ...]]:
    """The word of a start and its numbers; ValueError if they are none.

    >>> start("uniform:-0.1,0.1")
    ('uniform', (-0.1, 0.1))
    """
    word, colon, numbers = value.partition(":")
    return word, Numbers().read(numbers) if colon else ()


def given(value: Start, shape: Shape, kernel_size: Shape) -> tuple[float, ...] | None:
    """The numbers that a start gives itself, row by row; None if they are drawn or computed.

    They are as many as a kernel has, then every channel of every filter starts so; or as many as a
    filter has in all its channels; or as many as the tensor. A filter of one row fits a kernel of
    one axis, and every filter a slice of three.

    Raises:  ShapeError if a filter has another size, or the numbers are too many or too few
    """
    if isinstance(value, str) and value in FILTERS:
        rows = kernel(value)
        size = (len(rows), len(rows[0]))
        if not _is(size, kernel_size):
            raise _misfit(value, size, kernel_size)
        return tuple(number for row in rows for number in row)
    if not isinstance(value, tuple):
        return None
    counts = [prod(kernel_size), prod(shape[1:]), prod(shape)]
    if len(value) not in counts:
        wanted = ", ".join(map(str, dict.fromkeys(counts)))
        raise ShapeError(
            f"init gives {len(value)} numbers for weights of {shape_text(shape)}",
            expected=f"as many as a kernel, a filter or all weights have: {wanted}",
        )
    return value


def _is(size: tuple[int, int], kernel_size: Shape) -> bool:
    """Whether rows and columns are those of a kernel; its axes before and a single row count 1."""
    if len(kernel_size) == 1:
        return size == (1, *kernel_size)
    return size == kernel_size[-2:] and set(kernel_size[:-2]) <= {1}


def _misfit(name: str, size: tuple[int, int], kernel_size: Shape) -> ShapeError:
    rows, columns = size
    if not kernel_size:
        return ShapeError(
            f"filter {name} is {shape_text(size)}, and there is no kernel here",
            fix="a word or numbers after init, or a layer that slides",
        )
    wanted = size if len(kernel_size) != 3 else (1, *size)
    fix = f"kernel_size {shape_text(wanted)}"
    if len(kernel_size) == 1:
        fix = f"kernel_size {columns}" if rows == 1 else "a filter of one row, such as difference"
    return ShapeError(
        f"filter {name} is {shape_text(size)}, the kernel is {shape_text(kernel_size)}", fix=fix
    )


def _example(word: str) -> str:
    return {"constant": "constant:0.5", "uniform": "uniform:-1,1", "normal": "normal:0.02"}.get(
        word, word
    )
