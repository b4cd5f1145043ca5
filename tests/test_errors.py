"""What an error looks like, and what the command line exits with for it."""

from __future__ import annotations

import pytest

from foveal.errors import (
    DataError,
    DisagreementError,
    FovealError,
    MachineError,
    MissingExtra,
    ModelFileError,
    NotationError,
    ShapeError,
    SpecError,
    did_you_mean,
)


def test_the_first_line_stands_alone_and_the_facts_follow() -> None:
    error = ShapeError(
        "kernel 5x5 does not fit into 3x3",
        where="layer 7 'conv3' (Conv)",
        arrives="64x3x3 from layer 6 'pool2'",
        expected="at least 5x5",
        fix="padding same,\na smaller kernel",
    )
    assert str(error) == (
        "layer 7 'conv3' (Conv): kernel 5x5 does not fit into 3x3\n"
        "  arrives:  64x3x3 from layer 6 'pool2'\n"
        "  expected: at least 5x5\n"
        "  fix:      padding same,\n"
        "            a smaller kernel"
    )
    assert error.headline() == "layer 7 'conv3' (Conv): kernel 5x5 does not fit into 3x3"
    assert [name for name, _ in error.facts()] == ["arrives", "expected", "fix"]


def test_without_a_place_the_problem_is_the_headline() -> None:
    assert str(DataError("no pictures found")) == "no pictures found"
    assert DataError("no pictures found").facts() == []


@pytest.mark.parametrize(
    ("error", "code", "builtin"),
    [
        (SpecError("x"), 2, ValueError),
        (ShapeError("x"), 2, SpecError),
        (NotationError("x", text="", offset=0), 2, SpecError),
        (ModelFileError("x"), 2, Exception),
        (DataError("x"), 2, Exception),
        (MissingExtra("x", extra="train"), 2, ImportError),
        (DisagreementError("x"), 1, Exception),
        (MachineError("x"), 3, Exception),
    ],
)
def test_exit_codes_and_family(error: FovealError, code: int, builtin: type[Exception]) -> None:
    assert isinstance(error, FovealError)
    assert isinstance(error, builtin)
    assert error.exit_code == code


def test_a_missing_extra_says_the_command() -> None:
    error = MissingExtra("training", extra="train")
    assert str(error) == "training needs the extra 'train'\n  fix:      pip install 'foveal[train]'"
    assert error.extra == "train"


def test_a_notation_error_shows_the_place() -> None:
    text = "conv 6 5\n  relu -> rellu"
    error = NotationError("unknown word 'rellu'", text=text, offset=19, fix="did you mean 'relu'?")
    assert (error.line, error.column) == (2, 11)
    assert str(error) == (
        "line 2, column 11: unknown word 'rellu'\n"
        "    relu -> rellu\n"
        "            ^\n"
        "  fix:      did you mean 'relu'?"
    )


def test_a_notation_error_at_the_end_and_in_nothing() -> None:
    assert str(NotationError("ends too early", text="conv ->", offset=7)) == (
        "line 1, column 8: ends too early\n  conv ->\n         ^"
    )
    assert str(NotationError("is empty", text="", offset=0)) == (
        "line 1, column 1: is empty\n  \n  ^"
    )


def test_a_notation_error_after_the_last_line_break() -> None:
    error = NotationError("ends too early", text="conv 6 5 ->\r\n", offset=13)
    assert str(error) == "line 2, column 1: ends too early\n  \n  ^"


def test_what_cannot_be_printed_is_a_space() -> None:
    error = NotationError("x", text="\trelu \x1b[31m\u2028 rellu\r\n", offset=14)
    assert str(error) == "line 1, column 15: x\n   relu  [31m  rellu\n                ^"


def test_a_long_line_is_shown_around_the_place() -> None:
    text = "relu -> " * 40 + "rellu" + " -> relu" * 40
    _, source, caret = str(NotationError("x", text=text, offset=320)).split("\n")
    assert len(source) == 78
    assert source[len(caret) - 1 :].startswith("rellu")


@pytest.mark.parametrize(
    ("word", "choices", "sentence"),
    [
        ("conf", ["conv", "relu"], "did you mean 'conv'?"),
        ("CONV", ["conv", "relu"], "did you mean 'conv'?"),
        ("xyz", ["conv", "relu", "conv"], "known: conv, relu"),
        ("xyz", [], ""),
        ("xyz", map(str, range(13)), ""),
    ],
)
def test_unknown_words_get_a_suggestion(word: str, choices: list[str], sentence: str) -> None:
    assert did_you_mean(word, choices) == sentence
