"""foveal zoo: the published nets, what they cost, and each as a readable page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from foveal.zoo import Entry

HEADINGS = ("Name", "Input", "Params", "MACs", "Receptive field", "Memory")


@click.command("zoo")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(name: str | None, as_json: bool) -> None:
    """List the published nets, or write out the one called NAME.

    What is written out is a `.net` file: `foveal zoo lenet5 > mine.net`. The receptive field is
    that of the last maps; memory is what predicting one picture needs at once, in float32.
    """
    from foveal.errors import SpecError, did_you_mean
    from foveal.zoo import ENTRIES

    if name is not None and name not in ENTRIES:
        raise SpecError("is not in the zoo", where=name, fix=did_you_mean(name, ENTRIES))
    if as_json:
        facts = {each: _facts(entry) for each, entry in ENTRIES.items() if name in (None, each)}
        click.echo(json.dumps({"nets": facts} if name is None else facts[name]))
    elif name is None:
        click.echo(_table(ENTRIES))
    else:
        click.echo(_page(name, ENTRIES[name]))


def _facts(entry: Entry) -> dict[str, Any]:
    """What is computed of a net, and what its paper states."""
    from foveal.net.arithmetic import arithmetic

    net = entry.build(entry.input, entry.num_classes)
    found = arithmetic(net.bind(entry.input))
    fields = [row.receptive_field for row in found.rows if not row.whole_picture]
    field = next((field for field in reversed(fields) if field), None)
    return {
        "input": list(entry.input),
        "num_classes": entry.num_classes,
        "parameters": found.parameters,
        "macs": found.macs,
        "receptive_field": list(field) if field else None,
        "memory": found.peak_memory,
        "accuracy": entry.accuracy,
        "source": entry.source,
        "about": entry.about,
        "net": net.write(),
    }


def _table(entries: dict[str, Entry]) -> str:
    """What the nets cost, and under it where each comes from and how good it was."""
    rows = [HEADINGS, *(_cells(name, _facts(entry)) for name, entry in entries.items())]
    name, *widths = (max(map(len, column)) for column in zip(*rows, strict=True))
    heading, *lines = (
        "   ".join([row[0].ljust(name), *map(str.rjust, row[1:], widths)]) for row in rows
    )
    sources = [
        f"{each:<{name}}   {', '.join(filter(None, (entry.accuracy, entry.source)))}"
        for each, entry in entries.items()
    ]
    return "\n".join([heading, "─" * len(heading), *lines, "", *sources])


def _cells(name: str, facts: dict[str, Any]) -> tuple[str, ...]:
    from foveal.net.kind import shape_text
    from foveal.net.table import memory_text

    field = facts["receptive_field"]
    return (
        name,
        shape_text(facts["input"]),
        f"{facts['parameters']:,}",
        f"{facts['macs']:,}",
        shape_text(field) if field else "whole picture",
        memory_text(facts["memory"]),
    )


def _page(name: str, entry: Entry) -> str:
    """The net as a `.net` file, its facts as comments."""
    from foveal.net.kind import shape_text

    facts = _facts(entry)
    made_for = f"made for {shape_text(entry.input)} and {entry.num_classes:,} classes"
    published = entry.accuracy or "no accuracy"
    return "\n".join(
        [
            f"# {name}: {entry.about}",
            f"# {entry.source}; published: {published}",
            f"# {made_for}: {facts['parameters']:,} parameters",
            facts["net"],
        ]
    )
