"""The net that is trained when none is asked for: small pictures, an ordinary processor."""

from __future__ import annotations

from foveal.net import Net
from foveal.net.combinators import Item
from foveal.net.kind import Shape
from foveal.net.layers import BatchNorm, Conv, Dense, Flatten, GlobalAvgPool, MaxPool, ReLU
from foveal.zoo.entry import Entry

SMALL = 48
"""Pixels up to which a picture is one thing in its place, as a digit is, and not a photograph."""
WHITENED = 12
"""Pixels from which the patches of a small picture are whitened; on 8x8 it cost accuracy."""
SMALLEST_MAP = 6
"""Pixels from which a map is halved once more."""
WIDEST = 128
"""Most channels; more is slow on a processor and needs more pictures."""


def quick(input: Shape, num_classes: int) -> Net:
    """A net of a first layer, a stage for each halving of the picture, and a last layer.

    Use it to learn in a minute from pictures of 8 to 128 pixels without a GPU. Pooling comes before
    batch norm and ReLU, which then have a quarter of the work. Small pictures begin with patches of
    2x2 that are whitened, and end in flatten, because it matters where in them a stroke is.
    Photographs begin with a convolution of stride 2 and end in the mean over the map.

    Shape:   (N, C, H, W) of standardised levels -> (N, num_classes) scores, without softmax
    Params:  30,218 at 1x28x28 and 10 classes, of which 32 stay as they were found; 165,469 at
             3x64x64 and 5
    Raises:  ShapeError, when bound, if flat features arrive
    Source:  none; parts: Ioffe & Szegedy 2015, arXiv:1502.03167; Lin, Chen & Yan 2013,
             arXiv:1312.4400; Jordan 2024, arXiv:2404.00498

    >>> quick((1, 28, 28), 10).bind((1, 28, 28)).result_shapes()
    {'': (10,)}
    """
    side = min(input[1:], default=1)
    grey = input[0] == 1
    items: list[Item]
    if WHITENED <= side <= SMALL:
        patch = 4 * input[0]
        items = [Conv(2 * patch, 2, bias=False, init="whitening", frozen=True), ReLU()]
        extent, width, start = side - 1, 16 if grey else 32, "partial_dirac"
    else:
        width = 16 if grey else 24
        items = [Conv(width, 5, stride=2, padding="same", bias=False), BatchNorm(), ReLU()]
        extent, width, start = -(-side // 2), min(2 * width, WIDEST), None
    while extent >= SMALLEST_MAP:
        convolution = Conv(width, 3, padding="same", bias=False, init=start)
        items += [convolution, MaxPool(2), BatchNorm(), ReLU()]
        extent, width = extent // 2, min(2 * width, WIDEST)
    items += [Flatten()] if side <= SMALL else [GlobalAvgPool()]
    return Net.of(*items, Dense(num_classes))


ENTRIES: dict[str, Entry] = {
    "quick": Entry(
        build=quick,
        input=(1, 28, 28),
        num_classes=10,
        parameters=30_218,
        source="Foveal's own; its parts: arXiv:1502.03167, arXiv:1312.4400, arXiv:2404.00498",
        accuracy="",
        about="trained unless another is asked for; grows with the size of the pictures",
    ),
}
