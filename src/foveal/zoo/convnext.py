"""ConvNeXt: a residual net with what was learned from transformers."""

from __future__ import annotations

from collections.abc import Iterator

from foveal.net import Net
from foveal.net.combinators import Item, branches, chain, named, repeat
from foveal.net.kind import Shape
from foveal.net.layers import (
    GELU,
    Add,
    Conv,
    Dense,
    Depthwise,
    DropPath,
    GlobalAvgPool,
    Identity,
    LayerNorm,
    Scale,
)
from foveal.zoo.entry import Entry, Published, imagenet

STAGES = ((96, 3), (192, 3), (384, 9), (768, 3))
"""Channels and blocks of each stage."""
EPS = 1e-6


def convnext_tiny(input: Shape = (3, 224, 224), num_classes: int = 1000) -> Net:
    """ConvNeXt-T: large depthwise kernels, one activation a block, norms over the channels.

    Use it as today's practical pick where ResNet-50 was yesterday's: as much work, better answers.
    While it learns, deeper blocks are left out more often (stochastic depth).

    Shape:   (N, 3, 224, 224) -> (N, num_classes) scores; needs 32 px or more
    Params:  28,589,128 at 3x224x224 and 1,000 classes
    Raises:  nothing
    Source:  Liu et al. 2022, arXiv:2201.03545

    >>> convnext_tiny().bind((3, 224, 224)).result_shapes()
    {'': (1000,)}
    """
    items: list[Item] = []
    for number, (channels, count) in enumerate(STAGES, start=1):
        if number == 1:
            items += [Conv(channels, 4, stride=4), LayerNorm(eps=EPS)]
        else:
            items += [LayerNorm(eps=EPS), Conv(channels, 2, stride=2)]
        items.append(named(f"stage{number}", repeat(count, _block(channels))))
    return Net.of(*items, GlobalAvgPool(), LayerNorm(eps=EPS), named("head", Dense(num_classes)))


def _block(channels: int) -> Item:
    found = chain(
        *(Depthwise(7, padding=3), LayerNorm(eps=EPS), Conv(4 * channels, 1), GELU()),
        *(Conv(channels, 1), Scale(1e-6), DropPath(0.1, ramp=True)),
    )
    return branches(Add(), Identity(), found)


BLOCK = {
    "timm": ("conv_dw", "norm", "mlp.fc1", "mlp.fc2", "gamma"),
    "torchvision": ("block.0", "block.2", "block.3", "block.5", "layer_scale"),
}
"""What each calls the parts of a block."""


def _timm() -> Iterator[str]:
    yield from ("stem.0", "stem.1")
    for stage, (_, count) in enumerate(STAGES):
        if stage:
            yield from (f"stages.{stage}.downsample.{part}" for part in (0, 1))
        for block in range(count):
            yield from (f"stages.{stage}.blocks.{block}.{part}" for part in BLOCK["timm"])
    yield from ("head.norm", "head.fc")


def _torchvision() -> Iterator[str]:
    for stage, (_, count) in enumerate(STAGES):
        yield from (f"features.{2 * stage}.{part}" for part in (0, 1))
        for block in range(count):
            yield from (f"features.{2 * stage + 1}.{block}.{p}" for p in BLOCK["torchvision"])
    yield from ("classifier.0", "classifier.2")


ENTRIES: dict[str, Entry] = {
    "convnext_tiny": imagenet(
        convnext_tiny,
        28_589_128,
        82.52,
        "Liu et al. 2022, arXiv:2201.03545",
        "large depthwise kernels; as much work as ResNet-50, better answers",
        published=(
            Published("timm", _timm, convnext_tiny, repository="timm/convnext_tiny.fb_in1k"),
            Published("torchvision", _torchvision, convnext_tiny),
        ),
    ),
}
