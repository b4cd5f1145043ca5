"""The net that is trained when none is asked for: small pictures, an ordinary processor."""

from __future__ import annotations

from foveal.net import Net
from foveal.net.combinators import Item
from foveal.net.kind import Shape
from foveal.net.layers import BatchNorm, Conv, Dense, Flatten, GlobalAvgPool, MaxPool, ReLU
from foveal.zoo.entry import Entry

SMALL = 48
"""Pixels up to which a picture is one thing in its place, as a digit is, and not a photograph."""
SMALLEST_MAP = 6
"""Pixels from which a map is halved once more."""
WIDEST = 128
"""Most channels; more is slow on a processor and needs more pictures."""


def quick(input: Shape, num_classes: int) -> Net:
    """A net of a first wide-eyed convolution and a stage for each halving of the picture.

    Use it to learn in a minute from pictures of 16 to 128 pixels without a GPU. Convolutions on
    few channels are slow on processors, so the first has stride 2, and pooling comes before
    batch norm and ReLU, which then have a quarter of the work. Small pictures end in flatten,
    because it matters where in them a stroke is; photographs in the mean over the map.

    Shape:   (N, C, H, W) of standardised levels -> (N, num_classes) scores, without softmax
    Params:  29,434 at 1x28x28 and 10 classes; 165,469 at 3x64x64 and 5
    Raises:  ShapeError, when bound, if flat features arrive
    Source:  none; parts: Ioffe & Szegedy 2015, arXiv:1502.03167; Lin, Chen & Yan 2013,
             arXiv:1312.4400

    >>> quick((1, 28, 28), 10).bind((1, 28, 28)).result_shapes()
    {'': (10,)}
    """
    side = min(input[1:], default=1)
    width = 16 if input[0] == 1 else 24
    items: list[Item] = [Conv(width, 5, stride=2, padding="same", bias=False), BatchNorm(), ReLU()]
    extent = -(-side // 2)
    while extent >= SMALLEST_MAP:
        width = min(2 * width, WIDEST)
        items += [Conv(width, 3, padding="same", bias=False), MaxPool(2), BatchNorm(), ReLU()]
        extent //= 2
    items += [Flatten()] if side <= SMALL else [GlobalAvgPool()]
    return Net.of(*items, Dense(num_classes))


ENTRIES: dict[str, Entry] = {
    "quick": Entry(
        build=quick,
        input=(1, 28, 28),
        num_classes=10,
        parameters=29_434,
        source="Foveal's own; its parts: arXiv:1502.03167, arXiv:1312.4400",
        accuracy="",
        about="trained unless another is asked for; grows with the size of the pictures",
    ),
}
