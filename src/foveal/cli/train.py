"""foveal train: from a folder of pictures to a model and a report."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from foveal.checks import Flag, OneOf, Whole
from foveal.cli.options import goal, input_size, letters, num_bytes
from foveal.cli.signals import Signals
from foveal.errors import SpecError
from foveal.recipe import KINDS, Recipe, Transfer

if TYPE_CHECKING:
    from foveal.run.results import Done


def _recipe_options(command: Any) -> Any:
    """An option for every field of recipe and transfer; what is not given, data and net decide."""
    for field in reversed((*fields(Recipe), *fields(Transfer))):
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
@click.option(
    "--pretrained",
    is_flag=False,
    flag_value="hub",
    default=None,
    help="Begin with published weights of the net: a file or folder, hub, or none.",
)
@click.option("--from", "go_on", default=None, help="Go on from a model that Foveal saved.")
@click.option("--size", default=None, help="Side of the pictures in pixels, or HEIGHTxWIDTH.")
@click.option("--balance/--no-balance", default=True, help="Weigh rare classes more.")
@click.option(
    "--group-by",
    default=None,
    help="Keep pictures together when a part is cut off: folder, time, or name:PATTERN.",
)
@click.option(
    "--recipe",
    type=click.Choice(KINDS),
    default=KINDS[0],
    show_default=True,
    help="fast: what was found best; plain: textbook SGD, three times as long.",
)
@click.option("--until", default=None, help="Stop at accuracy=0.99 or loss=0.05 of validation.")
@click.option("--within", default=None, help="Stop after so long: 60s, 5m. Not repeatable.")
@click.option("--name", default=None, help="Name of the folder in runs/classify/.")
@click.option("--runs", default="runs", show_default=True, help="Where results go.")
@click.option(
    "--cache-limit",
    default=None,
    help="Disk that decoded pictures may take: 2G, 500M, 0 (none). By default a tenth of it.",
)
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
@_recipe_options
def command(
    data: str,
    net: str | None,
    settings: str,
    pretrained: str | None,
    go_on: str | None,
    size: str | None,
    balance: bool,
    group_by: str | None,
    recipe: str,
    until: str | None,
    within: str | None,
    name: str | None,
    runs: str,
    cache_limit: str | None,
    as_json: bool,
    **changes: Any,
) -> int:
    """Train a net on the pictures of DATA and measure it.

    DATA is a folder with a folder of pictures for each class, a folder split into train and
    test, a labels.csv, an .npz file, MNIST's files, or `digits` (1,797 handwritten digits that
    come with Foveal), which is also the default.
    """
    from foveal.cli.progress import Bar
    from foveal.run.planning import plan

    _refuse_swallowed(pretrained)
    bar = Bar(sys.stderr)
    try:
        made = plan(
            data,
            net=net,
            pretrained=pretrained,
            go_on=go_on,
            size=input_size(size),
            settings=letters(settings),
            balance=balance,
            group_by=group_by,
            recipe=recipe,
            fetching=lambda done, of: bar.show("fetching weights", done / of),
            goal=goal(until, within),
            name=name,
            runs=runs,
            cache_limit=num_bytes(cache_limit, "--cache-limit"),
            **{key: value for key, value in changes.items() if value is not None},
        )
    finally:
        bar.close()
    from foveal.cli.watcher import Watcher
    from foveal.run.execution import execute
    from foveal.run.results import Done
    from foveal.training import Started

    watcher = Watcher(made, sys.stderr)
    with Signals(watcher.stopping) as signals:
        try:
            for event in execute(made, signals.stop, watcher.loading):
                watcher.see(event)
                if isinstance(event, Started):
                    signals.can_wait = True
                elif isinstance(event, Done) and as_json:
                    click.echo(json.dumps(_summary(event, made.recipe.seed)))
        finally:
            watcher.close()
    return signals.exit_code


def _refuse_swallowed(pretrained: str | None) -> None:
    """`foveal train --pretrained photos/` would be weights in photos/, and no pictures."""
    source = click.get_current_context().get_parameter_source("data")
    if pretrained is None or source is not ParameterSource.DEFAULT:
        return
    folder = Path(pretrained)
    if folder.is_dir() and not any(folder.glob("*.safetensors")):
        raise SpecError(
            "is read as the weights of --pretrained, and holds none",
            where=pretrained,
            fix=f"foveal train {shlex.quote(pretrained)} --pretrained",
        )


def _summary(done: Done, seed: int) -> dict[str, Any]:
    """The line that --json ends with."""
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
        "part": done.evaluation.part,
        "versions": done.model.about["versions"],
    }
