"""A net for one size of picture, made into one that slides over larger ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

from foveal.errors import SpecError
from foveal.net.combinators import Branches, Item, Named, children
from foveal.net.kind import Kind, Pads, Shape
from foveal.net.layers import (
    ELU,
    GELU,
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    Add,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Crop,
    Dense,
    Depthwise,
    Dropout,
    DropPath,
    Expect,
    Flatten,
    Gain,
    GlobalAvgPool,
    GlobalLpPool,
    GlobalMaxPool,
    GlobalMinPool,
    GlobalSumPool,
    HardSigmoid,
    HardSwish,
    HardTanh,
    Identity,
    Input,
    LayerNorm,
    LeakyReLU,
    LocalResponseNorm,
    LogSoftmax,
    LpPool,
    Maxout,
    MaxPool,
    MinPool,
    Multiply,
    Normalise,
    Pad,
    ReLU,
    Resize,
    Scale,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    StochasticPool,
    SumPool,
    Take,
    Tanh,
)
from foveal.net.layers.window import Windowed
from foveal.net.net import Net
from foveal.net.program import Step

POINTWISE: tuple[type[Kind], ...] = (
    Identity,
    ReLU,
    LeakyReLU,
    ELU,
    GELU,
    SiLU,
    HardSwish,
    Softplus,
    Tanh,
    HardTanh,
    Sigmoid,
    HardSigmoid,
    Dropout,
    DropPath,
    Gain,
)
"""Kinds that treat every value alike: they may stand where a map is laid out as features."""

LOCAL: tuple[type[Kind], ...] = (
    *POINTWISE,
    Input,
    Normalise,
    Conv,
    Depthwise,
    MaxPool,
    MinPool,
    AvgPool,
    SumPool,
    LpPool,
    StochasticPool,
    BatchNorm,
    LayerNorm,
    LocalResponseNorm,
    Softmax,
    LogSoftmax,
    Maxout,
    Take,
    Scale,
    Pad,
    Add,
    Concat,
    Multiply,
)
"""Kinds that give at every place what they would give there in any window."""

ENTRANCE: tuple[type[Kind], ...] = (Input, Normalise, Expect, Resize, Crop, *POINTWISE)
"""Kinds behind which the picture is still what arrived; cutting it to size can be left out."""


def slid(net: Net, input: Shape) -> Net:
    """The same net at every place of a larger picture: what saw the whole becomes a window.

    Use it to find with a classifier where something is, or to read one thing after another. A
    dense layer on a map becomes a convolution as large as the map, with the same weights in
    another shape; global pooling becomes pooling over a window. Where the net pads its maps, what
    it sees beyond the edge of a window is not padding any more but the neighbourhood.

    Shape:   a net for `input` -> one for pictures at least as large; it gives a map of answers
    Params:  the same, by the same paths; a dense weight (out, C * H * W) is now (out, C, H, W)
    Raises:  SpecError if a layer cannot slide, or one that sees the whole picture does not stand
             in the main line
    Source:  Sermanet et al. 2013, arXiv:1312.6229; Matan et al. 1991, "Multi-digit recognition"

    >>> from foveal.net.notation import parse
    >>> slid(parse("conv 8 3 -> relu -> flatten -> dense 10"), (1, 8, 8)).write()
    'conv1: conv 8 3\\nrelu\\ndense1: conv 10 6x6'
    """
    named = net.with_names()
    steps = {step.path: step for step in named.bind(input).steps}
    return Net.of(*_items(named, steps))


def _items(net: Net, steps: dict[str, Step]) -> Iterator[Item]:
    """The items of the main line, as they were in a single window."""
    laid_out: Shape = (1,)
    """The map that the features at hand were, while they are not one value for each channel."""
    begun = False
    for (path, body), item in zip(net.root.labelled(), net.root.items, strict=True):
        if not isinstance(body, Kind):
            _check_inside(item, path, laid_out)
            begun = True
            yield item
            continue
        arriving = steps[path].ins[0]
        if isinstance(body, Flatten):
            laid_out = arriving[1:] or laid_out
            continue
        if isinstance(body, Expect) or (isinstance(body, Resize | Crop) and not begun):
            continue
        made = _windowed(body, steps[path], laid_out)
        if isinstance(body, Dense):
            laid_out = (1,) * len(laid_out)
        begun = begun or not isinstance(body, ENTRANCE)
        yield Named(path, made) if isinstance(item, Named) else made
    if any(n > 1 for n in laid_out):
        raise SpecError(
            "ends with flatten, and what it lays out would grow with the picture",
            where="net",
            fix="a dense layer behind it",
        )


def _windowed(kind: Kind, step: Step, laid_out: Shape) -> Kind:
    """A kind of the main line as one that slides; SpecError if it cannot."""
    arriving = step.ins[0]
    match kind:
        case Dense():
            return Conv(
                kind.out_features,
                laid_out,
                bias=kind.bias,
                weight=kind.weight,
                init=kind.init,
                frozen=kind.frozen,
            )
        case GlobalAvgPool():
            return AvgPool(arriving[1:], stride=1)
        case GlobalMaxPool():
            return MaxPool(arriving[1:], stride=1)
        case GlobalMinPool():
            return MinPool(arriving[1:], stride=1)
        case GlobalSumPool():
            return SumPool(arriving[1:], stride=1)
        case GlobalLpPool():
            return LpPool(arriving[1:], stride=1, p=kind.p)
        case AdaptiveAvgPool() | AdaptiveMaxPool():
            return _parted(kind, step)
    _check(kind, step.path, laid_out)
    return _padded(kind, step.pads) if isinstance(kind, Windowed) else kind


def _padded(kind: Any, pads: Pads) -> Kind:
    """A kind with the padding of a single window.

    A word may come to something else in a larger picture, which would move all windows.
    """
    if kind.padding == "valid" or not isinstance(kind.padding, str):
        return cast(Kind, kind)
    sides = tuple(before if before == after else (before, after) for before, after in pads)
    return cast(Kind, replace(kind, padding=sides))


def _parted(kind: AdaptiveAvgPool | AdaptiveMaxPool, step: Step) -> Kind:
    """Pooling to a size as pooling by a size, if it parts the map without rest."""
    sizes = list(zip(step.ins[0][1:], kind.sizes(step.ins), strict=True))
    if any(n % m for n, m in sizes):
        raise SpecError(
            f"{kind.word} parts its map into windows that overlap, and cannot slide",
            where=step.path,
            fix="a size that divides the map",
        )
    pool = AvgPool if isinstance(kind, AdaptiveAvgPool) else MaxPool
    by = tuple(n // m for n, m in sizes)
    return pool(by, stride=tuple(1 if m == 1 else n // m for n, m in sizes))


def _check(kind: Kind, path: str, laid_out: Shape) -> None:
    """SpecError if a kind would see more, or other features, than in a window."""
    if any(n > 1 for n in laid_out) and not isinstance(kind, POINTWISE):
        raise SpecError(
            f"{kind.word} stands between flatten and dense, where it cannot slide",
            where=path,
            fix=f"put {kind.word} before flatten or after dense",
        )
    if not isinstance(kind, LOCAL) or (isinstance(kind, LayerNorm) and kind.over == "all"):
        raise SpecError(
            f"{kind.word} gives something else in a larger picture, and cannot slide",
            where=path,
            fix="a net without it, or pictures of the size the net reads",
        )


def _check_inside(item: Item, path: str, laid_out: Shape) -> None:
    whole = isinstance(item, Kind) and (item.whole or isinstance(item, Expect))
    if isinstance(item, Kind) and whole:
        raise SpecError(
            f"{item.word} stands inside a group or a branch, where it cannot slide",
            where=path,
            fix="put what sees the whole picture in the main line of the net",
        )
    if isinstance(item, Kind):
        _check(item, path, laid_out)
    if isinstance(item, Branches):
        _check(item.merge, path, (1,))
    for child in children(item):
        _check_inside(child, path, laid_out)
