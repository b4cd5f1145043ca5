"""What a training will do, decided before anything is decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from foveal.errors import MissingExtra
from foveal.net import Net
from foveal.recipe import Recipe
from foveal.run import trunk
from foveal.run.trunk import Size
from foveal.zoo import ENTRIES

if TYPE_CHECKING:
    from foveal.data.dataset import Dataset
    from foveal.training import Goal


@dataclass(frozen=True)
class Plan:
    """Data, net and recipe of one training."""

    data: Dataset
    net: Net
    """From normalised picture to scores."""
    net_name: str
    size: Size
    recipe: Recipe
    goal: Goal
    folder: Path
    """Where the results go; made when the training begins."""
    asked: Mapping[str, Any]
    """The arguments as they were given."""
    began: float
    """Reading of the monotonic clock, seconds."""


def plan(
    source: str | Path = "digits",
    *,
    net: Net | str = trunk.DEFAULT_NET,
    size: Size | None = None,
    settings: Mapping[str, int] | None = None,
    goal: Goal | None = None,
    name: str | None = None,
    runs: str | Path = "runs",
    **changes: Any,
) -> Plan:
    """Open the data and settle net, size and recipe. `changes` are fields of `Recipe`.

    Raises: DataError, SpecError or NotationError, before anything is decoded or written;
            MissingExtra without PyTorch
    """
    began = monotonic()
    from foveal import data

    try:
        from foveal.training import Goal, choose
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtra("training", extra="train") from error

    opened = data.open(source, seed=changes.get("seed", 0))
    chosen = trunk.choose_size(opened, net, size)
    height, width = chosen if isinstance(chosen, tuple) else (chosen, chosen)
    shape = (opened.channels, height, width)
    built = trunk.build(net, shape, len(opened.classes), settings or {})
    recipe = replace(choose(len(opened.train), shape, built), **changes)
    net_name = net if isinstance(net, str) and net in ENTRIES else "net"
    return Plan(
        data=opened,
        net=built,
        net_name=net_name,
        size=chosen,
        recipe=recipe,
        goal=goal or Goal(),
        folder=_folder(Path(runs), name or f"{opened.name}-{net_name}"),
        asked={"data": str(source), "net": net if isinstance(net, str) else net.write()},
        began=began,
    )


def _folder(runs: Path, name: str) -> Path:
    """A new folder for the results; a name that is taken gets a number."""
    plain = "".join(c if c.isalnum() or c in "-_." else "-" for c in name).strip(".") or "run"
    folder = runs / "classify" / plain
    number = 1
    while folder.exists():
        number += 1
        folder = runs / "classify" / f"{plain}-{number}"
    return folder
