"""Pictures that lie in several places, asked for like the rows of one array."""

from __future__ import annotations

import numpy as np
import pytest

from foveal.data.spread import Spread, both, spread
from foveal.errors import DataError

SIZE = (2, 3, 1)


def numbered(*numbers: int) -> np.ndarray:
    return np.broadcast_to(np.array(numbers, np.uint8)[:, None, None, None], (len(numbers), *SIZE))


def made(number: int) -> np.ndarray:
    return numbered(200 + number)[0]


def mixed() -> Spread:
    """20, 10, 201 and 11: rows of two arrays, and one that is made."""
    which, rows = np.array([1, 0, -1, 0], np.int32), np.array([0, 0, 1, 1])
    return Spread(SIZE, which, rows, (numbered(10, 11), numbered(20)), (made,))


def seen(pictures: np.ndarray) -> list[int]:
    assert pictures.shape[1:] == SIZE
    assert pictures.dtype == np.uint8
    return pictures[:, 0, 0, 0].tolist()


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        (slice(None), [20, 10, 201, 11]),
        (slice(1, 3), [10, 201]),
        (slice(0, 0), []),
        (np.array([3, 3, 2, 0]), [11, 11, 201, 20]),
        (np.array([], np.intp), []),
        (np.array([True, False, False, True]), [20, 11]),
    ],
)
def test_rows_come_in_the_order_asked_for(chosen, found) -> None:
    assert seen(mixed()[chosen]) == found


def test_it_says_what_an_array_would() -> None:
    assert (mixed().shape, mixed().dtype, len(mixed())) == ((4, *SIZE), np.uint8, 4)


def test_what_is_given_is_a_copy() -> None:
    array = np.array(numbered(1, 2))
    for one in (Spread.of(array), spread(array)):
        one[:][:] = 9
    assert seen(array) == [1, 2]


def test_taking_some_reads_none() -> None:
    def unwanted(number: int) -> np.ndarray:
        raise AssertionError

    one = Spread(SIZE, np.array([-1, -1], np.int32), np.array([0, 1]), (), (unwanted,))
    assert len(one.take(np.array([1, 0, 1])).then(one)) == 5
    assert seen(mixed().take(np.array([2, 0]))[:]) == [201, 20]


def test_two_in_a_row_keep_their_own_places() -> None:
    other = Spread(SIZE, np.array([-1, 0], np.int32), np.array([5, 0]), (numbered(30),),
                   (lambda number: numbered(100 + number)[0],))  # fmt: skip
    assert seen(mixed().then(other)[:]) == [20, 10, 201, 11, 105, 30]
    assert seen(both(numbered(1), mixed())[:]) == [1, 20, 10, 201, 11]
    assert seen(both(mixed(), numbered(1))[3:]) == [11, 1]


def test_two_arrays_make_an_array() -> None:
    together = both(numbered(1), numbered(2, 3))
    assert isinstance(together, np.ndarray)
    assert seen(together) == [1, 2, 3]


def test_what_cannot_be_made_any_more_is_said() -> None:
    def gone(number: int) -> np.ndarray:
        raise DataError("cannot be opened: No such file or directory", where="a/1.jpg")

    one = Spread(SIZE, np.array([-1], np.int32), np.array([0]), (), (gone,))
    with pytest.raises(DataError) as caught:
        one[:]
    assert str(caught.value) == "a/1.jpg: cannot be opened: No such file or directory"
