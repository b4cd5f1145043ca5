"""GoogLeNet: several sizes of kernel side by side, and their maps behind one another."""

from __future__ import annotations

from collections.abc import Iterator

from foveal.net import Net
from foveal.net.combinators import Chain, Item, Outputs, Reference, branches, chain, named
from foveal.net.kind import Shape
from foveal.net.layers import (
    AdaptiveAvgPool,
    Concat,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    MaxPool,
    ReLU,
)
from foveal.zoo.entry import HALF, Entry, Published, imagenet
from foveal.zoo.inception import conv

MODULES = {
    "inception3a": (64, 96, 128, 16, 32, 32),
    "inception3b": (128, 128, 192, 32, 96, 64),
    "inception4a": (192, 96, 208, 16, 48, 64),
    "inception4b": (160, 112, 224, 24, 64, 64),
    "inception4c": (128, 128, 256, 24, 64, 64),
    "inception4d": (112, 144, 288, 32, 64, 64),
    "inception4e": (256, 160, 320, 32, 128, 128),
    "inception5a": (256, 160, 320, 32, 128, 128),
    "inception5b": (384, 192, 384, 48, 128, 128),
}
"""Table 1 of the paper: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, behind pooling."""
POOLED = {"inception4a": MaxPool(3, stride=2, ceil=True), "inception5a": MaxPool(2, ceil=True)}
"""What stands before a module."""
HEADS = {"aux1": "inception4a", "aux2": "inception4d"}
"""Where the auxiliary heads read."""


def googlenet(
    input: Shape = (3, 224, 224), num_classes: int = 1000, *, auxiliary: bool = False
) -> Net:
    """GoogLeNet as torchvision has it: with batch norm, and 3x3 where the paper has 5x5.

    Use it for good answers from few parameters. `auxiliary` adds the two heads in the middle, that
    helped the first layers to learn before there was batch norm: results `main`, `aux1`, `aux2`.

    Shape:   (N, 3, 224, 224) -> (N, num_classes) scores
    Params:  6,624,904 at 3x224x224 and 1,000 classes; 13,004,888 with auxiliary heads
    Raises:  nothing
    Source:  Szegedy et al. 2014, arXiv:1409.4842

    >>> googlenet().bind((3, 224, 224)).result_shapes()
    {'': (1000,)}
    """
    items: list[Item] = [conv(64, 7, stride=2, padding=3), MaxPool(3, stride=2, ceil=True)]
    items += [conv(64, 1), conv(192, 3, padding=1), MaxPool(3, stride=2, ceil=True)]
    for name, channels in MODULES.items():
        items += [POOLED[name]] if name in POOLED else []
        items.append(named(name, _module(*channels)))
    head = chain(GlobalAvgPool(), Dropout(0.2), named("head", Dense(num_classes)))
    if not auxiliary:
        return Net.of(*items, head)
    others = (
        named(name, Reference(module), _auxiliary(num_classes)) for name, module in HEADS.items()
    )
    return Net.of(*items, Outputs((named("main", head), *others)))


def _module(one: int, before3: int, three: int, before5: int, five: int, behind: int) -> Item:
    return branches(
        Concat(),
        conv(one, 1),
        chain(conv(before3, 1), conv(three, 3, padding=1)),
        chain(conv(before5, 1), conv(five, 3, padding=1)),
        chain(MaxPool(3, stride=1, padding=1), conv(behind, 1)),
    )


def _auxiliary(num_classes: int) -> Chain:
    return chain(
        *(AdaptiveAvgPool(4), conv(128, 1), Flatten(), Dense(1024), ReLU()),
        *(Dropout(0.7), Dense(num_classes)),
    )


PARTS = ("branch1", "branch2.0", "branch2.1", "branch3.0", "branch3.1", "branch4.1")
"""What torchvision calls the convolutions of a module."""


def _names() -> Iterator[str]:
    parts = (f"{module}.{part}" for module in MODULES for part in PARTS)
    for name in ("conv1", "conv2", "conv3", *parts):
        yield from (f"{name}.conv", f"{name}.bn")
    yield "fc"


ENTRIES: dict[str, Entry] = {
    "googlenet": imagenet(
        googlenet,
        6_624_904,
        69.78,
        "Szegedy et al. 2014, arXiv:1409.4842",
        "kernels of several sizes side by side; few parameters",
        published=(
            Published(
                "torchvision",
                _names,
                googlenet,
                mean=HALF,
                std=HALF,
                auxiliary=tuple(f"{name}." for name in HEADS),
            ),
        ),
    ),
}
