"""airbench: 94 % of CIFAR-10 after eight epochs."""

from __future__ import annotations

from foveal.net import Net
from foveal.net.combinators import Item
from foveal.net.kind import Shape
from foveal.net.layers import (
    GELU,
    BatchNorm,
    Conv,
    Dense,
    Gain,
    GlobalMaxPool,
    MaxPool,
)
from foveal.zoo.entry import Entry

SOURCE = "Jordan 2024, arXiv:2404.00498"
CHANNELS = (64, 256, 256)
MOMENTUM = 0.4
"""Of the statistics of batch norm, for a training of some hundred steps."""
TEMPER = 0.111
"""Scores are this small a share of what the last layer makes, which may then learn fast."""


def airbench94(input: Shape = (3, 32, 32), num_classes: int = 10) -> Net:
    """The net of airbench94: patches of 2x2 whitened, then three groups of two convolutions.

    Use it for many small pictures, where a few minutes' training is to reach what a ResNet reaches
    in hours. Filters of the first layer are found in the pictures and stay; the others begin as
    filters that pass a channel on. Needs pictures of 9 px or more.

    Shape:   (N, C, H, W) of standardised levels -> (N, num_classes) scores, without softmax
    Params:  1,972,768 at 3x32x32 and 10 classes, of which 288 stay as they were found
    Raises:  ShapeError, when bound, if nothing is left of the maps
    Source:  Jordan 2024, arXiv:2404.00498, section 3; the whitening has no bias here, and norms
             have a scale

    >>> airbench94().bind((3, 32, 32)).result_shapes()
    {'': (10,)}
    """
    patches = 2 * 4 * input[0]
    items: list[Item] = [Conv(patches, 2, bias=False, init="whitening", frozen=True), GELU()]
    for channels in CHANNELS:
        items += [_conv(channels), MaxPool(2), BatchNorm(momentum=MOMENTUM), GELU()]
        items += [_conv(channels), BatchNorm(momentum=MOMENTUM), GELU()]
    return Net.of(*items, GlobalMaxPool(), Dense(num_classes, bias=False), Gain(TEMPER))


def _conv(channels: int) -> Conv:
    return Conv(channels, 3, padding="same", bias=False, init="partial_dirac")


ENTRIES: dict[str, Entry] = {
    "airbench94": Entry(
        build=airbench94,
        input=(3, 32, 32),
        num_classes=10,
        parameters=1_972_768,
        source=SOURCE,
        accuracy="94.01 % (CIFAR-10, six views, mean of 1,000 trainings)",
        about="many small pictures in colour, in minutes: whitened patches, three groups",
        smallest=9,
    ),
}
