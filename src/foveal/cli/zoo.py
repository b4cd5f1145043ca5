"""foveal zoo: the published nets, what they cost, and each as a readable page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from foveal.cli import as_json

if TYPE_CHECKING:
    from foveal.zoo import Entry

HEADINGS = ("Name", "Input", "Params", "MACs", "Receptive field", "Memory", "Weights")


class Words(click.Group):
    """A group in which a word that is no command is the name of a net."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = args[0] in self.commands or args[0].startswith("-")
        return super().resolve_command(ctx, args if known else ["net", *args])


@click.group("zoo", cls=Words, invoke_without_command=True, subcommand_metavar="[NAME | COMMAND]")
@as_json.option
@click.pass_context
def command(ctx: click.Context) -> None:
    """List the published nets, or write out the one called NAME.

    What is written out is a `.net` file: `foveal zoo lenet5 > mine.net`. In the list the receptive
    field is that of the last maps; memory is what predicting one picture needs at once, in float32;
    weights are on a hub, have to be converted, are Foveal's own, or there are none.
    """
    if ctx.invoked_subcommand is None:
        from foveal.zoo import ENTRIES

        if as_json.wanted():
            facts = {name: _facts(name, entry) for name, entry in ENTRIES.items()}
            click.echo(json.dumps({"nets": facts}))
        else:
            click.echo(_table(ENTRIES))


@command.command("net")
@click.argument("name")
@click.option("--names", is_flag=True, help="Say what others call its tensors.")
@as_json.option
def net(name: str, names: bool) -> None:
    """Write out the net called NAME; the word `net` may be left out."""
    from foveal.errors import SpecError, did_you_mean
    from foveal.zoo import ENTRIES

    if name not in ENTRIES:
        raise SpecError("is not in the zoo", where=name, fix=did_you_mean(name, ENTRIES))
    entry = ENTRIES[name]
    if names and not entry.published:
        raise SpecError("has no published weights, so no other names", where=name)
    if names:
        rows = _names(entry)
        click.echo(json.dumps({"tensors": rows}) if as_json.wanted() else _as_table(rows))
    else:
        click.echo(json.dumps(_facts(name, entry)) if as_json.wanted() else _page(name, entry))


@command.command("convert")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Default: FILE.safetensors")
def convert(file: Path, output: Path | None) -> None:
    """Make safetensors of FILE, a .pth of PyTorch, and say which net it is for.

    A .pth is a pickle, which can run any program when it is opened. It is opened here only, in a
    process of its own that lets nothing but tensors through.
    """
    from foveal.errors import ModelFileError
    from foveal.model import conversion, pretrained
    from foveal.net.table import memory_text

    target = output or file.with_suffix(".safetensors")
    conversion.convert(file, target)
    click.echo(f"written {target} ({memory_text(target.stat().st_size)})")
    try:
        found = pretrained.read(target)
    except ModelFileError as error:
        click.echo(f"but it cannot be used as it is:\n{error}")
    else:
        click.echo(f"it is for {found.name}; to use it: foveal cache add {target}")


def _facts(name: str, entry: Entry) -> dict[str, Any]:
    """What is computed of a net, what its paper states, and where weights come from."""
    from foveal.model import hub
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
        "weights": hub.weights(name),
        "model": hub.OWN.get(name),
        "repository": hub.repository(entry),
        "cached": hub.cached(name) is not None,
        "source": entry.source,
        "about": entry.about,
        "net": net.write(),
    }


def _table(entries: dict[str, Entry]) -> str:
    """What the nets cost, and under it where each comes from and how good it was."""
    rows = [HEADINGS, *(_cells(name, _facts(name, entry)) for name, entry in entries.items())]
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
        f"own: {facts['model']}"
        if facts["model"]
        else facts["weights"] + " (cached)" * facts["cached"],
    )


def _page(name: str, entry: Entry) -> str:
    """The net as a `.net` file, its facts as comments."""
    from foveal.net.kind import shape_text

    facts = _facts(name, entry)
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


def _names(entry: Entry) -> list[dict[str, Any]]:
    """Each tensor of a net: its path, its shape, and its name by each who published weights."""
    from foveal.zoo.naming import names_table

    tables = [names_table(entry, one) for one in entry.published]
    return [
        {
            "path": alike[0][0],
            "shape": list(alike[0][2]),
            **{one.by: theirs for one, (_, theirs, _) in zip(entry.published, alike, strict=True)},
        }
        for alike in zip(*tables, strict=True)
    ]


def _as_table(rows: list[dict[str, Any]]) -> str:
    from foveal.net.kind import shape_text

    cells = [[*rows[0]], *([*{**row, "shape": shape_text(row["shape"])}.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("   ".join(map(str.ljust, line, widths)).rstrip() for line in cells)
