"""foveal bench: how fast this computer is, beside others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from foveal.bench import Figure, Recorded

WIDTHS = (36, 22, 20, 5)
"""Of the columns: what, its median, its range, how often it was measured."""


@click.command("bench")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "as_json", is_flag=True, help="Print everything as one line of JSON.")
def command(names: tuple[str, ...], as_json: bool) -> None:
    """Measure how fast this computer is, in about a minute, and compare it with others.

    Without NAME everything is measured: `matrix`, the product of two matrices, which no net can
    beat; `digits`, a training from beginning to end; `training`, pictures that two nets learn from;
    `predict`, answers about one picture after another. Other work on the computer makes all of
    them slower.
    """
    from foveal.bench import choose, machines, name_of
    from foveal.errors import MissingExtra
    from foveal.run.waiting import wait_patiently

    chosen = choose(names)
    if find_spec("torch") is None:
        raise MissingExtra("benchmarking", extra="train")
    wait_patiently()
    others = machines()
    here = _here()
    if not as_json:
        click.echo(f"{name_of(here)}\n")
        click.echo(_row("", "median", "range", "n", [f"[{n + 1}]" for n in range(len(others))]))
    figures = []
    for measure in chosen.values():
        for figure in measure():
            figures.append(figure)
            if not as_json:
                click.echo(_line(figure, others))
    if as_json:
        click.echo(_json(here, figures, others))
    elif others:
        click.echo(_legend(others))


def _here() -> dict[str, object]:
    """What this computer is, and which day it is."""
    from datetime import date

    from foveal.bench import processor
    from foveal.engines.pytorch.machine import Machine
    from foveal.run.versions import versions

    found = Machine.find()
    return {
        "date": date.today().isoformat(),
        "processor": processor(),
        "device": found.name(),
        "precision": found.precision,
        "versions": versions(),
    }


def _line(figure: Figure, others: Sequence[Recorded]) -> str:
    low, high = (_number(bound) for bound in figure.range)
    return _row(
        figure.what if figure.better else f"  {figure.what}",
        f"{_number(figure.median)} {figure.unit}",
        "" if len(figure.values) == 1 else f"{low} – {high}",
        str(len(figure.values)),
        [_compared(figure, other) for other in others],
    )


def _compared(figure: Figure, other: Recorded) -> str:
    times = _times(figure, other)
    return "" if times is None else f"{times:.2f}×"


def _times(figure: Figure, other: Recorded) -> float | None:
    """How many times as fast this computer is as another that was measured in the same way."""
    measured = other.figures.get(figure.name)
    return None if measured is None else figure.times_as_fast_as(measured)


def _row(what: str, median: str, between: str, n: str, compared: Sequence[str]) -> str:
    first, *rest = WIDTHS
    cells = [what.ljust(first), *map(str.rjust, (median, between, n), rest)]
    return "".join([*cells, *(cell.rjust(9) for cell in compared)]).rstrip()


def _number(value: float) -> str:
    """Three digits that count, and no fewer than stand before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _legend(others: Sequence[Recorded]) -> str:
    lines = ["", "so many times as fast as:"]
    for number, other in enumerate(others, start=1):
        versions = ", ".join(f"{name} {text}" for name, text in other.versions.items())
        lines.append(f"[{number}] {other.name} ({other.date}: {versions})")
    return "\n".join(lines)


def _json(here: dict[str, object], figures: Sequence[Figure], others: Sequence[Recorded]) -> str:
    compared = {
        other.name: {
            figure.name: times for figure in figures if (times := _times(figure, other)) is not None
        }
        for other in others
    }
    measured = {figure.name: figure.facts() for figure in figures}
    return json.dumps({**here, "figures": measured, "times_as_fast_as": compared})
