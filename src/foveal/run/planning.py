"""What a training will do, decided before anything is decoded."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from importlib.util import find_spec
from math import prod
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from foveal.errors import DataError, MachineError, MissingExtra, SpecError, did_you_mean
from foveal.net import Net
from foveal.net.kind import Shape, shape_text
from foveal.recipe import Goal, Recipe
from foveal.run import trunk
from foveal.run.trunk import Size
from foveal.run.waiting import wait_patiently
from foveal.zoo import ENTRIES

if TYPE_CHECKING:
    from foveal.data.dataset import Dataset

LONGEST_NAME = 60
"""Characters of a run's folder; in UTF-8 up to four times as many bytes, of 255 allowed."""


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
    """Where the results go, unless it is there already: then a number is added."""
    asked: Mapping[str, Any]
    """The arguments as they were given."""
    began: float
    """Reading of the monotonic clock, seconds."""

    @property
    def shape(self) -> Shape:
        """Of the pictures that the net sees."""
        return (self.data.channels, *trunk.sides(self.size))


def plan(
    source: str | Path = "digits",
    *,
    net: Net | str = trunk.DEFAULT_NET,
    size: Size | None = None,
    settings: Mapping[str, int] | None = None,
    goal: Goal | Mapping[str, float] | None = None,
    name: str | None = None,
    runs: str | Path = "runs",
    **changes: Any,
) -> Plan:
    """Open the data and settle net, size and recipe. `changes` are fields of `Recipe`.

    PyTorch is loaded last: what is wrong is said at once.

    Raises: DataError, SpecError or NotationError, before anything is decoded or written;
            MissingExtra without PyTorch; MachineError if the pictures exceed the memory
    """
    began = monotonic()
    if find_spec("torch") is None:
        raise MissingExtra("training", extra="train")
    seed = _checked(changes).seed
    end = goal if isinstance(goal, Goal) else Goal(**(goal or {}))
    named = net.lower() if isinstance(net, str) and net.lower() in ENTRIES else None
    from foveal import data

    opened = data.open(source, seed=seed)
    if opened.test is None and not len(opened.validation):
        raise DataError(
            "no picture is left to measure with",
            where=opened.name,
            arrives=f"{len(opened.train)} pictures of {len(opened.classes)} classes",
            expected="two pictures of some class, or a test part",
        )
    chosen = trunk.choose_size(opened, named, size)
    shape = (opened.channels, *trunk.sides(chosen))
    built = trunk.build(named or net, shape, len(opened.classes), settings or {})
    _check_memory(opened, shape)
    wait_patiently()
    from foveal.training import choose

    net_name = named or "net"
    return Plan(
        data=opened,
        net=built,
        net_name=net_name,
        size=chosen,
        recipe=replace(choose(len(opened.train), shape, built), **changes),
        goal=end,
        folder=Path(runs, "classify", _folder_name(name or f"{opened.name}-{net_name}")),
        asked={
            "data": str(source),
            "net": net.write() if isinstance(net, Net) else net,
            **({"set": dict(settings)} if settings else {}),
        },
        began=began,
    )


def _checked(changes: Mapping[str, Any]) -> Recipe:
    """A recipe with these changes; SpecError if one is impossible."""
    known = [setting.name for setting in fields(Recipe)]
    for name in changes:
        if name not in known:
            raise SpecError(f"has no {name!r}", where="recipe", fix=did_you_mean(name, known))
    return Recipe(**changes)


def _check_memory(data: Dataset, shape: Shape) -> None:
    """Refuse pictures that could never lie in this machine's memory all at once."""
    if sys.platform == "win32":
        return
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    count = len(data.train) + len(data.validation)
    if count * prod(shape) > memory:
        raise MachineError(
            f"{count:,} pictures of {shape_text(shape)} do not fit into the memory",
            where=data.name,
            arrives=f"{count * prod(shape) / 2**30:,.0f} GiB",
            expected=f"less than {memory / 2**30:,.0f} GiB",
            fix=f"--size {trunk.PHOTO}, or any smaller size",
        )


def _folder_name(name: str) -> str:
    """The name of a folder: nothing that could mean another place."""
    plain = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
    return plain[:LONGEST_NAME].strip(".") or "run"
