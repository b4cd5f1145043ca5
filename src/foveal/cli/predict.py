"""foveal predict: say what is in pictures, without PyTorch."""

from __future__ import annotations

import csv
import json
import shlex
import sys
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import click

from foveal.cli.options import unsure_below_option

if TYPE_CHECKING:
    from foveal.data.sorting import Sorter
    from foveal.tasks.classify import Prediction

WIDEST = 60
"""Columns for the file's name in the table."""


@click.command("predict")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("pictures", nargs=-1, required=True)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, a column per class.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON per picture.")
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many classes the table shows.",
)
@unsure_below_option
@click.option("--sort-into", type=click.Path(path_type=Path), help="Sort into class folders here.")
@click.option("--link/--copy", help="Sort symbolic links, or copies.  [default: copy]")
def command(
    model: Path,
    pictures: tuple[str, ...],
    as_csv: bool,
    as_json: bool,
    top: int,
    unsure_below: float,
    sort_into: Path | None,
    link: bool,
) -> int:
    """Say what MODEL sees in PICTURES: files, folders, globs, or a list.txt.

    With --sort-into DIR each picture is copied into a folder of DIR that is named like its
    class, or into `unsure`. The originals stay, nothing is overwritten, and `foveal undo` takes
    it back.

    Exits 1 if some of the pictures cannot be read, 2 if none can.
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other")
    if sort_into is None and link:
        raise click.UsageError("--link needs --sort-into")
    from foveal.cli.inputs import expand
    from foveal.cli.progress import counted
    from foveal.errors import DataError
    from foveal.model import load

    # The digest of a large model leaves the interpreter free for this import, 0.05 s. Not sooner:
    # it needs NumPy, which two threads must not load at once.
    Thread(target=import_module, args=("onnxruntime",)).start()
    loaded = load(model)
    files = expand(pictures)
    sorter = None
    if sort_into is not None:
        from foveal.data.sorting import Sorter, outside

        files = outside(files, sort_into)
        sorter = Sorter(sort_into, loaded.classes, link=link)
    shown = sorter is None or as_csv or as_json
    width = min(WIDEST, max(len(str(file)) for file in files))
    tell = _teller(loaded.classes, as_csv, as_json, top, width)
    failed = 0
    answers = loaded.predict_all(files, unsure_below=unsure_below)
    try:
        with sorter or nullcontext():
            for answer in counted(answers, len(files), "predicting", printed=shown):
                if isinstance(answer, tuple):
                    failed += 1
                    file, error = answer
                    if as_json:
                        click.echo(json.dumps({"file": file, "error": error.problem}))
                    print(f"{error.kind}: {error}", file=sys.stderr)
                    continue
                if shown:
                    tell(answer)
                if sorter is not None:
                    sorter.add(answer.file, None if answer.unsure else answer.label)
    finally:  # who interrupts it wants to know how to take it back, too
        if sorter is not None:
            click.echo(_told(sorter), err=as_csv or as_json)
    if failed == len(files):
        return DataError.exit_code
    return 1 if failed else 0


def _told(sorter: Sorter) -> str:
    """What a sorter has done, and how to take it back."""
    from foveal.data.names import printable

    if not sorter.counts:
        return "nothing was sorted"
    listed = ", ".join(f"{place} {count:,}" for place, count in sorted(sorter.counts.items()))
    again = f" ({sorter.num_again:,} more came twice)" if sorter.num_again else ""
    undo = shlex.join(["foveal", "undo", str(sorter.list)])
    said = f"sorted into {sorter.folder}: {listed}{again}"
    return f"{printable(said)}\ntake it back: {printable(undo)}"


def _teller(
    classes: tuple[str, ...], as_csv: bool, as_json: bool, top: int, width: int
) -> Callable[[Prediction], None]:
    """What prints an answer."""
    if as_json:
        return lambda answer: click.echo(json.dumps(answer.to_json()))
    return _csv_teller(classes) if as_csv else _table_teller(top, width)


def _csv_teller(classes: tuple[str, ...]) -> Callable[[Prediction], None]:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["file", "label", "probability", "unsure", *classes])

    def tell(answer: Prediction) -> None:
        numbers = [f"{answer.probabilities[name]:.6f}" for name in classes]
        unsure = "yes" if answer.unsure else "no"
        writer.writerow([answer.file, answer.label, f"{answer.probability:.6f}", unsure, *numbers])

    return tell


def _table_teller(top: int, width: int) -> Callable[[Prediction], None]:
    from foveal.data.names import printable

    def tell(answer: Prediction) -> None:
        ranked = sorted(answer.probabilities.items(), key=lambda pair: -pair[1])[:top]
        said = "   ".join(f"{printable(label)} {share:7.2%}" for label, share in ranked)
        mark = "   unsure" if answer.unsure else ""
        click.echo(f"{printable(answer.file):<{width}}  {said}{mark}")

    return tell
