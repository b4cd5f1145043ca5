"""What is written in an option: sizes, letters, goals."""

from __future__ import annotations

import pytest

from foveal.cli.options import goal, input_size, letters, num_bytes
from foveal.errors import SpecError


@pytest.mark.parametrize(
    ("text", "size"), [(None, None), ("32", 32), ("48x64", (48, 64)), ("9999", 9999)]
)
def test_a_size_is_a_side_or_height_and_width(text, size) -> None:
    assert input_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "0", "00", "032", "-3", "3.5", "10000", "3x", "x3", "3x0", "a", "٣"]
)
def test_a_size_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        input_size(text)
    assert str(caught.value) == (
        f"--size: cannot read {text!r}\n  expected: pixels, from 1 to 9999\n"
        "  fix:      --size 64, or --size 48x64 (height x width)"
    )


@pytest.mark.parametrize(
    ("text", "found"), [("", {}), ("N=2", {"N": 2}), ("n=2, M = 0,", {"N": 2, "M": 0})]
)
def test_letters_have_whole_numbers(text, found) -> None:
    assert letters(text) == found


@pytest.mark.parametrize(
    "text", ["N", "N=", "=2", "N=-1", "N=²", "N=1.5", "N=" + "9" * 5000, "2=N"]
)
def test_letters_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        letters(text)
    assert str(caught.value) == f"--set: cannot read {text!r}\n  fix:      --set N=2,M=3,K=1"


@pytest.mark.parametrize(
    ("until", "within", "found"),
    [
        (None, None, {}),
        ("accuracy=0.99", None, {"accuracy": 0.99}),
        (" accuracy = .9 , loss=1", None, {"accuracy": 0.9, "loss": 1.0}),
        (None, "60s", {"within": 60.0}),
        (None, "1.5m", {"within": 90.0}),
        (None, "2h", {"within": 7200.0}),
        ("loss=0.05", "90", {"loss": 0.05, "within": 90.0}),
    ],
)
def test_goals(until, within, found) -> None:
    assert goal(until, within) == found


@pytest.mark.parametrize(
    "text", ["0.99", "acuracy=0.9", "accuracy=", "loss=nan", "loss=-1", "loss=1e9"]
)
def test_a_goal_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        goal(text, None)
    assert str(caught.value) == (
        f"--until: cannot read {text!r}\n  fix:      --until accuracy=0.99, or --until loss=0.05"
    )


@pytest.mark.parametrize("text", ["", "s", "soon", "5 days", "-5s", "infs", "5sm", "1e3"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        goal(None, text)
    assert str(caught.value) == (
        f"--within: cannot read {text!r}\n  fix:      --within 60s, --within 5m, or --within 1h"
    )


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (None, None),
        ("0", 0),
        ("123", 123),
        ("2G", 2**31),
        (" 1.5k ", 1536),
        ("500M", 500 * 2**20),
        ("1TiB", 2**40),
        ("7B", 7),
    ],
)
def test_sizes_on_the_disk(text, size) -> None:
    assert num_bytes(text, "--cache-limit") == size


@pytest.mark.parametrize("text", ["", "G", "-1", "1e3", "2g", "2 G", "1PB", "9" * 99, "all"])
def test_a_size_on_the_disk_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        num_bytes(text, "--cache-limit")
    assert str(caught.value) == (
        f"--cache-limit: cannot read {text!r}\n"
        "  fix:      --cache-limit 2G, --cache-limit 500M, or --cache-limit 0"
    )
