"""Constraints as data: what is accepted, the sentence, the text and back."""

from __future__ import annotations

import math

import pytest

from foveal.checks import (
    LARGEST,
    Constraint,
    Fill,
    Flag,
    Numbers,
    OneOf,
    Optional,
    Padding,
    Real,
    Size,
    Whole,
    Wholes,
    accept,
)
from foveal.errors import SpecError

PADDING = "valid, same, same_lower, a whole number from 0, or one per axis such as 1x2 or 1:2x0:1"
SENTENCES: list[tuple[Constraint, str]] = [
    (Whole(), "a whole number from 1"),
    (Whole(0), "a whole number from 0"),
    (Real(), "a finite number"),
    (Real(0), "a number from 0"),
    (Real(0, above=True), "a number above 0"),
    (Real(0, 1), "a number from 0 to 1"),
    (Real(0, 1, below=True), "a number from 0 to below 1"),
    (Real(0.5, 1, above=True), "a number above 0.5 to 1"),
    (Flag(), "true or false"),
    (OneOf(("sgd", "adamw")), "one of sgd, adamw"),
    (Size(), "a whole number from 1, or one per axis such as 3x5"),
    (Padding(), PADDING),
    (Padding(()), "a whole number from 0, or one per axis such as 1x2 or 1:2x0:1"),
    (Fill(), "a number, or reflect, replicate, circular"),
    (Wholes(), "a list of whole numbers from 0 such as 0 or 0,1,2"),
    (Numbers(), "a list of numbers such as 0.5 or 0.4,0.5,0.6"),
    (Numbers(above=0), "a list of numbers above 0 such as 0.5 or 0.4,0.5,0.6"),
    (Optional(Whole()), "a whole number from 1, or unset"),
]


@pytest.mark.parametrize(("constraint", "sentence"), SENTENCES)
def test_sentence(constraint: Constraint, sentence: str) -> None:
    assert constraint.sentence() == sentence


@pytest.mark.parametrize("constraint", [constraint for constraint, _ in SENTENCES])
def test_bad_values_are_refused_with_the_sentence(constraint: Constraint) -> None:
    assert constraint.bad_values()
    for bad in constraint.bad_values():
        with pytest.raises(SpecError) as caught:
            accept("conv", "stride", constraint, bad)
        assert str(caught.value) == f"conv stride: must be {constraint.sentence()}, not {bad!r}"


ACCEPTED: list[tuple[Constraint, object, object]] = [
    (Whole(), 1, 1),
    (Whole(), LARGEST, LARGEST),
    (Real(0, 1), 1, 1.0),
    (Real(0, 1, below=True), 0, 0.0),
    (Flag(), False, False),
    (OneOf(("sgd", "adamw")), "sgd", "sgd"),
    (Size(), 3, 3),
    (Size(), [3, 5], (3, 5)),
    (Size(), (3,), 3),
    (Padding(), "same", "same"),
    (Padding(), 0, 0),
    (Padding(), (1, (0, 2)), (1, (0, 2))),
    (Padding(), [[0, 2]], ((0, 2),)),
    (Padding(), (1,), 1),
    (Fill(), 1, 1.0),
    (Fill(), "reflect", "reflect"),
    (Wholes(), 2, (2,)),
    (Wholes(), [2, 0, 2], (2, 0, 2)),
    (Numbers(), 1, (1.0,)),
    (Numbers(), [0.5, 2], (0.5, 2.0)),
    (Optional(Whole()), None, None),
    (Optional(Whole()), 2, 2),
]


@pytest.mark.parametrize(("constraint", "given", "canonical"), ACCEPTED)
def test_values_are_brought_into_one_form(
    constraint: Constraint, given: object, canonical: object
) -> None:
    assert accept("x", "y", constraint, given) == canonical
    assert constraint.accept(canonical) == canonical


@pytest.mark.parametrize(
    ("constraint", "text", "value"),
    [
        (Whole(), "12", 12),
        (Real(), "1e-05", 1e-5),
        (Real(), "0.1", 0.1),
        (Real(), "3", 3.0),
        (OneOf(("sgd", "adamw")), "adamw", "adamw"),
        (Size(), "3", 3),
        (Size(), "3x5x7", (3, 5, 7)),
        (Padding(), "same", "same"),
        (Padding(), "2", 2),
        (Padding(), "1x2", (1, 2)),
        (Padding(), "1:2x0", ((1, 2), 0)),
        (Padding(), "1:2", ((1, 2),)),
        (Fill(), "-0.5", -0.5),
        (Fill(), "circular", "circular"),
        (Wholes(), "0,2,1", (0, 2, 1)),
        (Numbers(), "0.485,2", (0.485, 2.0)),
        (Optional(Size()), "3x5", (3, 5)),
    ],
)
def test_text_and_value_are_each_others_inverse(
    constraint: Constraint, text: str, value: object
) -> None:
    assert constraint.read(text) == value
    assert constraint.write(value) == text


@pytest.mark.parametrize(
    ("constraint", "text"),
    [
        (Whole(), "1.5"),
        (Whole(), "x"),
        (Whole(), "1_000"),
        (Real(), "nan"),
        (Real(), "1e999"),
        (OneOf(("sgd", "adamw")), "SGD"),
        (Size(), "3x"),
        (Size(), "1x1x1x1"),
        (Padding(), "1:2:3"),
        (Padding(), "none"),
        (Padding(()), "same"),
        (Fill(), "mirror"),
        (Wholes(), "1.5"),
        (Numbers(), "1,,2"),
    ],
)
def test_other_text_is_refused(constraint: Constraint, text: str) -> None:
    with pytest.raises(ValueError):
        constraint.read(text)


def test_words_may_stand_without_the_fields_name() -> None:
    assert Optional(Padding()).words == ("valid", "same", "same_lower")
    assert Fill().words == ("reflect", "replicate", "circular")
    assert Whole().words == ()


@pytest.mark.parametrize("constraint", [Numbers(), Wholes()])
def test_a_list_that_is_no_tuple_cannot_be_written(constraint: Constraint) -> None:
    with pytest.raises(TypeError) as caught:
        constraint.write(0.5)
    assert str(caught.value) == "a list of numbers is a tuple, not 0.5"


def test_infinity_is_no_number() -> None:
    with pytest.raises(ValueError):
        Real().accept(math.inf)
