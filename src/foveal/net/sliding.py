"""A net for one size of picture, made into one that slides over larger ones."""

from __future__ import annotations

from collections.abc import Iterator

from foveal.errors import SpecError
from foveal.net.combinators import Item, Named, children
from foveal.net.kind import Kind, Shape
from foveal.net.layers import (
    AvgPool,
    Conv,
    Crop,
    Dense,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool,
    Resize,
)
from foveal.net.net import Net

FIXED = (Flatten, Dense, GlobalAvgPool, GlobalMaxPool)
"""Kinds that need to know how large the picture is, or see all of it."""


def slid(net: Net, input: Shape) -> Net:
    """The same net at every place of a larger picture: what saw the whole becomes a window.

    Use it to find with a classifier where something is, or to read one thing after another. A
    dense layer on a map becomes a convolution as large as the map, with the same weights in
    another shape; global pooling becomes pooling over a window. Where the net pads its maps, what
    it sees beyond the edge of a window is not padding any more but the neighbourhood.

    Shape:   a net for `input` -> one for pictures at least as large; it gives a map of answers
    Params:  the same, by the same paths; a dense weight (out, C * H * W) is now (out, C, H, W)
    Raises:  SpecError if the layers that see the whole picture do not stand in the main line
    Source:  Sermanet et al. 2013, arXiv:1312.6229; Matan et al. 1991, "Multi-digit recognition"

    >>> from foveal.net.notation import parse
    >>> slid(parse("conv 8 3 -> relu -> flatten -> dense 10"), (1, 8, 8)).write()
    'conv1: conv 8 3\\nrelu\\ndense1: conv 10 6x6'
    """
    named = net.with_names()
    shapes = {step.path: step.ins[0] for step in named.bind(input).steps}
    return Net.of(*_items(named, shapes))


def _items(net: Net, shapes: dict[str, Shape]) -> Iterator[Item]:
    """The items of the main line, at the shapes that arrive at them in a single window."""
    window: Shape = (1,)
    for (path, body), item in zip(net.root.labelled(), net.root.items, strict=True):
        if not isinstance(body, Kind):
            _check_inside(item, path)
            yield item
            continue
        arriving = shapes[path]
        if isinstance(body, Flatten) and len(arriving) > 1:
            window = arriving[1:]
            continue
        if isinstance(body, Resize | Crop):
            continue
        made = _windowed(body, arriving, window)
        if isinstance(body, Dense):
            window = (1,) * len(window)
        yield Named(path, made) if isinstance(item, Named) else made


def _windowed(kind: Kind, arriving: Shape, window: Shape) -> Kind:
    """A kind of the main line as one that slides."""
    match kind:
        case Dense():
            size = window if len(window) > 1 else window[0]
            return Conv(
                kind.out_features, size, bias=kind.bias, weight=kind.weight, frozen=kind.frozen
            )
        case GlobalAvgPool():
            return AvgPool(arriving[1:], stride=1)
        case GlobalMaxPool():
            return MaxPool(arriving[1:], stride=1)
    return kind


def _check_inside(item: Item, path: str) -> None:
    if isinstance(item, FIXED):
        raise SpecError(
            f"{item.word} stands inside a group or a branch, where it cannot slide",
            where=path,
            fix="put what sees the whole picture in the main line of the net",
        )
    for child in children(item):
        _check_inside(child, path)
