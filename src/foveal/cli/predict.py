"""foveal predict: say what is in pictures, without PyTorch."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from foveal.tasks.classify import Prediction


@click.command("predict")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("pictures", nargs=-1, required=True)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, a column per class.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON per picture.")
@click.option("--top", default=1, show_default=True, help="How many classes the table shows.")
def command(model: Path, pictures: tuple[str, ...], as_csv: bool, as_json: bool, top: int) -> int:
    """Say what MODEL sees in PICTURES: files, folders, globs, or a list.txt.

    Exits 1 if some of the pictures cannot be read, 2 if none can.
    """
    from foveal.cli.inputs import expand
    from foveal.errors import DataError
    from foveal.model import load

    files = expand(pictures)
    loaded = load(model)
    printer = _printer(as_csv, as_json, top, loaded.classes, max(len(str(f)) for f in files))
    failed = 0
    for answer in loaded.predict_all(files):
        if isinstance(answer, tuple):
            failed += 1
            file, error = answer
            if as_json:
                click.echo(json.dumps({"file": file, "error": error.problem}))
            click.echo(f"{type(error).__name__}: {error}", err=True)
        else:
            printer(answer)
    if failed == len(files) > 0:
        return DataError.exit_code
    return 1 if failed else 0


def _printer(
    as_csv: bool, as_json: bool, top: int, classes: tuple[str, ...], width: int
) -> Callable[[Prediction], None]:
    if as_json:
        return lambda answer: click.echo(json.dumps(answer.to_json()))
    if as_csv:
        return _csv_printer(sys.stdout, classes)

    def table(answer: Prediction) -> None:
        ranked = sorted(answer.probabilities.items(), key=lambda pair: -pair[1])[:top]
        said = "   ".join(f"{label} {probability:7.2%}" for label, probability in ranked)
        click.echo(f"{answer.file:<{min(width, 60)}}  {said}")

    return table


def _csv_printer(out: TextIO, classes: tuple[str, ...]) -> Callable[[Prediction], None]:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["file", "label", "probability", *classes])

    def row(answer: Prediction) -> None:
        numbers = [f"{answer.probabilities[name]:.6f}" for name in classes]
        writer.writerow([answer.file, answer.label, f"{answer.probability:.6f}", *numbers])

    return row
