"""What the articles say: every statement that has landed is run, and the file is well formed."""

from __future__ import annotations

import json
import re
import runpy
from collections import Counter
from pathlib import Path

import pytest

from foveal.articles import STATES, Result, Statement, chapter, check, check_all, choose, read
from foveal.articles import statements as file
from foveal.articles.checking import differences, value
from foveal.articles.shown import FOLDERS, SHOWN
from foveal.cli import articles as cli
from foveal.cli import main
from foveal.errors import MachineError, SpecError

STATEMENTS = read()
LANDED = [each for each in STATEMENTS if each.landed]
TRAINED_IN_SHORT = {"M9d", "M28"}
"""Of the statements that train a net those that every run of the tests checks."""
NUMBERS = range(1, 45)
"""Of the mission's rows."""
TO_RUN_NOW = {1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 28}
"""Rows of the mission that belong to the first step."""
LONGEST_QUOTATION = 110

EASY = Statement(
    id="M16x",
    article="c",
    quotation="n",
    claim="A layer.",
    state="runs",
    command=("show", "conv 10 3", "--input", "3x39x39", "--json"),
    expected={"layers.0.parameters": 280},
)


def changed(statement: Statement, **fields: object) -> Statement:
    return Statement(**(vars(statement) | fields))


def marks(statement: Statement) -> list[pytest.MarkDecorator]:
    long = statement.trains and statement.id not in TRAINED_IN_SHORT
    return [pytest.mark.long] if long else []


@pytest.mark.parametrize(
    "statement", [pytest.param(each, id=each.id, marks=marks(each)) for each in LANDED]
)
def test_statement(statement: Statement) -> None:
    result = check(statement)
    assert result.holds, f"{statement.line}: {result.problem}\n{result.output}"


def test_ids_are_unique_and_in_order() -> None:
    ids = [each.id for each in STATEMENTS]
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    assert all(re.fullmatch(r"M\d{1,2}[a-z]?", name) for name in ids)
    keys = [(each.number, each.id) for each in STATEMENTS]
    assert keys == sorted(keys)


def test_every_row_of_the_mission_is_there() -> None:
    assert {each.number for each in STATEMENTS} == set(NUMBERS)
    assert len({chapter(each) for each in STATEMENTS}) == len(file.CHAPTERS)


def test_rows_of_the_first_step_have_landed() -> None:
    assert {each.number for each in LANDED} >= TO_RUN_NOW


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda each: each.id)
def test_statement_is_well_formed(statement: Statement) -> None:
    assert statement.state in STATES
    assert set(statement.article.split()) <= set("abc")
    assert 0 < len(statement.quotation) <= LONGEST_QUOTATION
    assert statement.claim.endswith((".", "%"))
    assert bool(statement.correction) == (statement.state == "corrected")
    assert bool(statement.step) == (statement.state == "later")
    shows = [bool(statement.command), bool(statement.python), bool(statement.source)]
    assert sum(shows) == (1 if statement.landed else 0)
    assert bool(statement.expected) == (statement.landed and not statement.source)
    if statement.source:
        assert statement.state == "corrected"


def test_what_python_shows_is_named_by_a_statement() -> None:
    assert {each.python for each in STATEMENTS} - {""} == set(SHOWN)
    assert {each.folder for each in STATEMENTS} - {""} == set(FOLDERS)


def test_a_statement_holds_only_if_all_is_as_expected() -> None:
    assert check(EASY).problem == ""
    wrong = check(changed(EASY, expected={"layers.0.parameters": 281}))
    assert (wrong.holds, wrong.problem) == (False, "layers.0.parameters is 280, not 281")
    other = check(changed(EASY, exit=2))
    assert other.problem == "exits with 0, not 2"


def test_the_first_command_that_fails_ends_it() -> None:
    result = check(changed(EASY, before=(("show", "conv"),)))
    assert result.problem == "exits with 2, not 0"
    assert result.output.startswith("NotationError: line 1, column 1: conv needs ")


def test_a_statement_about_history_holds_by_its_source() -> None:
    result = check(changed(EASY, command=(), expected="", source="Someone 1998"))
    assert result == Result(result.statement, "Someone 1998", "", 0.0)


def test_a_command_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foveal.articles.checking.LONGEST", 0.01)
    assert check(EASY).problem == "takes longer than 0.01 s"


def test_results_come_in_the_order_of_the_statements() -> None:
    wanted = [changed(EASY, id=f"M16{letter}") for letter in "dbca"]
    assert [result.statement.id for result in check_all(wanted)] == ["M16d", "M16b", "M16c", "M16a"]


@pytest.mark.parametrize(
    ("expected", "missing"),
    [
        ("n = 3", []),
        (["n = 3", "m = 4"], ["does not print 'm = 4'"]),
        ({"n": 3, "layers.-1.kind": "Conv"}, []),
        ({"n": {"at_least": 3, "at_most": 3}}, []),
        ({"n": {"at_least": 3.5}}, ["n is 3, not at least 3.5"]),
        ({"n": {"at_most": 2}}, ["n is 3, not at most 2"]),
        ({"m": {"at_most": 2}}, ["m is null, not at most 2"]),
        ({"layers.1.kind": "Conv"}, ['layers.1.kind is null, not "Conv"']),
    ],
)
def test_differences(expected: file.Expected, missing: list[str]) -> None:
    output = 'n = 3\n{"n": 3, "layers": [{"kind": "Conv"}]}\nsaid on stderr\n'
    assert differences(expected, output) == missing


def test_without_json_nothing_lies_at_a_path() -> None:
    assert differences({"n": 3}, "n = 3") == ["n is null, not 3"]
    assert value([1], "one") is None


def test_choose_takes_rows_and_statements_in_the_order_of_the_file() -> None:
    assert [each.id for each in choose(STATEMENTS, ["M16B", "m2"])] == (
        [each.id for each in STATEMENTS if each.number == 2] + ["M16b"]
    )
    assert choose(STATEMENTS, []) == STATEMENTS


def test_choose_refuses_an_unknown_id() -> None:
    with pytest.raises(SpecError) as caught:
        choose(STATEMENTS, ["M16a", "m44x"])
    assert str(caught.value) == (
        "m44x: is no statement of the articles\n  fix:      foveal articles --list"
    )


def test_a_broken_installation_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(file, "PLACES", (tmp_path / "articles.toml",))
    with pytest.raises(MachineError) as caught:
        read()
    assert str(caught.value) == (
        "articles.toml: is missing from this installation\n  fix:      install foveal again"
    )


def test_line_is_what_one_types() -> None:
    assert changed(EASY, before=(("train", "photos"),)).line == (
        'foveal train photos && foveal show "conv 10 3" --input 3x39x39 --json'
    )


def test_command_shows_some_closely(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["articles", "M4b", "M16b"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(
        "Checking 2 statements of three articles on this machine.\n\nLayers\n  ≠ M4b   At each"
    )
    assert "          article a: “After each matrix multiplication step”\n" in printed
    assert "          right: It is not a matrix multiplication" in printed
    assert "          Python: foveal.articles.shown.sum_of_products()\n" in printed
    assert "\n\nArithmetic\n  ✓ M16b  The three layers have 280, 5,020 and" in printed
    assert '          $ foveal show "conv 10 3 -> conv 20 5 stride 2 -> ' in printed
    assert printed.endswith(
        "\n2 of 2 are as they should be; 1 of these are errors of the articles, marked ≠.\n"
    )


def test_command_exits_1_if_one_does_not_hold(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = changed(EASY, id="M16y", expected="Conv2D")
    monkeypatch.setattr("foveal.articles.read", lambda: (EASY, wrong))
    assert main(["articles"]) == 1
    printed = capsys.readouterr().out
    assert "  ✓ M16x  A layer.\n  ✗ M16y  A layer.\n" in printed
    assert "          but: does not print 'Conv2D'\n" in printed
    assert printed.endswith("\n1 of 2 are as they should be.\n")


def test_command_leaves_out_training_when_asked_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trains = changed(EASY, id="M16y", seconds=7)
    monkeypatch.setattr("foveal.articles.read", lambda: (EASY, trains))
    assert main(["articles", "--quick"]) == 0
    assert "Checking 1 statements" in capsys.readouterr().out
    assert main(["articles"]) == 0
    assert "1 of them train a net, about 7 s on two cores (--quick leaves them out).\n" in (
        capsys.readouterr().out
    )


def test_command_says_that_training_needs_its_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("foveal.articles.read", lambda: (EASY, changed(EASY, id="M16y", seconds=7)))
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    assert main(["articles"]) == 0
    assert (
        "1 more train a net and are left out: training needs the extra 'train' "
        "(pip install 'foveal[train]').\n"
    ) in capsys.readouterr().out


def test_command_lists_without_running(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["articles", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Representation"
    assert sum(line.startswith("  M") for line in lines) == len(STATEMENTS)
    assert "  M21   later, step 5  The actual numbers of one's own net, weight by weight." in lines


def test_command_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["articles", "M15e", "M21", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["checked"], found["failed"]) == (1, 0)
    first, second = found["statements"]
    assert (first["id"], first["holds"], first["problem"]) == ("M15e", True, "")
    assert first["command"] == 'foveal show "conv 1 3 same" --input 1x5x5 --json'
    assert (second["id"], second["holds"], second["step"]) == ("M21", None, 5)


def test_the_page_is_that_of_the_file() -> None:
    docs = Path(__file__).parent.parent / "docs"
    made = runpy.run_path(str(docs / "make_articles.py"))["page"]()
    written = (docs / "articles.md").read_text(encoding="utf-8")
    assert written == made, "python docs/make_articles.py writes it anew"
