"""AlexNet: the net that made convolution the usual way to see, in 2012."""

from __future__ import annotations

from collections.abc import Iterator

from foveal.net import Net
from foveal.net.combinators import Item
from foveal.net.kind import Shape
from foveal.net.layers import (
    AdaptiveAvgPool,
    Conv,
    Dense,
    Dropout,
    Flatten,
    LocalResponseNorm,
    MaxPool,
    ReLU,
)
from foveal.zoo.entry import Entry, Published, imagenet


def alexnet(input: Shape = (3, 224, 224), num_classes: int = 1000) -> Net:
    """AlexNet in one tower, as torchvision has it.

    Use it to compare with, or for its large first filters, which show what they look for.

    Shape:   (N, 3, 224, 224) -> (N, num_classes) scores; needs 63 px or more
    Params:  61,100,840 at 3x224x224 and 1,000 classes
    Raises:  nothing
    Source:  Krizhevsky 2014, arXiv:1404.5997

    >>> alexnet().bind((3, 224, 224)).result_shapes()
    {'': (1000,)}
    """
    return Net.of(
        *(Conv(64, 11, stride=4, padding=2), ReLU(), MaxPool(3, stride=2)),
        *(Conv(192, 5, padding=2), ReLU(), MaxPool(3, stride=2)),
        *(Conv(384, 3, padding=1), ReLU(), Conv(256, 3, padding=1), ReLU()),
        *(Conv(256, 3, padding=1), ReLU(), MaxPool(3, stride=2)),
        *(AdaptiveAvgPool(6), Flatten(), Dropout(), Dense(4096), ReLU()),
        *(Dropout(), Dense(4096), ReLU(), Dense(num_classes)),
    )


def alexnet_2012(input: Shape = (3, 224, 224), num_classes: int = 1000) -> Net:
    """AlexNet in two towers, as it ran on two graphics cards: groups of 2 where they do not meet.

    Use it to see what the paper has: local response norm, overlapping pooling, halves of filters
    that see half of the maps. Its alpha of 1e-4 counts each square, Foveal's the mean of five.

    Shape:   (N, 3, 224, 224) -> (N, num_classes) scores; needs 63 px or more
    Params:  60,965,224 at 3x224x224 and 1,000 classes
    Raises:  nothing
    Source:  Krizhevsky, Sutskever & Hinton 2012, doi:10.1145/3065386

    >>> alexnet_2012().bind((3, 224, 224)).result_shapes()
    {'': (1000,)}
    """
    norm: list[Item] = [LocalResponseNorm(5, alpha=5e-4, k=2.0), MaxPool(3, stride=2)]
    return Net.of(
        *(Conv(96, 11, stride=4, padding=2), ReLU(), *norm),
        *(Conv(256, 5, padding=2, groups=2), ReLU(), *norm),
        *(Conv(384, 3, padding=1), ReLU(), Conv(384, 3, padding=1, groups=2), ReLU()),
        *(Conv(256, 3, padding=1, groups=2), ReLU(), MaxPool(3, stride=2), AdaptiveAvgPool(6)),
        *(Flatten(), Dense(4096), ReLU(), Dropout(), Dense(4096), ReLU(), Dropout()),
        Dense(num_classes),
    )


def _names() -> Iterator[str]:
    yield from (f"features.{place}" for place in (0, 3, 6, 8, 10))
    yield from (f"classifier.{place}" for place in (1, 4, 6))


ENTRIES: dict[str, Entry] = {
    "alexnet": imagenet(
        alexnet,
        61_100_840,
        56.52,
        "Krizhevsky 2014, arXiv:1404.5997",
        "large first filters, most weights in its dense layers",
        smallest=63,
        published=(Published("torchvision", _names, alexnet),),
    ),
    "alexnet_2012": imagenet(
        alexnet_2012,
        60_965_224,
        59.3,
        "Krizhevsky, Sutskever & Hinton 2012, doi:10.1145/3065386",
        "the same in two towers, with local response norm",
        smallest=63,
        stated="the paper",
    ),
}
