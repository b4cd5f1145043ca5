"""ResNet: blocks that learn what to add to what arrives."""

from __future__ import annotations

from foveal.net import Net
from foveal.net.combinators import Chain, Item, Named, branches, chain, named, repeat
from foveal.net.kind import Shape
from foveal.net.layers import Add, BatchNorm, Conv, Dense, GlobalAvgPool, Identity, MaxPool, ReLU


def resnet18(input: Shape = (3, 224, 224), num_classes: int = 1000) -> Net:
    """ResNet-18; below 64 px with a 3x3 stem and no pooling, as is usual for CIFAR-10.

    Use it as a solid net for photographs that still trains on an ordinary computer.

    Shape:   (N, 3, 224, 224) -> (N, num_classes) scores
    Params:  11,689,512 at 3x224x224 and 1,000 classes
    Raises:  nothing
    Source:  He et al. 2015, arXiv:1512.03385

    >>> resnet18().bind((3, 224, 224)).result_shapes()
    {'': (1000,)}
    """
    return Net.of(
        *_stem(small=min(input[1:]) < 64),
        *(_stage(f"layer{n}", 64 << (n - 1), 2, stride=min(n, 2)) for n in (1, 2, 3, 4)),
        *(GlobalAvgPool(), named("head", Dense(num_classes))),
    )


def _stem(small: bool) -> list[Item]:
    if small:
        return [Conv(64, 3, padding=1, bias=False), BatchNorm(), ReLU()]
    convolution = Conv(64, 7, stride=2, padding=3, bias=False)
    return [convolution, BatchNorm(), ReLU(), MaxPool(3, stride=2, padding=1)]


def _stage(name: str, channels: int, blocks: int, stride: int) -> Named:
    """Basic blocks; the first one halves the maps where the stride is 2."""
    if stride == 1:
        return named(name, repeat(blocks, _block(channels, 1)))
    return named(name, _block(channels, stride), repeat(blocks - 1, _block(channels, 1)))


def _block(channels: int, stride: int) -> Chain:
    short: tuple[Item, ...] = (Identity(),)
    if stride > 1:
        short = (Conv(channels, 1, stride=stride, bias=False), BatchNorm())
    residual = chain(
        *(Conv(channels, 3, stride=stride, padding=1, bias=False), BatchNorm(), ReLU()),
        *(Conv(channels, 3, padding=1, bias=False), BatchNorm()),
    )
    return chain(branches(Add(), chain(*short), residual), ReLU())
