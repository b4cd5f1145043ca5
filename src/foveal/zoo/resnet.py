"""ResNet: blocks that learn what to add to what arrives."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from foveal.net import Net
from foveal.net.combinators import Chain, Item, Named, branches, chain, named, repeat
from foveal.net.kind import Shape
from foveal.net.layers import Add, BatchNorm, Conv, Dense, GlobalAvgPool, Identity, MaxPool, ReLU
from foveal.zoo.entry import Entry, Published, imagenet

SOURCE = "He et al. 2015, arXiv:1512.03385"
BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
"""How many blocks stand in each of the four stages, by the number of layers with weights."""
WIDENING = 4
"""A bottleneck leaves with so many times the channels it works on."""


def resnet(input: Shape = (3, 224, 224), num_classes: int = 1000, *, layers: int = 18) -> Net:
    """ResNet of 18, 34, 50, 101 or 152 layers; from 50 on its blocks are bottlenecks.

    Use it as a solid net for photographs; the one of 18 layers still trains on an ordinary
    computer. Bottlenecks have their stride on the 3x3 convolution, as torchvision's have. Below
    64 px it has a 3x3 stem and no pooling, as is usual for CIFAR-10.

    Shape:   (N, 3, 224, 224) -> (N, num_classes) scores
    Params:  11,689,512 with 18 layers at 3x224x224 and 1,000 classes
    Raises:  KeyError for another number of layers
    Source:  He et al. 2015, arXiv:1512.03385

    >>> resnet(layers=50).bind((3, 224, 224)).result_shapes()
    {'': (1000,)}
    """
    deep = layers >= 50
    return Net.of(
        *_stem(small=min(input[1:]) < 64),
        *(
            _stage(f"layer{n}", 64 << (n - 1), blocks, stride=min(n, 2), deep=deep)
            for n, blocks in enumerate(BLOCKS[layers], start=1)
        ),
        *(GlobalAvgPool(), named("head", Dense(num_classes))),
    )


def _stem(small: bool) -> list[Item]:
    if small:
        return [Conv(64, 3, padding=1, bias=False), BatchNorm(), ReLU()]
    convolution = Conv(64, 7, stride=2, padding=3, bias=False)
    return [convolution, BatchNorm(), ReLU(), MaxPool(3, stride=2, padding=1)]


def _stage(name: str, channels: int, blocks: int, stride: int, deep: bool) -> Named:
    """Blocks of which the first may halve the maps, or widen what arrives."""
    residual = _bottleneck if deep else _basic
    made = channels * WIDENING if deep else channels
    rest = _block(Identity(), residual(channels, 1))
    if stride == 1 and not deep:
        return named(name, repeat(blocks, rest))
    short = chain(Conv(made, 1, stride=stride, bias=False), BatchNorm())
    return named(name, _block(short, residual(channels, stride)), repeat(blocks - 1, rest))


def _block(short: Item, residual: Chain) -> Chain:
    return chain(branches(Add(), short, residual), ReLU())


def _basic(channels: int, stride: int) -> Chain:
    return chain(
        *(Conv(channels, 3, stride=stride, padding=1, bias=False), BatchNorm(), ReLU()),
        *(Conv(channels, 3, padding=1, bias=False), BatchNorm()),
    )


def _bottleneck(channels: int, stride: int) -> Chain:
    return chain(
        *(Conv(channels, 1, bias=False), BatchNorm(), ReLU()),
        *(Conv(channels, 3, stride=stride, padding=1, bias=False), BatchNorm(), ReLU()),
        *(Conv(WIDENING * channels, 1, bias=False), BatchNorm()),
    )


def _names(layers: int) -> Iterator[str]:
    yield from ("conv1", "bn1")
    deep = layers >= 50
    for stage, blocks in enumerate(BLOCKS[layers], start=1):
        for block in range(blocks):
            if block == 0 and (stage > 1 or deep):
                yield from (f"layer{stage}.0.downsample.{part}" for part in (0, 1))
            for number in (1, 2, 3)[: 2 + deep]:
                yield from (f"layer{stage}.{block}.{word}{number}" for word in ("conv", "bn"))
    yield "fc"


def _entry(layers: int, parameters: int, top_1: float, about: str) -> Entry:
    build, names = partial(resnet, layers=layers), partial(_names, layers)
    repository = f"timm/resnet{layers}.tv_in1k"
    published = (Published("torchvision", names, build, repository=repository),)
    return imagenet(build, parameters, top_1, SOURCE, about, published=published)


ENTRIES: dict[str, Entry] = {
    "resnet18": _entry(18, 11_689_512, 69.76, "residual blocks; a solid net for photographs"),
    "resnet34": _entry(34, 21_797_672, 73.31, "the same blocks, twice as deep"),
    "resnet50": _entry(50, 25_557_032, 76.13, "bottleneck blocks; what others are measured by"),
    "resnet101": _entry(101, 44_549_160, 77.37, "bottleneck blocks, 23 in its third stage"),
    "resnet152": _entry(152, 60_192_808, 78.31, "bottleneck blocks, 36 in its third stage"),
}
