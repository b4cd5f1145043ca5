"""foveal predict: say what is in pictures, without PyTorch."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
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
def command(model: Path, pictures: tuple[str, ...], as_csv: bool, as_json: bool, top: int) -> int:
    """Say what MODEL sees in PICTURES: files, folders, globs, or a list.txt.

    Exits 1 if some of the pictures cannot be read, 2 if none can.
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other")
    from foveal.cli.inputs import expand
    from foveal.cli.progress import counted
    from foveal.errors import DataError
    from foveal.model import load

    # The digest of a large model leaves the interpreter free for this import, 0.05 s. Not sooner:
    # it needs NumPy, which two threads must not load at once.
    Thread(target=import_module, args=("onnxruntime",)).start()
    loaded = load(model)
    files = expand(pictures)
    width = min(WIDEST, max(len(str(file)) for file in files))
    tell = _teller(loaded.classes, as_csv, as_json, top, width)
    failed = 0
    for answer in counted(loaded.predict_all(files), len(files), "predicting"):
        if isinstance(answer, tuple):
            failed += 1
            file, error = answer
            if as_json:
                click.echo(json.dumps({"file": file, "error": error.problem}))
            print(f"{error.kind}: {error}", file=sys.stderr)
        else:
            tell(answer)
    if failed == len(files):
        return DataError.exit_code
    return 1 if failed else 0


def _teller(
    classes: tuple[str, ...], as_csv: bool, as_json: bool, top: int, width: int
) -> Callable[[Prediction], None]:
    """What prints an answer."""
    if as_json:
        return lambda answer: click.echo(json.dumps(answer.to_json()))
    return _csv_teller(classes) if as_csv else _table_teller(top, width)


def _csv_teller(classes: tuple[str, ...]) -> Callable[[Prediction], None]:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["file", "label", "probability", *classes])

    def tell(answer: Prediction) -> None:
        numbers = [f"{answer.probabilities[name]:.6f}" for name in classes]
        writer.writerow([answer.file, answer.label, f"{answer.probability:.6f}", *numbers])

    return tell


def _table_teller(top: int, width: int) -> Callable[[Prediction], None]:
    from foveal.data.names import printable

    def tell(answer: Prediction) -> None:
        ranked = sorted(answer.probabilities.items(), key=lambda pair: -pair[1])[:top]
        said = "   ".join(f"{printable(label)} {share:7.2%}" for label, share in ranked)
        click.echo(f"{printable(answer.file):<{width}}  {said}")

    return tell
