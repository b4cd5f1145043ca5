"""MobileNet v2: wide inside, narrow where blocks meet, for little work and little memory."""

from __future__ import annotations

from functools import partial

from foveal.net import Net
from foveal.net.combinators import Item, branches, chain
from foveal.net.kind import Shape
from foveal.net.layers import (
    Add,
    BatchNorm,
    Conv,
    Dense,
    Depthwise,
    Dropout,
    GlobalAvgPool,
    Identity,
    ReLU,
)
from foveal.zoo.entry import Entry, imagenet

SOURCE = "Sandler et al. 2018, arXiv:1801.04381"
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Of each stage: how much wider a block is inside, its channels, how many blocks, the stride of the
first (table 2 of the paper)."""


def mobilenet_v2(
    input: Shape = (3, 224, 224), num_classes: int = 1000, *, width: float = 1.0
) -> Net:
    """MobileNet v2 of any width: inverted residual blocks around depthwise convolutions.

    Use it for phones, old computers and quick answers. A block adds what it found to what arrived
    only where both have the same shape: that is decided here, not by the net.

    Shape:   (N, 3, 224, 224) -> (N, num_classes) scores
    Params:  3,504,872 of width 1 at 3x224x224 and 1,000 classes
    Raises:  nothing
    Source:  Sandler et al. 2018, arXiv:1801.04381

    >>> mobilenet_v2(width=0.35).bind((3, 224, 224)).result_shapes()
    {'': (1000,)}
    """
    channels = _eights(32 * width)
    items: list[Item] = [Conv(channels, 3, stride=2, padding=1, bias=False), *_cut()]
    for wider, base, count, first in STAGES:
        made = _eights(base * width)
        for number in range(count):
            stride = 1 if number else first
            items.append(_block(channels, made, wider, stride))
            channels = made
    last = _eights(1280 * max(1.0, width))
    items += [Conv(last, 1, bias=False), *_cut(), GlobalAvgPool(), Dropout(0.2)]
    return Net.of(*items, Dense(num_classes))


def _block(channels: int, made: int, wider: int, stride: int) -> Item:
    inside = chain(
        *((Conv(channels * wider, 1, bias=False), *_cut()) if wider > 1 else ()),
        *(Depthwise(3, stride=stride, padding=1, bias=False), *_cut()),
        *(Conv(made, 1, bias=False), BatchNorm()),
    )
    if stride > 1 or channels != made:
        return inside
    return branches(Add(), Identity(), inside)


def _cut() -> list[Item]:
    return [BatchNorm(), ReLU(max=6)]


def _eights(channels: float) -> int:
    """The nearest multiple of 8, but never less than nine tenths (of the authors' code)."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def _entry(width: float, parameters: int, top_1: float, stated: str) -> Entry:
    about = f"little work, little memory; width {width:g}"
    build = partial(mobilenet_v2, width=width)
    return imagenet(build, parameters, top_1, SOURCE, about, stated=stated)


ENTRIES: dict[str, Entry] = {
    "mobilenet_v2": _entry(1.0, 3_504_872, 71.88, "torchvision"),
    "mobilenet_v2_035": _entry(0.35, 1_677_128, 60.3, "the authors"),
    "mobilenet_v2_050": _entry(0.5, 1_968_680, 65.4, "the authors"),
    "mobilenet_v2_140": _entry(1.4, 6_108_776, 75.0, "the authors"),
}
