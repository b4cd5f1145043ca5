"""foveal evaluate: measure a model on pictures with known answers."""

from __future__ import annotations

import json
from pathlib import Path

import click

from foveal.cli.options import unsure_below_option

SHOWN = 10
"""Wrong answers in the terminal."""


@click.command("evaluate")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--wrong", "wrong_csv", default=None, help="Write the wrong answers to this CSV.")
@unsure_below_option
def command(
    model: Path, data: str, as_json: bool, wrong_csv: str | None, unsure_below: float
) -> int:
    """Measure MODEL on DATA: its test part, or all of it if it has none.

    If MODEL learned from DATA, only the pictures that were kept aside then are used. The folders
    of DATA must bear the class names of the model.
    """
    from foveal.data.names import printable
    from foveal.model import load, twins

    asked = load(model)
    if asked.knows(data) and (twin := twins.measured(Path(model))) != Path(model):
        click.echo(
            f"{Path(model).name} has learned from all of these pictures: {twin.name}, beside it, "
            "is asked about those that were kept aside",
            err=True,
        )
        asked = load(twin)
    evaluation = asked.evaluate(data, unsure_below=unsure_below)
    if wrong_csv is not None:
        from foveal.report import write_wrong_csv

        write_wrong_csv(Path(wrong_csv), evaluation)
    if as_json:
        click.echo(json.dumps(evaluation.to_json()))
        return 0
    low, high = evaluation.accuracy_interval
    baseline = evaluation.baseline
    if evaluation.part == "validation":
        click.echo("on the validation part, which the model did not learn from")
    click.echo(
        f"accuracy  {evaluation.accuracy:.2%} of {evaluation.n:,} pictures "
        f"(95 % interval {low:.1%} to {high:.1%}); always '{printable(baseline.name)}': "
        f"{baseline.accuracy:.1%}"
    )
    click.echo(f"loss      {evaluation.loss:.4f} (cross-entropy, nats)")
    sure = evaluation.sure
    right = f", {sure.num_right:,} of them right ({sure.num_right / sure.n:.1%})" if sure.n else ""
    click.echo(f"sure      of {sure.n:,} (probability from {sure.threshold:.0%}){right}")
    click.echo(
        f"trust     probabilities are off by {evaluation.calibration_error:.1%} on average "
        "(expected calibration error)"
    )
    for wrong in evaluation.wrong[:SHOWN]:
        truth, answer = printable(wrong.truth), printable(wrong.answer)
        click.echo(f"  {wrong.file}: {truth}, taken for {answer} {wrong.probability:.1%}")
    if len(evaluation.wrong) > SHOWN:
        more = len(evaluation.wrong) - SHOWN
        click.echo(f"  … and {more:,} more (--wrong FILE.csv writes all)")
    return 0
