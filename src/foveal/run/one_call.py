"""`foveal.train`: one call from a data set to a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from foveal.errors import FovealError
from foveal.model import Model
from foveal.net import Net
from foveal.recipe import FAST, Goal
from foveal.run.planning import plan
from foveal.run.trunk import Size


def train(
    source: str | Path = "digits",
    *,
    net: Net | str | None = None,
    pretrained: str | Path | None = None,
    go_on: str | Path | None = None,
    size: Size | None = None,
    settings: Mapping[str, int] | None = None,
    balance: bool = True,
    group_by: str | None = None,
    recipe: str = FAST,
    goal: Goal | Mapping[str, float] | None = None,
    name: str | None = None,
    runs: str | Path = "runs",
    cache_limit: int | None = None,
    watch: Callable[[Any], None] | None = None,
    **changes: Any,
) -> Model:
    """Train a classifier on a folder of pictures, and return it.

    `source` is a folder with a folder of pictures for each class (or one of the other layouts
    that `foveal data check` explains), or `digits`. Everything else has a default. `net` is a Net,
    a name of the zoo, a `.net` file or notation; `pretrained` published weights to begin with: a
    file or folder, "hub" to fetch them, or "none"; `go_on` a model of Foveal's to go on from.
    Unless they are given, few photographs begin with what the cache or the hub has. `size` is the
    side of the pictures in pixels; `balance` lets rare classes count more; `group_by` keeps
    pictures together when a part is cut off (`folder`, `time`, `name:PATTERN`); `recipe` is
    "fast", or "plain" for textbook SGD; `goal` is what may end it sooner, such as
    `{"accuracy": 0.99}` or `{"within": 60}`; `cache_limit` the bytes that decoded pictures may
    take on the disk (a tenth of what is free); `changes` are fields of `foveal.Recipe`, such as
    `epochs=5`, or of `foveal.Transfer`, such as `thaw=0`. `watch` is called with every record of
    what happens. Model, report and tables lie in a new folder `runs/classify/…`.

    Raises: DataError, SpecError or NotationError if data, net or options cannot be used;
            MissingExtra without PyTorch; MachineError if the disk refuses
    """
    made = plan(
        source,
        net=net,
        pretrained=pretrained,
        go_on=go_on,
        size=size,
        settings=settings,
        balance=balance,
        group_by=group_by,
        recipe=recipe,
        goal=goal,
        name=name,
        runs=runs,
        cache_limit=cache_limit,
        **changes,
    )
    from foveal.run.execution import execute
    from foveal.run.results import Done

    for event in execute(made):
        if watch is not None:
            watch(event)
        if isinstance(event, Done):
            return event.model
    raise FovealError("the training ended without a result")
