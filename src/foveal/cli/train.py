"""foveal train: from a folder of pictures to a model and a report."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import fields
from types import FrameType
from typing import Any

import click

from foveal.checks import Flag, OneOf, Whole
from foveal.cli.options import input_size, letters
from foveal.recipe import Recipe


def _recipe_options(command: Any) -> Any:
    """An option for every field of the recipe; what is not given, data and net decide."""
    for field in reversed(fields(Recipe)):
        constraint = field.metadata["constraint"]
        name = field.name.replace("_", "-")
        option: dict[str, Any] = {"help": field.metadata["help"], "default": None}
        if isinstance(constraint, Flag):
            declaration = f"--{name}/--no-{name}"
        elif isinstance(constraint, OneOf):
            declaration, option["type"] = f"--{name}", click.Choice(constraint.words)
        else:
            declaration = f"--{name}"
            option["type"] = int if isinstance(constraint, Whole) else float
        command = click.option(declaration, field.name, **option)(command)
    return command


@click.command("train")
@click.argument("data", default="digits")
@click.option("--net", default=None, help="A name of the zoo, a .net file, or notation.")
@click.option("--set", "settings", default="", help="Letters of a pattern: N=2,M=3,K=1.")
@click.option("--size", default=None, help="Side of the pictures in pixels, or HEIGHTxWIDTH.")
@click.option("--until", default=None, help="Stop at accuracy=0.99 or loss=0.05 of validation.")
@click.option("--within", default=None, help="Stop after so long: 60s, 5m. Not repeatable.")
@click.option("--name", default=None, help="Name of the folder in runs/classify/.")
@click.option("--runs", default="runs", show_default=True, help="Where results go.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
@_recipe_options
def command(
    data: str,
    net: str | None,
    settings: str,
    size: str | None,
    until: str | None,
    within: str | None,
    name: str | None,
    runs: str,
    as_json: bool,
    **changes: Any,
) -> int:
    """Train a net on the pictures of DATA and measure it.

    DATA is a folder with a folder of pictures for each class, a folder split into train and
    test, a labels.csv, an .npz file, MNIST's files, or `digits` (1,797 handwritten digits that
    come with Foveal), which is also the default.
    """
    from foveal.run.planning import plan
    from foveal.run.trunk import DEFAULT_NET

    made = plan(
        data,
        net=net or DEFAULT_NET,
        size=input_size(size),
        settings=letters(settings),
        goal=_goal(until, within),
        name=name,
        runs=runs,
        **{key: value for key, value in changes.items() if value is not None},
    )
    from foveal.cli.progress import Watcher
    from foveal.run.execution import Done, execute

    asked: list[int] = []
    previous = {number: signal.signal(number, _asker(asked)) for number in _signals()}
    watcher = Watcher(made, sys.stderr)
    try:
        for event in execute(made, stop=lambda: bool(asked), loading=watcher.loading):
            watcher.see(event)
            if isinstance(event, Done) and as_json:
                click.echo(json.dumps(_summary(event, made.recipe.seed)))
    finally:
        watcher.close()
        for number, handler in previous.items():
            signal.signal(number, handler)
    return 128 + asked[0] if asked else 0


def _signals() -> tuple[int, ...]:
    return (signal.SIGINT, signal.SIGTERM)


def _asker(asked: list[int]) -> Any:
    """Ends the training after the step at hand; a second signal stops at once."""

    def handle(number: int, frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        click.echo("\nfinishing this step, then saving; once more stops at once", err=True)

    return handle


def _goal(until: str | None, within: str | None) -> Any:
    """The goal that --until and --within say."""
    from foveal.errors import SpecError
    from foveal.training import Goal

    wishes: dict[str, float] = {}
    for wish in filter(None, (until or "").split(",")):
        name, _, value = wish.partition("=")
        try:
            wishes[{"accuracy": "accuracy", "loss": "loss"}[name.strip()]] = float(value)
        except (KeyError, ValueError):
            raise SpecError(
                f"cannot read {wish!r}", where="--until", fix="accuracy=0.99 or loss=0.05"
            ) from None
    if within is not None:
        wishes["within"] = _seconds(within)
    return Goal(**wishes)


def _seconds(text: str) -> float:
    from foveal.errors import SpecError

    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    number, unit = (text[:-1], text[-1]) if text[-1:] in units else (text, "s")
    try:
        return float(number) * units[unit]
    except ValueError:
        raise SpecError(f"cannot read {text!r}", where="--within", fix="60s, 5m or 1h") from None


def _summary(done: Any, seed: int) -> dict[str, Any]:
    """The line that --json ends with."""
    about = done.model.about
    return {
        "model": str(done.model_path),
        "accuracy": done.evaluation.accuracy,
        "loss": done.evaluation.loss,
        "epochs": len(done.finished.epochs),
        "train_seconds": round(done.train_seconds, 3),
        "total_seconds": round(done.total_seconds, 3),
        "device": done.started.device,
        "precision": done.started.precision,
        "seed": seed,
        "n_train": done.n_train,
        "n_test": done.evaluation.n,
        "versions": about["versions"],
    }
