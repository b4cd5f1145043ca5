"""VGG: nothing but 3x3 convolutions, and the finding that depth matters."""

from __future__ import annotations

from foveal.net import Net
from foveal.net.combinators import Item
from foveal.net.kind import Shape
from foveal.net.layers import Conv, Dense, Dropout, Flatten, MaxPool, ReLU


def vgg11(input: Shape = (3, 224, 224), num_classes: int = 1000) -> Net:
    """VGG-11, configuration A of the paper.

    Use it as the plain large net that others are compared with. Needs pictures of 32 px or more.

    Shape:   (N, 3, 224, 224) -> (N, num_classes) scores
    Params:  132,863,336 at 3x224x224 and 1,000 classes
    Raises:  nothing
    Source:  Simonyan & Zisserman 2014, arXiv:1409.1556

    >>> vgg11().bind((3, 224, 224)).result_shapes()
    {'': (1000,)}
    """
    return _vgg(((64,), (128,), (256, 256), (512, 512), (512, 512)), num_classes)


def _vgg(stages: tuple[tuple[int, ...], ...], num_classes: int) -> Net:
    features: list[Item] = []
    for stage in stages:
        for channels in stage:
            features += [Conv(channels, 3, padding=1), ReLU()]
        features.append(MaxPool(2))
    return Net.of(
        *features,
        *(Flatten(), Dense(4096), ReLU(), Dropout()),
        *(Dense(4096), ReLU(), Dropout(), Dense(num_classes)),
    )
