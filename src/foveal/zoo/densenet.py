"""DenseNet: every layer reads all that the layers before it found."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from foveal.net import Net
from foveal.net.combinators import Chain, Item, branches, chain, named, repeat
from foveal.net.kind import Shape
from foveal.net.layers import (
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    GlobalAvgPool,
    Identity,
    MaxPool,
    ReLU,
)
from foveal.zoo.entry import Entry, Published, imagenet

SOURCE = "Huang et al. 2016, arXiv:1608.06993"
BLOCKS = {
    121: (6, 12, 24, 16),
    161: (6, 12, 36, 24),
    169: (6, 12, 32, 32),
    201: (6, 12, 48, 32),
}
"""How many layers stand in each of the four blocks, by the number of layers with weights."""
SQUEEZED = 4
"""A layer looks at so many times its growth of channels, mixed by 1x1."""


def densenet(
    input: Shape = (3, 224, 224), num_classes: int = 1000, *, layers: int = 121, growth: int = 32
) -> Net:
    """DenseNet of 121, 161, 169 or 201 layers; the one of 161 has a growth of 48.

    Use it where few parameters matter more than speed: each layer adds `growth` maps to all that
    are there. A block is one layer, repeated; that more channels arrive each time is not its
    business.

    Shape:   (N, 3, 224, 224) -> (N, num_classes) scores
    Params:  7,978,856 with 121 layers at 3x224x224 and 1,000 classes
    Raises:  KeyError for another number of layers
    Source:  Huang et al. 2016, arXiv:1608.06993

    >>> densenet().bind((3, 224, 224)).result_shapes()
    {'': (1000,)}
    """
    channels = 2 * growth
    items: list[Item] = [Conv(channels, 7, stride=2, padding=3, bias=False), BatchNorm(), ReLU()]
    items.append(MaxPool(3, stride=2, padding=1))
    for number, count in enumerate(BLOCKS[layers], start=1):
        items.append(named(f"block{number}", repeat(count, _layer(growth))))
        channels += count * growth
        if number < len(BLOCKS[layers]):
            channels //= 2
            items.append(named(f"transition{number}", _transition(channels)))
    return Net.of(*items, BatchNorm(), ReLU(), GlobalAvgPool(), named("head", Dense(num_classes)))


def _layer(growth: int) -> Item:
    found = chain(
        *(BatchNorm(), ReLU(), Conv(SQUEEZED * growth, 1, bias=False)),
        *(BatchNorm(), ReLU(), Conv(growth, 3, padding=1, bias=False)),
    )
    return branches(Concat(), Identity(), found)


def _transition(channels: int) -> Chain:
    return chain(BatchNorm(), ReLU(), Conv(channels, 1, bias=False), AvgPool(2))


def _names(layers: int, dot: str) -> Iterator[str]:
    """torchvision's names; its first files had a dot before the numbers in a layer."""
    yield from ("features.conv0", "features.norm0")
    for block, count in enumerate(BLOCKS[layers], start=1):
        for layer in range(1, count + 1):
            at = f"features.denseblock{block}.denselayer{layer}"
            yield from (f"{at}.{word}{dot}{n}" for n in (1, 2) for word in ("norm", "conv"))
        if block < len(BLOCKS[layers]):
            yield from (f"features.transition{block}.{word}" for word in ("norm", "conv"))
    yield from ("features.norm5", "classifier")


def _entry(layers: int, parameters: int, top_1: float, growth: int = 32) -> Entry:
    about = f"{layers} layers that read all before them; growth {growth}"
    build = partial(densenet, layers=layers, growth=growth)
    repository = f"timm/densenet{layers}.tv_in1k"
    published = tuple(
        Published("torchvision", partial(_names, layers, dot), build, repository=at)
        for dot, at in (("", repository), (".", ""))
    )
    return imagenet(build, parameters, top_1, SOURCE, about, published=published)


ENTRIES: dict[str, Entry] = {
    "densenet121": _entry(121, 7_978_856, 74.43),
    "densenet161": _entry(161, 28_681_000, 77.14, growth=48),
    "densenet169": _entry(169, 14_149_480, 75.60),
    "densenet201": _entry(201, 20_013_928, 76.90),
}
