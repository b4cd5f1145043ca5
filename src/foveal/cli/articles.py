"""foveal articles: what three articles say of convolutional nets, checked on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from foveal.articles import Result, Statement

HOLDS, FAILS, ERRS = "✓", "✗", "≠"
SHOWN_LINES = 12
WIDTH = 100
INDENT = " " * 10


@click.command("articles")
@click.argument("ids", nargs=-1)
@click.option("--list", "listing", is_flag=True, help="List the statements, and run nothing.")
@click.option("--quick", is_flag=True, help="Leave out what trains a net.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as one line of JSON.")
def command(ids: tuple[str, ...], listing: bool, quick: bool, as_json: bool) -> int:
    """Check what three articles on convolutional nets say, on this machine.

    Every statement that Foveal can show by now is shown: ✓ it holds, ✗ it does not, ≠ the article
    errs and the right value was found. With IDS only those (`M16b`, or `M16` for all of M16), each
    with its quotation, its command and what that printed. Exits 1 if a statement does not hold.
    """
    from foveal.articles import check_all, choose, read

    chosen = choose(read(), ids)
    if listing:
        click.echo(_json(chosen, []) if as_json else _list(chosen))
        return 0
    trains = not quick and find_spec("torch") is not None
    run = [each for each in chosen if each.landed and (trains or not each.trains)]
    if not as_json:
        _announce(run, chosen, quick)
    results = []
    for name, group in groupby(check_all(run), _chapter):
        if not as_json:
            click.echo(f"\n{name}")
        for result in group:
            results.append(result)
            if not as_json:
                click.echo(_told(result, closely=bool(ids)))
    click.echo(_json(chosen, results) if as_json else _summary(chosen, results))
    return 1 if any(not result.holds for result in results) else 0


def _chapter(result: Result) -> str:
    from foveal.articles import chapter

    return chapter(result.statement)


def _announce(run: Sequence[Statement], chosen: Sequence[Statement], quick: bool) -> None:
    """What will be done, and what not and why."""
    click.echo(f"Checking {len(run)} statements of three articles on this machine.")
    training = [each for each in run if each.trains]
    if training:
        seconds = sum(each.seconds for each in training)
        click.echo(
            f"{len(training)} of them train a net, about {seconds} s on two cores "
            "(--quick leaves them out)."
        )
    left_out = sum(each.trains and each.landed for each in chosen) - len(training)
    if left_out and not quick:
        click.echo(
            f"{left_out} more train a net and are left out: training needs the extra 'train' "
            "(pip install 'foveal[train]')."
        )


def _told(result: Result, closely: bool) -> str:
    """One statement in a line; more where the article errs, something is wrong, or asked for."""
    statement = result.statement
    mark = HOLDS if statement.state != "corrected" else ERRS
    lines = [_wrapped(statement.claim, f"  {mark if result.holds else FAILS} {statement.id:<5} ")]
    if closely or statement.correction:
        lines.append(_wrapped(f"article {statement.article}: “{statement.quotation}”"))
    if statement.correction:
        lines.append(_wrapped(f"right: {statement.correction}"))
    if closely or result.problem:
        lines += _details(result)
    return "\n".join(lines)


def _details(result: Result) -> list[str]:
    statement = result.statement
    lines = [_wrapped(f"source: {statement.source}")] if statement.source else []
    if statement.command:
        lines.append(f"{INDENT}$ {statement.line}")
    if statement.python:
        lines.append(f"{INDENT}Python: foveal.articles.shown.{statement.python}()")
    printed = result.output.splitlines() if not statement.source else []
    lines += [f"{INDENT}  {line[: WIDTH * 2]}" for line in printed[:SHOWN_LINES]]
    if len(printed) > SHOWN_LINES:
        lines.append(f"{INDENT}  … {len(printed) - SHOWN_LINES} more lines")
    if result.problem:
        lines.append(_wrapped(f"but: {result.problem}"))
    return lines


def _wrapped(text: str, before: str = INDENT) -> str:
    return click.wrap_text(text, WIDTH, initial_indent=before, subsequent_indent=INDENT)


def _summary(chosen: Sequence[Statement], results: Sequence[Result]) -> str:
    held = [result for result in results if result.holds]
    errs = sum(result.statement.state == "corrected" for result in held)
    later = sum(not each.landed for each in chosen)
    parts = [f"{len(held)} of {len(results)} are as they should be"]
    if errs:
        parts.append(f"{errs} of these are errors of the articles, marked {ERRS}")
    if later:
        parts.append(f"{later} statements wait for later versions (foveal articles --list)")
    return "\n" + "; ".join(parts) + "."


def _list(statements: Iterable[Statement]) -> str:
    from foveal.articles import chapter

    lines: list[str] = []
    for name, group in groupby(statements, chapter):
        lines += ["", name]
        for each in group:
            state = f"later, step {each.step}" if not each.landed else each.state
            lines.append(f"  {each.id:<5} {state:<14} {each.claim}")
    return "\n".join(lines[1:])


def _json(chosen: Sequence[Statement], results: Sequence[Result]) -> str:
    by_id = {result.statement.id: result for result in results}
    facts = [_facts(each, by_id.get(each.id)) for each in chosen]
    failed = sum(not result.holds for result in results)
    return json.dumps(
        {"statements": facts, "checked": len(results), "failed": failed}, ensure_ascii=False
    )


def _facts(statement: Statement, result: Result | None) -> dict[str, Any]:
    return {
        "id": statement.id,
        "article": statement.article,
        "quotation": statement.quotation,
        "claim": statement.claim,
        "state": statement.state,
        "correction": statement.correction,
        "step": statement.step or None,
        "command": statement.line if statement.command else None,
        "holds": result.holds if result else None,
        "problem": result.problem if result else "",
        "seconds": round(result.seconds, 3) if result else None,
    }
