"""What a training begins with: a net that has learned before, or random weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foveal.errors import FovealError, SpecError
from foveal.net import Net
from foveal.net.arithmetic import arithmetic
from foveal.net.kind import Shape, shape_text
from foveal.net.layers import Normalise
from foveal.net.table import memory_text
from foveal.run import trunk
from foveal.run.trunk import Size
from foveal.zoo import ENTRIES

if TYPE_CHECKING:
    from foveal.data.dataset import Dataset
    from foveal.model.pretrained import Pretrained

HUB, NONE = "hub", "none"
"""What may stand for a file: fetch the published weights, or begin at random."""
FEW = 10_000
"""Fewer photographs than that are little to learn everything from."""
NATURAL = 64
"""Pixels of the shorter side from which pictures in colour count as photographs."""
DEFAULT_TRUNK = "mobilenet_v2"
"""Fetched where the cache holds nothing: 14 MB, and quick on an ordinary processor."""

Progress = Callable[[int, int], None]


def quietly(done: int, of: int) -> None:
    """Tell nobody how many bytes have come."""


@dataclass(frozen=True)
class Wish:
    """What the user said of the net and of what it brings along."""

    net: Net | str | None = None
    settings: Mapping[str, int] | None = None
    size: Size | None = None
    pretrained: str | Path | None = None
    """A file or folder of weights, `hub`, `none`, or unset: the data decide."""
    go_on: str | Path | None = None
    """A model of Foveal's to go on from."""


@dataclass(frozen=True)
class Beginning:
    """A net from normalised picture to scores, and what it knows already."""

    net: Net
    name: str
    size: Size
    channels: int
    weights: Mapping[str, np.ndarray] | None = None
    """By path, without those that are new; unset where everything starts at random."""
    normalise: Normalise | None = None
    """What the weights are used to."""
    about: Mapping[str, object] | None = None
    """Name, origin and digest of the weights, for the record."""
    says: str = ""
    """What it begins with, why, and what that costs, as lines; empty where nothing is to say."""


def begin(data: Dataset, wish: Wish, fetching: Progress = quietly) -> Beginning:
    """Decide what a training on these data begins with.

    Raises: SpecError or NotationError for a net or an option that cannot be; DataError or
            ModelFileError if asked-for weights cannot be had; MissingExtra without huggingface_hub
    """
    if wish.go_on is not None:
        return _going_on(data, wish)
    pretrained = None if wish.pretrained is None else str(wish.pretrained)
    if pretrained is None:
        if wish.net is None and _are_few_photographs(data, wish.size):
            return _by_itself(data, wish, fetching)
        return _at_random(data, wish)
    if pretrained.lower() == NONE:
        return _at_random(data, wish)
    name = _zoo_name(wish.net)
    if name is None and wish.net is not None:
        raise SpecError(
            "only nets of the zoo have published weights",
            where="--pretrained",
            fix="--net NAME with a name that foveal zoo lists, or leave --net out",
        )
    if pretrained in ENTRIES and not Path(pretrained).exists():
        raise SpecError(
            "is a net, and no file of weights",
            where=f"--pretrained {pretrained}",
            fix=f"--net {pretrained} --pretrained hub",
        )
    from foveal.model import hub

    if pretrained.lower() == HUB:
        wanted = name or DEFAULT_TRUNK
        found = _read(hub.fetch(wanted, fetching), wanted)
    else:
        found = _read(Path(pretrained), name)
    return _from_trunk(data, wish, found, "as you asked")


@dataclass(frozen=True)
class Cut:
    """What decided which pictures a model was measured on."""

    seed: int
    group_by: str | None
    refit: bool = False
    """Whether the model has since learned from those pictures too."""

    def __str__(self) -> str:
        return f"seed {self.seed}" + (f", group_by {self.group_by}" if self.group_by else "")


def cut_of(model: str | Path) -> Cut | None:
    """How the pictures of a model of Foveal's were cut, as far as it says so."""
    from foveal.model.container import read_header
    from foveal.model.pretrained import file_in
    from foveal.model.shipped import find
    from foveal.model.twins import measured

    with suppress(FovealError):  # who reads the weights will say it
        match read_header(measured(file_in(find(model)))).document:
            case {"about": {"recipe": {"seed": int(seed)}, "data": {**data}, **more}}:
                rule = data.get("group_by")
                return Cut(seed, None if rule is None else str(rule), "refit" in more)
    return None


def _at_random(data: Dataset, wish: Wish, says: str = "") -> Beginning:
    named = _zoo_name(wish.net)
    size = trunk.choose_size(data, named, wish.size)
    net = trunk.default_net(data, size) if wish.net is None else named or wish.net
    shape = (data.channels, *trunk.sides(size))
    built = trunk.build(net, shape, len(data.classes), wish.settings or {})
    name = net if isinstance(net, str) and net in ENTRIES else "net"
    return Beginning(built, name, size, data.channels, says=says)


def _by_itself(data: Dataset, wish: Wish, fetching: Progress) -> Beginning:
    """The best trunk at hand: from the cache, else from the hub; else from scratch."""
    from foveal.model import hub

    why = f"{len(data.train):,} photographs are few to learn everything from"
    try:
        names = hub.names()
        name = names[0] if names else DEFAULT_TRUNK
        found = _read(hub.fetch(name, fetching), name if name in ENTRIES else None)
        return _from_trunk(data, wish, found, why)
    except FovealError as error:  # nobody asked for it: no reason not to train
        says = (
            f"begins at random, though {why}\n"
            f"  no net that has learned before can be used: {error.headline()}\n"
            "  foveal cache add FILE brings one; foveal train --pretrained FILE uses one"
        )
        return _at_random(data, wish, says)


def _read(path: Path, wanted: str | None) -> Pretrained:
    """Weights, with where they came from if they lie in the cache."""
    from foveal.model import hub, pretrained

    found = pretrained.read(path, wanted)
    name = hub.model_name(Path(found.origin)) if found.classes else found.name
    return replace(found, name=name, origin=hub.origin(path) or found.origin)


def _from_trunk(data: Dataset, wish: Wish, found: Pretrained, why: str) -> Beginning:
    """A new last layer on what others have learned."""
    size = wish.size or _side(found.input)
    _refuse_other_channels(data, found)
    net, weights = found.with_head(len(data.classes))
    made = _beginning(net, weights, found, size)
    shape = (found.input[0], *trunk.sides(size))
    work = arithmetic(made.net.bind(shape))
    says = (
        f"begins with {found.name}, which tells {found.num_classes:,} kinds apart: {why}\n"
        f"  from {found.origin}; {_in_words(work.macs)} multiplications for a picture of "
        f"{shape_text(shape)}, {memory_text(4 * work.parameters)} on the disk\n"
        "  --pretrained none would begin at random"
    )
    if found.unused:
        count = len(found.unused)
        says += f"\n  not used of it: {count} tensor{'s' * (count > 1)} of auxiliary heads"
    return replace(made, says=says)


def _going_on(data: Dataset, wish: Wish) -> Beginning:
    """The model that is there, with what it knows of the classes that are the same."""
    if wish.net is not None or wish.pretrained is not None:
        raise SpecError(
            "goes on with the net of the model",
            where="--from",
            fix="leave out --net and --pretrained",
        )
    from foveal.model.twins import measured

    found = _read(measured(Path(str(wish.go_on))), None)
    if not found.classes:
        raise SpecError("is no model of Foveal's", where="--from", fix=f"--pretrained {wish.go_on}")
    _refuse_other_channels(data, found)
    size = wish.size or _side(found.input)
    if found.classes == data.classes:
        says = f"goes on from {found.name}, which knows these {len(data.classes)} classes"
        return replace(_beginning(found.net, found.weights, found, size), says=says)
    net, weights = found.with_head(len(data.classes))
    known = [name for name in data.classes if name in found.classes]
    says = (
        f"begins with {found.name}, which knows {len(found.classes)} classes, "
        f"{len(known) or 'none'} of them among these {len(data.classes)}"
    )
    return replace(_beginning(net, weights, found, size), says=says)


def _beginning(
    net: Net, weights: Mapping[str, np.ndarray], found: Pretrained, size: Size
) -> Beginning:
    channels = found.input[0]
    _refuse_other_size(net, weights, found, (channels, *trunk.sides(size)))
    about = {"name": found.name, "origin": found.origin, "digest": found.digest}
    return Beginning(net, found.name, size, channels, weights, found.normalise, about)


def _in_words(number: int) -> str:
    """A large number as people say it: 58 million."""
    for power, word in ((9, "billion"), (6, "million"), (3, "thousand")):
        if number >= 10**power:
            share = number / 10**power
            return f"{share:,.0f} {word}" if share >= 10 else f"{share:.1f} {word}"
    return str(number)


def _zoo_name(net: Net | str | None) -> str | None:
    return net.lower() if isinstance(net, str) and net.lower() in ENTRIES else None


def _are_few_photographs(data: Dataset, size: Size | None) -> bool:
    side = min(data.sizes.heights[1], data.sizes.widths[1])
    wanted = NATURAL if size is None else min(trunk.sides(size))
    return data.channels == 3 and min(side, wanted) >= NATURAL and len(data.train) < FEW


def _side(shape: Shape) -> Size:
    _, height, width = shape
    return height if height == width else (height, width)


def _refuse_other_size(
    net: Net, weights: Mapping[str, np.ndarray], found: Pretrained, shape: Shape
) -> None:
    """A dense layer that reads maps has a weight for each of their places."""
    tensors = net.bind(shape).tensors()
    for path, array in weights.items():
        if array.shape != tensors[path].shape:
            size = "x".join(map(str, dict.fromkeys(found.input[1:])))
            raise SpecError(
                f"fits one size of pictures only, because of {path}",
                where=found.name,
                arrives=shape_text(shape),
                expected=shape_text(found.input),
                fix=f"--size {size}, or leave it out",
            )


def _refuse_other_channels(data: Dataset, found: Pretrained) -> None:
    """Grey pictures are read in colour where the net wants colour, but not the reverse."""
    if data.channels > found.input[0]:
        raise SpecError(
            "reads grey pictures, and these are in colour",
            where=found.name,
            fix="a net that was trained on pictures in colour",
        )
