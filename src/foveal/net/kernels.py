"""Kernels as numbers: read from text, drawn, or computed to measure."""

from __future__ import annotations

import math
import re

from foveal.checks import LARGEST, Constraint, Real
from foveal.errors import SpecError

Rows = tuple[tuple[float, ...], ...]

LARGEST_SIZE = 255
"""Positions along a side of a kernel that is made or given."""
LARGEST_NUMBER = 1e6
"""Of a kernel that is given, so that no sum overflows float32."""
_OCTAVE = 0.56  # deviation in wavelengths for a bandwidth of one octave, Petkov & Kruizinga 1997
_FLOAT32 = 2.0**-23  # relative step of the numbers the engines compute with


class Odd(Constraint):
    """An odd whole number up to the largest side, so that the kernel has a middle."""

    def sentence(self) -> str:
        return f"an odd whole number from 1 to {LARGEST_SIZE}"

    def accept(self, value: object) -> int:
        if type(value) is not int or not 1 <= value <= LARGEST_SIZE or value % 2 == 0:
            raise ValueError
        return value

    def bad_values(self) -> tuple[object, ...]:
        return (0, 4, LARGEST_SIZE + 2, 3.0, "3", None, True, LARGEST)


CONSTRAINTS: dict[str, Constraint] = {
    "size": Odd(),
    "sigma": Real(0.1, 42),
    "wavelength": Real(2, 75),
    "angle": Real(),
    "phase": Real(),
}
"""What each parameter of `gaussian`, `gabor` and `box` may be."""


def read(text: str) -> Rows:
    """A kernel as it is written: numbers with spaces or commas, rows with `/`, `;` or new lines.

    Raises:  SpecError if something is no number, rows differ in length, or it is too large

    >>> read("0 -1 0 / -1 5 -1 / 0 -1 0")[1]
    (-1.0, 5.0, -1.0)
    """
    rows = [row.replace(",", " ").split() for row in re.split(r"[/;\n]", text.strip(" /;\n"))]
    lengths = [len(row) for row in rows]
    if len(set(lengths)) > 1 or not lengths[0]:
        arrives = "rows of " + ", ".join(map(str, lengths)) + " numbers"
        raise _unreadable("is not a kernel: its rows must be equally long", arrives)
    if max(len(rows), lengths[0]) > LARGEST_SIZE:
        raise _unreadable("is too large", f"{len(rows)}x{lengths[0]}")
    return tuple(tuple(map(_number, row)) for row in rows)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) <= LARGEST_NUMBER:
        raise _unreadable("is not a kernel", f"{text!r}")
    return number


def _unreadable(problem: str, arrives: str) -> SpecError:
    return SpecError(
        problem,
        where="kernel",
        arrives=arrives,
        expected=f"numbers up to a million row by row, at most {LARGEST_SIZE}x{LARGEST_SIZE}",
        fix="such as 0 -1 0 / -1 5 -1 / 0 -1 0",
    )


def sums_to_zero(rows: Rows) -> bool:
    """Whether a kernel gives 0 where the picture is plain, up to the rounding of float32."""
    numbers = [number for row in rows for number in row]
    return abs(math.fsum(numbers)) <= _FLOAT32 * sum(map(abs, numbers))


def box(size: int = 3) -> Rows:
    """The mean of a square."""
    return ((1 / size**2,) * size,) * size


def gaussian(size: int | None = None, sigma: float | None = None) -> Rows:
    """A mean that counts what is near most: exp(-distance² / 2 sigma²), divided by its sum.

    Without `sigma` it has the deviation of the binomial numbers of that size; without `size` it
    goes to three deviations on either side.
    """
    if size is None:
        size = _side(1.0 if sigma is None else sigma)
    if sigma is None:
        sigma = max(math.sqrt(size - 1) / 2, 0.1)
    bell = _bell(size, sigma)
    total = sum(bell) ** 2
    return _written([[one * other / total for one in bell] for other in bell])


def gabor(
    size: int | None = None,
    sigma: float | None = None,
    wavelength: float = 4.0,
    angle: float = 0.0,
    phase: float = 0.0,
) -> Rows:
    """Stripes of one width and direction under a Gaussian bell.

    `angle` is the direction, in degrees, in which one goes across the stripes; a `phase` of 0
    puts a bright stripe in the middle, 90 an edge. The mean is taken off, so that a plain
    picture gives 0, and what is positive sums to 1.

    Raises:  SpecError if the bell is too narrow for a wave
    """
    sigma = _OCTAVE * wavelength if sigma is None else sigma
    bell = _bell(_side(sigma) if size is None else size, sigma)
    middle, turn, shift = len(bell) // 2, math.radians(angle), math.radians(phase)
    across = [
        [(x - middle) * math.cos(turn) + (y - middle) * math.sin(turn) for x in range(len(bell))]
        for y in range(len(bell))
    ]
    wave = [[math.cos(2 * math.pi * way / wavelength + shift) for way in row] for row in across]
    total = sum(bell) ** 2
    mean = sum(
        one * other * wave[y][x] for y, other in enumerate(bell) for x, one in enumerate(bell)
    )
    made = [
        [one * other * (wave[y][x] - mean / total) for x, one in enumerate(bell)]
        for y, other in enumerate(bell)
    ]
    strength = sum(abs(number) for row in made for number in row) / 2
    if strength < 1e-3:  # only rounding would be left of it
        raise SpecError(
            "no wave is left: the bell is narrow, the wave long",
            where="gabor",
            arrives=f"size {len(bell)}, sigma {sigma:g}, wavelength {wavelength:g}",
            fix="a larger sigma and size, or a shorter wavelength",
        )
    return _written([[number / strength for number in row] for row in made])


def drawn(picture: str) -> Rows:
    """The mean where a drawing has `#` less the mean where it has `.`.

    >>> drawn("#. ##")
    ((0.3333333333333333, -1.0), (0.3333333333333333, 0.3333333333333333))
    """
    values = {"#": 1 / picture.count("#"), ".": -1 / picture.count(".")}
    return tuple(tuple(values[sign] for sign in row) for row in picture.split())


def _side(sigma: float) -> int:
    """Three deviations on either side of the middle."""
    return min(2 * math.ceil(3 * sigma) + 1, LARGEST_SIZE)


def _bell(size: int, sigma: float) -> list[float]:
    return [math.exp(-(((x - size // 2) / sigma) ** 2) / 2) for x in range(size)]


def _written(rows: list[list[float]]) -> Rows:
    """Numbers with as many digits as float32 holds: a net that has them can still be read."""
    return tuple(tuple(float(f"{number:.7g}") for number in row) for row in rows)
