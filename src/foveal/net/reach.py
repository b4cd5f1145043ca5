"""Which input positions an output position depends on: the receptive field, exactly.

A Reach is a periodic map along one axis: output position `q * period + r` reads the input
positions of `cells[r]` moved by `q * advance`. A window has period 1; upsampling and adaptive
pooling have longer ones. Sets of positions are bit masks, so that holes left by dilation count.
Arithmetic of receptive fields: Araujo, Norris & Sim 2019, doi:10.23915/distill.00021.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from math import gcd, lcm

LONGEST_PERIOD = 4096
WIDEST = 2**20
"""Positions; what reads more has no Reach. A 224 px picture is seen wholly long before."""
MOST_WORK = 2**32
"""Bits handled in one composition: half a gigabyte, about a tenth of a second."""
MOST_PLACES = 2**18
"""Positions looked at one by one in one composition: about a quarter of a second."""


@dataclass(frozen=True)
class Cells:
    """A set of positions: bit i of `mask` is position `first + i`; the lowest bit is set."""

    first: int
    mask: int

    @property
    def last(self) -> int:
        return self.first + self.mask.bit_length() - 1

    @property
    def size(self) -> int:
        """Length of the hull, in positions."""
        return self.mask.bit_length()

    def moved(self, by: int) -> Cells:
        return Cells(self.first + by, self.mask)

    def positions(self) -> list[int]:
        """The positions themselves, in order."""
        digits = reversed(f"{self.mask:b}")
        return [self.first + bit for bit, digit in enumerate(digits) if digit == "1"]


@dataclass(frozen=True)
class Reach:
    """A periodic map from output positions to sets of input positions, along one axis."""

    advance: int
    cells: tuple[Cells, ...]

    @property
    def period(self) -> int:
        return len(self.cells)

    @cached_property
    def size(self) -> int:
        """Receptive field: the longest hull over a period, in input positions, before clipping."""
        return max(part.size for part in self.cells)

    @cached_property
    def jump(self) -> Fraction:
        """Input positions between neighbouring outputs; ½ after upsampling by two."""
        return Fraction(self.advance, self.period)

    @cached_property
    def start(self) -> Fraction:
        """Centre of the first output's hull; 0 is the centre of the first input position."""
        return Fraction(self.cells[0].first + self.cells[0].last, 2)

    @cached_property
    def coverage(self) -> Fraction:
        """Share of the hull that is really read; below 1 where dilation leaves holes."""
        return min(Fraction(part.mask.bit_count(), part.size) for part in self.cells)

    def at(self, position: int) -> Cells:
        """The input positions that one output position reads."""
        turn, place = divmod(position, self.period)
        return self.cells[place].moved(turn * self.advance)


POINT = Reach(1, (Cells(0, 1),))


def window(kernel_size: int, stride: int, dilation: int, before: int) -> Reach | None:
    """A sliding window: output o reads o * stride - before + t * dilation for each tap t."""
    if dilation * (kernel_size - 1) >= WIDEST:
        return None
    gap = "0" * (dilation - 1)
    return Reach(stride, (Cells(-before, int("1" + (gap + "1") * (kernel_size - 1), 2)),))


def adaptive(arriving: int, leaving: int) -> Reach | None:
    """Pooling to a fixed size: output o reads floor(o * n / m) to ceil((o + 1) * n / m) - 1."""
    turns = gcd(arriving, leaving)
    period = leaving // turns
    if period > LONGEST_PERIOD or arriving // leaving >= WIDEST:
        return None
    firsts = [place * arriving // leaving for place in range(period)]
    ends = [-(-(place + 1) * arriving // leaving) for place in range(period)]
    spans = zip(firsts, ends, strict=True)
    return Reach(arriving // turns, tuple(Cells(a, (1 << b - a) - 1) for a, b in spans))


def transposed(kernel_size: int, stride: int, dilation: int, before: int) -> Reach | None:
    """A transposed window: output o reads every i with o = i * stride - before + t * dilation.

    None if some outputs read nothing, or the kernel is too wide to be followed.
    """
    if stride > LONGEST_PERIOD or dilation * (kernel_size - 1) >= WIDEST:
        return None
    made: list[list[int]] = [[] for _ in range(stride)]
    for tap in range(kernel_size):
        place = (tap * dilation - before) % stride
        made[place].append((place + before - tap * dilation) // stride)
    if not all(made):
        return None
    firsts = [min(reads) for reads in made]
    masks = [sum(1 << i - first for i in reads) for reads, first in zip(made, firsts, strict=True)]
    return Reach(1, tuple(map(Cells, firsts, masks)))


def upsampling(factor: int) -> Reach | None:
    """Repeating every position: output o reads o // factor."""
    return Reach(1, (Cells(0, 1),) * factor) if factor <= LONGEST_PERIOD else None


def interpolation(factor: int) -> Reach | None:
    """Lines between centres: output o lies at (o + ½) / factor - ½ and reads what is around it.

    Before clipping: where nothing arrives, at the border, the nearest position is read instead.
    """
    if factor > LONGEST_PERIOD:
        return None
    return Reach(1, tuple(_around(2 * o + 1 - factor, 2 * factor) for o in range(factor)))


def aligned(arriving: int, factor: int) -> Reach | None:
    """Lines from the first centre to the last: output o lies at o (n - 1) / (factor * n - 1)."""
    advance, period = arriving - 1, factor * arriving - 1
    if not advance:
        return upsampling(factor)
    turns = gcd(advance, period)
    advance, period = advance // turns, period // turns
    if period > LONGEST_PERIOD:
        return None
    return Reach(advance, tuple(_around(o * advance, period) for o in range(period)))


def _around(place: int, unit: int) -> Cells:
    """The positions next to place / unit: one if it is a position itself."""
    return Cells(place // unit, 0b11 if place % unit else 0b1)


def shift(by: int) -> Reach:
    """Every position as it was, but called by another number: output o reads o + by."""
    return Reach(1, (Cells(by, 1),))


@lru_cache(maxsize=1024)
def compose(outer: Reach | None, inner: Reach | None) -> Reach | None:
    """The reach of `outer` applied to what `inner` made.

    None stands for the whole picture, and for what is too wide or too irregular to be followed.
    """
    if outer is None or inner is None:
        return None
    if outer is POINT or inner is POINT:
        return outer if inner is POINT else inner
    if inner.period == 1:
        cells = [_slid(part, inner.cells[0], inner.advance) for part in outer.cells]
        return _reach(outer.advance * inner.advance, cells)
    turns = lcm(outer.advance, inner.period) // outer.advance
    period = outer.period * turns
    places = period * outer.size
    if period > LONGEST_PERIOD or places > MOST_PLACES or places * inner.size > MOST_WORK:
        return None
    made = [
        _union([inner.at(position) for position in outer.at(place).positions()])
        for place in range(period)
    ]
    return _reach(turns * outer.advance * inner.advance // inner.period, made)


@lru_cache(maxsize=1024)
def join(parts: tuple[Reach | None, ...]) -> Reach | None:
    """The reach of a value made of several at the same position; None if their jumps differ."""
    if len(parts) == 1:
        return parts[0]
    reaches = [part for part in parts if part is not None]
    if len(reaches) < len(parts) or len({part.jump for part in reaches}) > 1:
        return None
    period = lcm(*(part.period for part in reaches))
    if period > LONGEST_PERIOD:
        return None
    made = [_union([part.at(place) for part in reaches]) for place in range(period)]
    return _reach(reaches[0].advance * period // reaches[0].period, made)


def _slid(outer: Cells, inner: Cells, advance: int) -> Cells | None:
    """What is read through `inner`, moved by `advance` for each position; None if it is too wide.

    Bit a * advance + b of the result is set where bit a of one mask and bit b of the other are.
    """
    size = (outer.size - 1) * advance + inner.size
    if size > WIDEST:
        return None
    if outer.size == 1:
        return inner.moved(outer.first * advance)
    apart = int(("0" * (advance - 1)).join(f"{outer.mask:b}"), 2)
    few, many = sorted((apart, inner.mask), key=int.bit_count)
    if not many & (many + 1):
        mask = _widened(few, many.bit_length())
    elif not few & (few + 1):
        mask = _widened(many, few.bit_length())
    elif few.bit_count() * size > MOST_WORK:
        return None
    else:
        mask = 0
        for bit in Cells(0, few).positions():
            mask |= many << bit
    return Cells(outer.first * advance + inner.first, mask)


def _widened(mask: int, width: int) -> int:
    """Every bit of a mask and the `width` - 1 above it."""
    done = 1
    while done < width:
        step = min(done, width - done)
        mask |= mask << step
        done += step
    return mask


def _reach(advance: int, made: list[Cells | None]) -> Reach | None:
    found = tuple(part for part in made if part is not None)
    return Reach(advance, found) if len(found) == len(made) else None


def _union(parts: list[Cells]) -> Cells | None:
    """All positions of some sets; None if they lie too far apart."""
    if len(parts) == 1:
        return parts[0]
    first = min(part.first for part in parts)
    if max(part.last for part in parts) - first >= WIDEST:
        return None
    mask = 0
    for part in parts:
        mask |= part.mask << (part.first - first)
    return Cells(first, mask)
