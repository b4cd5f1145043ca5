"""foveal cache: the weights, features and pictures that lie on this computer."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foveal.cli import as_json

if TYPE_CHECKING:
    from foveal.model.hub import Kept

HEADINGS = ("Name", "What", "Size", "Written", "From")


@click.group("cache", invoke_without_command=True)
@as_json.option
@click.pass_context
def command(ctx: click.Context) -> None:
    """List what Foveal keeps on this computer, add to it, or clear it.

    That is weights of published nets, models you added, and of pictures the features that were
    computed once and the pixels that were decoded once. It lies where FOVEAL_CACHE says, else in
    a folder of yours that the list names. Everything in it may be removed; what is needed again
    is fetched or computed again.
    """
    if ctx.invoked_subcommand is None:
        from foveal.model import hub

        _tell(hub.listing())


@command.command("add")
@click.argument("what", metavar="FILE|NAME")
@click.option("--net", "name", help="The net of the zoo that FILE holds the weights of.")
@as_json.option
def add(what: str, name: str | None) -> None:
    """Keep a copy of FILE, or fetch the weights of NAME.

    FILE is a safetensors file with the names of timm, torchvision or Keras, a folder with one, or
    a model that Foveal saved; which net it is for is found out. NAME is a net of the zoo.
    """
    from foveal.errors import SpecError, did_you_mean
    from foveal.model import hub
    from foveal.zoo import ENTRIES

    if Path(what).exists():
        path = hub.add(Path(what), name)
    elif what in ENTRIES:
        path = fetch(what)
    else:
        problem = "is neither a file nor a net of the zoo"
        raise SpecError(problem, where=what, fix=did_you_mean(what, ENTRIES))
    _tell([one for one in hub.listing() if one.path == path])


@command.command("clear")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Remove everything.")
@as_json.option
def clear(names: tuple[str, ...], everything: bool) -> None:
    """Remove what is called NAME, or everything with --all.

    `features` stands for all features of pictures, `pictures` for all decoded pictures.
    """
    from foveal.errors import SpecError
    from foveal.model import hub

    if bool(names) == everything:
        raise SpecError("what is to go?", where="clear", fix="foveal cache clear NAME, or --all")
    _tell(hub.clear(None if everything else names), "removed from")


def fetch(name: str) -> Path:
    """The weights of a net of the zoo, under a bar on stderr while they are downloaded."""
    from foveal.cli.progress import Bar, in_words
    from foveal.model import hub
    from foveal.net.table import memory_text

    bar, began = Bar(sys.stderr), time.monotonic()
    first: int | None = None

    def show(done: int, total: int) -> None:
        nonlocal first
        first = done if first is None else first
        left = f"{memory_text(done)} of {memory_text(total)}"
        if done > first:
            rest = (time.monotonic() - began) * (total - done) / (done - first)
            left += f", {in_words(rest)} left"
        bar.show(name, done / total, left)

    try:
        return hub.fetch(name, show)
    finally:
        bar.close()


def _tell(things: list[Kept], done: str = "in") -> None:
    """A table of things, and what they come to."""
    from foveal import cache
    from foveal.net.table import memory_text

    folder, total = cache.folder(), sum(one.bytes for one in things)
    if as_json.wanted():
        rows = [{**asdict(one), "path": str(one.path)} for one in things]
        click.echo(json.dumps({"folder": str(folder), "bytes": total, "things": rows}))
    elif not things:
        click.echo(f"nothing {done} {folder}")
    else:
        table = [HEADINGS, *map(_cells, things)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for row in table:
            click.echo("   ".join(map(str.ljust, row, widths)).rstrip())
        count = "1 thing" if len(things) == 1 else f"{len(things):,} things"
        click.echo(f"\n{count}, {memory_text(total)}, {done} {folder}")


def _cells(one: Kept) -> tuple[str, ...]:
    from foveal.net.table import memory_text

    written = time.strftime("%Y-%m-%d", time.localtime(one.when))
    return one.name, one.what, memory_text(one.bytes), written, one.origin
