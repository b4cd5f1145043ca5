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

from foveal.checks import OneOf, accept
from foveal.errors import DataError, MachineError, MissingExtra, SpecError, did_you_mean
from foveal.model.twins import MEASURED
from foveal.net import Net
from foveal.net.kind import Shape, shape_text
from foveal.recipe import FAST, KINDS, Goal, Recipe, Transfer
from foveal.run import beginning, trunk
from foveal.run.beginning import Beginning, Cut, Progress, Wish
from foveal.run.trunk import Size
from foveal.run.waiting import wait_patiently

if TYPE_CHECKING:
    from foveal.data.dataset import Dataset

UNBALANCED = 1.5
"""From so many times as many pictures on, the largest class is weighed against the smallest."""
FEW = 1_000
"""Up to so many training pictures, a net that knows something learns once more from all."""
FLOAT = 4
"""Bytes of a level as a number."""
LONGEST_NAME = 60
"""Characters of a run's folder; in UTF-8 up to four times as many bytes, of 255 allowed."""


@dataclass(frozen=True)
class Plan:
    """Data, net and recipe of one training."""

    data: Dataset
    begins: Beginning
    """With which net, and with what it knows already."""
    recipe: Recipe
    transfer: Transfer
    """How what the net brings along is treated; without that it is not looked at."""
    class_weights: tuple[float, ...] | None
    goal: Goal
    notes: tuple[str, ...]
    """What was decided without being asked, and is worth telling."""
    folder: Path
    """Where the results go, unless it is there already: then a number is added."""
    asked: Mapping[str, Any]
    """The arguments as they were given."""
    began: float
    """Reading of the monotonic clock, seconds."""
    cache_limit: int | None = None
    """Bytes that decoded pictures may take on the disk; by default a tenth of what is free."""

    @property
    def shape(self) -> Shape:
        """Of the pictures that the net sees."""
        return (self.data.channels, *trunk.sides(self.begins.size))

    @property
    def refits(self) -> bool:
        """Whether the net learns once more, then from the validation part too.

        Not where somebody else made that part, and not where a goal says what is enough.
        """
        few = len(self.data.validation) > 0 and len(self.data.train) <= FEW
        asked = self.transfer.refit and self.goal == Goal()
        return asked and few and self.data.cut_off and self.begins.weights is not None


def plan(
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
    fetching: Progress = beginning.quietly,
    **changes: Any,
) -> Plan:
    """Open the data and settle net, size and recipe. `changes` are fields of `Recipe`, `Transfer`.

    `cache_limit` is how many bytes decoded pictures may take on the disk, by default a tenth of
    what is free; 0 keeps none.

    PyTorch is loaded last: what is wrong is said at once. `fetching` is told how many bytes of
    published weights have come, and how many there are.

    Raises: DataError, SpecError or NotationError, before anything is decoded or written;
            MissingExtra without PyTorch; MachineError if a step's pictures exceed the memory
    """
    began = monotonic()
    if find_spec("torch") is None:
        raise MissingExtra("training", extra="train")
    accept("train", "recipe", OneOf(KINDS), recipe)
    changed, transfer = _sorted(changes)
    before = None if go_on is None else beginning.cut_of(go_on)
    if before is not None:  # what it was measured on shall be what it did not learn from
        changed.setdefault("seed", before.seed)
    seed = Recipe(**changed).seed
    end = goal if isinstance(goal, Goal) else Goal(**(goal or {}))
    wish = Wish(net, settings or {}, size, pretrained, go_on)
    from foveal import data

    opened = data.open(source, seed=seed, group_by=group_by)
    if opened.test is None and not len(opened.validation):
        raise DataError(
            "no picture is left to measure with",
            where=opened.name,
            arrives=f"{len(opened.train)} pictures of {len(opened.classes)} classes",
            expected="two pictures of some class, or a test part",
        )
    begins = beginning.begin(opened, wish, fetching)
    opened = opened.in_colour() if begins.channels == 3 else opened
    shape = (opened.channels, *trunk.sides(begins.size))
    if pretrained is not None:
        before = beginning.cut_of(pretrained)
    unbalanced = _about_balance(opened) if balance else ""
    notes = (
        *opened.notes,
        unbalanced,
        _about_cut(opened, begins.name, before),
        _about_transfer(begins, transfer),
    )
    wait_patiently()
    from foveal.training import balanced

    fits = replace(fitting(begins, shape, len(opened.train), recipe), **changed)
    _check_memory(opened, shape, fits.batch_size)

    return Plan(
        data=opened,
        begins=begins,
        recipe=fits,
        transfer=Transfer(**transfer),
        class_weights=balanced(opened.train.labels, len(opened.classes)) if unbalanced else None,
        goal=end,
        notes=tuple(filter(None, notes)),
        folder=Path(runs, "classify", _folder_name(name or _name(opened.name, begins.name))),
        asked={
            "data": str(source),
            "net": net.write() if isinstance(net, Net) else begins.name if net is None else net,
            **_given(
                set=dict(settings or {}),
                pretrained=pretrained,
                from_=go_on,
                group_by=group_by,
                balance=balance,
                recipe=recipe,
            ),
        },
        began=began,
        cache_limit=cache_limit,
    )


def fitting(begins: Beginning, shape: Shape, num_pictures: int, kind: str = FAST) -> Recipe:
    """The recipe for so many training pictures of a shape, and for what the net knows already."""
    from foveal.training import choose, choose_transfer, plain

    has_trunk = begins.weights is not None
    if has_trunk:
        usual = choose_transfer(num_pictures, shape)
    else:
        usual = choose(num_pictures, shape, begins.net)
    if kind == FAST:
        return usual
    return plain(usual, shape, begins.net, has_trunk=has_trunk)


def _given(**arguments: Any) -> dict[str, Any]:
    """Of the arguments that are seldom given, those that were."""
    usual = {"balance": True, "recipe": FAST}
    return {
        name.removesuffix("_"): str(value) if isinstance(value, Path) else value
        for name, value in arguments.items()
        if (value and value != usual.get(name)) or value is False
    }


def _about_balance(data: Dataset) -> str:
    """What is said where classes differ so much in size that they are weighed; else nothing."""
    counts = data.train.counts
    few, many = int(counts.argmin()), int(counts.argmax())
    if counts[many] < UNBALANCED * counts[few]:
        return ""
    return (
        f"Classes differ in size ('{data.classes[many]}' {counts[many]:,}, '{data.classes[few]}' "
        f"{counts[few]:,}): pictures of rare classes count more, so that all classes count alike "
        "(--no-balance: all pictures alike)."
    )


def _about_cut(data: Dataset, model: str, before: Cut | None) -> str:
    """What is said where a model may know pictures that it is measured on; else nothing."""
    now = Cut(data.seed, data.group_by)
    if before in (None, now) or data.test is not None:
        return ""
    if before is not None and before.refit:
        return (
            f"{model} has learned from all of its pictures: if these are the same, it knows those "
            f"that it is measured on ({MEASURED}, which lay beside it, does not)."
        )
    return (
        f"The pictures of {model} were cut otherwise ({before}; here {now}): if these are the "
        "same, it has learned from some of those that it is measured on."
    )


def _about_transfer(begins: Beginning, transfer: Mapping[str, Any]) -> str:
    """What is said where something is asked for that only a pretrained net has."""
    if begins.weights is not None or not transfer:
        return ""
    return f"The net begins at random: {' and '.join(transfer)} without effect."


def _sorted(changes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The changes to the recipe and those to the transfer; SpecError if one is impossible."""
    known = {owner: [setting.name for setting in fields(owner)] for owner in (Recipe, Transfer)}
    for name in changes:
        if not any(name in names for names in known.values()):
            both = [*known[Recipe], *known[Transfer]]
            raise SpecError(f"has no {name!r}", where="recipe", fix=did_you_mean(name, both))
    made = [{name: changes[name] for name in names if name in changes} for names in known.values()]
    Recipe(**made[0])
    Transfer(**made[1])
    return made[0], made[1]


def _check_memory(data: Dataset, shape: Shape, batch_size: int) -> None:
    """Refuse pictures so large that those of one step could never lie in this machine's memory."""
    if sys.platform == "win32":
        return
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    count = min(batch_size, len(data.train))
    needed = count * prod(shape) * FLOAT
    if needed > memory:
        raise MachineError(
            f"{count:,} pictures of {shape_text(shape)}, a step's, do not fit into the memory",
            where=data.name,
            arrives=f"{needed / 2**30:,.0f} GiB",
            expected=f"less than {memory / 2**30:,.0f} GiB",
            fix=f"--size {trunk.PHOTO}, or any smaller size",
        )


def _name(data: str, net: str) -> str:
    """Of a run; one that goes on from a run on the same data keeps its name."""
    return net if net.startswith(f"{data}-") else f"{data}-{net}"


def _folder_name(name: str) -> str:
    """The name of a folder: nothing that could mean another place."""
    plain = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
    return plain[:LONGEST_NAME].strip(".") or "run"
