"""foveal undo: take back what sorting made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from foveal.data.undo import Made

SHOWN = 20


@click.command("undo")
@click.argument("list", metavar="LIST", type=click.Path(path_type=Path))
def command(list: Path) -> int:
    """Remove the copies and links on LIST, the `undo.jsonl` of a folder of sorted pictures.

    What was changed or added since stays, and is said; so do the originals. Exits 1 if
    something stays.
    """
    from foveal.cli.progress import counted
    from foveal.data.names import printable
    from foveal.data.undo import undo

    def watched(files: Sequence[Made]) -> Iterable[Made]:
        return counted(files, len(files), "taking back", printed=False)

    done = undo(list, watched)
    gone = f" (gone already: {done.num_gone:,})" if done.num_gone else ""
    click.echo(f"pictures taken back: {done.num_removed:,}{gone}")
    for path, reason in done.left[:SHOWN]:
        click.echo(f"  stays: {printable(path)} {reason}")
    if len(done.left) > SHOWN:
        click.echo(f"  … and {len(done.left) - SHOWN:,} more")
    return 1 if done.left else 0
