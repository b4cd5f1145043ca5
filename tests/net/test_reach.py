"""Receptive fields along one axis: the laws of Reach, each against sets made by definition."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from foveal.net import reach
from foveal.net.reach import (
    POINT,
    Cells,
    Reach,
    adaptive,
    aligned,
    compose,
    interpolation,
    join,
    upsampling,
    window,
)

Reads = Callable[[int], set[int]]
PLACES = range(-9, 10)


def positions(made: Reach, place: int) -> set[int]:
    return set(made.at(place).positions())


def of_window(kernel_size: int, stride: int, dilation: int, before: int) -> tuple[Reach, Reads]:
    def reads(place: int) -> set[int]:
        return {place * stride - before + tap * dilation for tap in range(kernel_size)}

    made = window(kernel_size, stride, dilation, before)
    assert made is not None
    return made, reads


def of_upsampling(factor: int) -> tuple[Reach, Reads]:
    made = upsampling(factor)
    assert made is not None
    return made, lambda place: {place // factor}


def between(at: Fraction) -> set[int]:
    """The positions that are less than one away."""
    return {i for i in (floor(at), floor(at) + 1) if abs(at - i) < 1}


def of_interpolation(factor: int) -> tuple[Reach, Reads]:
    made = interpolation(factor)
    assert made is not None
    half = Fraction(1, 2)
    return made, lambda place: between((place + half) / factor - half)


def of_aligned(arriving: int, factor: int) -> tuple[Reach, Reads]:
    made = aligned(arriving, factor)
    assert made is not None
    return made, lambda place: between(Fraction(place * (arriving - 1), factor * arriving - 1))


def of_adaptive(arriving: int, leaving: int) -> tuple[Reach, Reads]:
    def reads(place: int) -> set[int]:
        first = place * arriving // leaving
        end = -(-(place + 1) * arriving // leaving)
        return set(range(first, end))

    made = adaptive(arriving, leaving)
    assert made is not None
    return made, reads


def small(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


WINDOWS = st.builds(of_window, small(1, 5), small(1, 3), small(1, 3), small(0, 4))
MAPS = st.one_of(
    WINDOWS,
    st.builds(of_upsampling, small(1, 4)),
    st.builds(of_interpolation, small(1, 4)),
    st.builds(of_aligned, small(2, 6), small(1, 4)),
    st.builds(of_adaptive, small(1, 12), small(1, 12)),
)


@given(MAPS)
def test_a_map_reads_what_its_definition_says(made: tuple[Reach, Reads]) -> None:
    map_, reads = made
    assert all(positions(map_, place) == reads(place) for place in PLACES)


@given(MAPS)
def test_size_jump_start_and_coverage_are_those_of_the_sets(made: tuple[Reach, Reads]) -> None:
    map_, reads = made
    sets = [reads(place) for place in range(map_.period)]
    assert map_.size == max(max(read) - min(read) + 1 for read in sets)
    assert map_.coverage == min(Fraction(len(r), max(r) - min(r) + 1) for r in sets)
    assert map_.start == Fraction(min(sets[0]) + max(sets[0]), 2)
    assert map_.jump * map_.period == min(reads(map_.period)) - min(sets[0])


@given(MAPS, MAPS)
def test_composition_reads_what_the_inner_map_reads(
    outer: tuple[Reach, Reads], inner: tuple[Reach, Reads]
) -> None:
    both = compose(outer[0], inner[0])
    assert both is not None
    for place in PLACES:
        by_definition = {read for middle in outer[1](place) for read in inner[1](middle)}
        assert positions(both, place) == by_definition


@given(MAPS, MAPS, MAPS)
def test_composition_is_associative(
    a: tuple[Reach, Reads], b: tuple[Reach, Reads], c: tuple[Reach, Reads]
) -> None:
    left = compose(compose(a[0], b[0]), c[0])
    right = compose(a[0], compose(b[0], c[0]))
    assert left is not None
    assert right is not None
    assert all(left.at(place) == right.at(place) for place in PLACES)


@given(MAPS)
def test_a_point_changes_nothing(made: tuple[Reach, Reads]) -> None:
    assert compose(POINT, made[0]) == made[0]
    assert compose(made[0], POINT) == made[0]
    assert join((made[0],)) == made[0]


@given(WINDOWS, WINDOWS)
def test_join_reads_what_any_of_them_reads(
    one: tuple[Reach, Reads], other: tuple[Reach, Reads]
) -> None:
    joined = join((one[0], other[0]))
    if one[0].jump != other[0].jump:
        assert joined is None
    else:
        assert joined is not None
        assert all(positions(joined, p) == one[1](p) | other[1](p) for p in PLACES)


def test_maps_of_different_period_but_equal_jump_join() -> None:
    joined = join((compose(upsampling(2), window(1, 2, 1, 0)), POINT))
    assert joined is not None
    assert joined.jump == 1
    assert [positions(joined, place) for place in range(4)] == [{0}, {0, 1}, {2}, {2, 3}]


def test_upsampling_by_two_halves_the_jump() -> None:
    made = compose(window(3, 1, 1, 1), upsampling(2))
    assert made is not None
    assert (made.jump, made.size) == (Fraction(1, 2), 2)


def test_one_position_alone_is_repeated_where_corners_are_aligned() -> None:
    assert aligned(1, 3) == upsampling(3)


def test_the_whole_picture_stays_the_whole_picture() -> None:
    assert compose(None, POINT) is None
    assert compose(POINT, None) is None
    assert join((POINT, None)) is None


def test_dilation_leaves_holes() -> None:
    made = window(3, 1, 4, 0)
    assert made is not None
    assert (made.size, made.coverage) == (9, Fraction(1, 3))


def test_what_would_need_more_memory_than_it_is_worth_is_not_followed() -> None:
    assert window(2, 1, reach.WIDEST, 0) is None
    assert upsampling(reach.LONGEST_PERIOD + 1) is None
    assert interpolation(reach.LONGEST_PERIOD + 1) is None
    assert aligned(reach.LONGEST_PERIOD, 2) is None
    assert adaptive(2 * reach.LONGEST_PERIOD + 1, reach.LONGEST_PERIOD + 1) is None
    assert adaptive(reach.WIDEST, 1) is None
    assert compose(upsampling(reach.LONGEST_PERIOD), upsampling(2)) is None
    apart = [Reach(1, (Cells(first, 1),)) for first in (0, -reach.WIDEST)]
    assert join(tuple(apart)) is None
    holed = window(2**16, 1, 3, 0)
    assert compose(holed, holed) is None
    assert compose(window(2**19, 1, 1, 0), window(2**19 + 2, 1, 1, 0)) is None
    assert compose(window(2**16, 1, 1, 0), upsampling(32)) is None
    longest = Reach(reach.LONGEST_PERIOD, (Cells(0, 1),) * reach.LONGEST_PERIOD)
    odd = Reach(4095, (Cells(0, 1),) * 4095)
    assert join((longest, odd)) is None


def test_halving_a_hundred_times_ends_without_exhausting_memory() -> None:
    made: Reach | None = POINT
    for _ in range(100):
        made = compose(window(3, 2, 1, 1), made)
    assert made is None
