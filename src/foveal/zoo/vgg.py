"""VGG: nothing but 3x3 convolutions, and the finding that depth matters."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from foveal.net import Net
from foveal.net.combinators import Item
from foveal.net.kind import Shape
from foveal.net.layers import (
    AdaptiveAvgPool,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    MaxPool,
    ReLU,
)
from foveal.zoo.entry import Entry, Published, imagenet

SOURCE = "Simonyan & Zisserman 2014, arXiv:1409.1556"
CHANNELS = (64, 128, 256, 512, 512)
CONVOLUTIONS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
"""How many convolutions stand in each of the five stages, by the number of layers with weights."""
HEADS = {
    "timm": ("pre_logits.fc1", "pre_logits.fc2", "head.fc"),
    "torchvision": ("classifier.0", "classifier.3", "classifier.6"),
}
"""What each calls the dense layers."""


def vgg(
    input: Shape = (3, 224, 224),
    num_classes: int = 1000,
    *,
    layers: int = 11,
    batch_norm: bool = False,
    pooled: bool = False,
) -> Net:
    """VGG of 11, 13, 16 or 19 layers with weights: configurations A, B, D and E of the paper.

    Use it as the plain large net that others are compared with. Needs pictures of 32 px or more.
    `pooled` brings maps of any size to 7x7, those of 224 px, so that published weights fit.

    Shape:   (N, 3, 224, 224) -> (N, num_classes) scores
    Params:  132,863,336 with 11 layers at 3x224x224 and 1,000 classes
    Raises:  KeyError for another number of layers
    Source:  Simonyan & Zisserman 2014, arXiv:1409.1556

    >>> vgg(layers=16).bind((3, 224, 224)).result_shapes()
    {'': (1000,)}
    """
    norm: list[Item] = [BatchNorm()] if batch_norm else []
    features: list[Item] = []
    for channels, count in zip(CHANNELS, CONVOLUTIONS[layers], strict=True):
        features += [Conv(channels, 3, padding=1), *norm, ReLU()] * count
        features.append(MaxPool(2))
    if pooled:
        features.append(AdaptiveAvgPool(7))
    return Net.of(
        *features,
        *(Flatten(), Dense(4096), ReLU(), Dropout()),
        *(Dense(4096), ReLU(), Dropout(), Dense(num_classes)),
    )


def _names(layers: int, batch_norm: bool, head: tuple[str, ...]) -> Iterator[str]:
    place = 0
    for count in CONVOLUTIONS[layers]:
        for _ in range(count):
            yield from (f"features.{place + step}" for step in range(1 + batch_norm))
            place += 2 + batch_norm
        place += 1
    yield from head


def _entry(layers: int, parameters: int, top_1: float, batch_norm: bool = False) -> Entry:
    about = f"{layers} layers, all convolutions 3x3" + ", with batch norm" * batch_norm
    build = partial(vgg, layers=layers, batch_norm=batch_norm)
    trained = partial(build, pooled=True)
    repository = f"timm/vgg{layers}{'_bn' * batch_norm}.tv_in1k"
    published = tuple(
        Published(by, partial(_names, layers, batch_norm, head), trained, repository=at)
        for (by, head), at in zip(HEADS.items(), (repository, ""), strict=True)
    )
    return imagenet(build, parameters, top_1, SOURCE, about, published=published)


ENTRIES: dict[str, Entry] = {
    "vgg11": _entry(11, 132_863_336, 69.02),
    "vgg13": _entry(13, 133_047_848, 69.93),
    "vgg16": _entry(16, 138_357_544, 71.59),
    "vgg19": _entry(19, 143_667_240, 72.38),
    "vgg11_bn": _entry(11, 132_868_840, 70.37, batch_norm=True),
    "vgg13_bn": _entry(13, 133_053_736, 71.59, batch_norm=True),
    "vgg16_bn": _entry(16, 138_365_992, 73.36, batch_norm=True),
    "vgg19_bn": _entry(19, 143_678_248, 74.22, batch_norm=True),
}
