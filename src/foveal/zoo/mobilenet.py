"""MobileNet v2: wide inside, narrow where blocks meet, for little work and little memory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from foveal.net import Net
from foveal.net.combinators import Item, branches, chain
from foveal.net.kind import Shape
from foveal.net.layers import (
    Add,
    BatchNorm,
    Conv,
    Dense,
    Depthwise,
    Dropout,
    GlobalAvgPool,
    Identity,
    ReLU,
)
from foveal.zoo.entry import HALF, Entry, Published, imagenet

SOURCE = "Sandler et al. 2018, arXiv:1801.04381"
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Of each stage: how much wider a block is inside, its channels, how many blocks, the stride of the
first (table 2 of the paper)."""
FORMS: dict[str, tuple[int | str, float]] = {"torchvision": (1, 1e-5), "keras": ("same", 1e-3)}
"""Padding of the 3x3 convolutions, and eps of the batch norms."""


def mobilenet_v2(
    input: Shape = (3, 224, 224),
    num_classes: int = 1000,
    *,
    width: float = 1.0,
    form: str = "torchvision",
) -> Net:
    """MobileNet v2 of any width: inverted residual blocks around depthwise convolutions.

    Use it for phones, old computers and quick answers. A block adds what it found to what arrived
    only where both have the same shape: that is decided here, not by the net. Weights of Keras
    want `form="keras"`, which pads a halving convolution only after an even map.

    Shape:   (N, 3, 224, 224) -> (N, num_classes) scores
    Params:  3,504,872 of width 1 at 3x224x224 and 1,000 classes
    Raises:  KeyError for another form
    Source:  Sandler et al. 2018, arXiv:1801.04381

    >>> mobilenet_v2(width=0.35).bind((3, 224, 224)).result_shapes()
    {'': (1000,)}
    """
    padding, eps = FORMS[form]
    cut = (BatchNorm(eps=eps), ReLU(max=6))
    channels = _eights(32 * width)
    items: list[Item] = [Conv(channels, 3, stride=2, padding=padding, bias=False), *cut]
    for wider, base, count, first in STAGES:
        made = _eights(base * width)
        for number in range(count):
            stride = 1 if number else first
            depthwise = Depthwise(3, stride=stride, padding=padding, bias=False)
            items.append(_block(channels, made, wider, depthwise, cut))
            channels = made
    last = _eights(1280 * max(1.0, width))
    items += [Conv(last, 1, bias=False), *cut, GlobalAvgPool(), Dropout(0.2)]
    return Net.of(*items, Dense(num_classes))


def _block(
    channels: int, made: int, wider: int, depthwise: Depthwise, cut: tuple[BatchNorm, ReLU]
) -> Item:
    inside = chain(
        *((Conv(channels * wider, 1, bias=False), *cut) if wider > 1 else ()),
        *(depthwise, *cut),
        *(Conv(made, 1, bias=False), cut[0]),
    )
    if depthwise.stride != 1 or channels != made:
        return inside
    return branches(Add(), Identity(), inside)


def _eights(channels: float) -> int:
    """The nearest multiple of 8, but never less than nine tenths (of the authors' code)."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


COUNTS = [count for _, _, count, _ in STAGES]
_WIDENING = ("conv.0.0", "conv.0.1", "conv.1.0", "conv.1.1", "conv.2", "conv.3")
_FIRST = ("conv.0.0", "conv.0.1", "conv.1", "conv.2")


def _torchvision() -> Iterator[str]:
    yield from ("features.0.0", "features.0.1")
    for block in range(1, sum(COUNTS) + 1):
        yield from (f"features.{block}.{part}" for part in (_WIDENING if block > 1 else _FIRST))
    yield from ("features.18.0", "features.18.1", "classifier.1")


def _timm() -> Iterator[str]:
    yield from ("conv_stem", "bn1")
    for stage, count in enumerate(COUNTS):
        words = ("conv_pw", "conv_dw", "conv_pwl") if stage else ("conv_dw", "conv_pw")
        for block in range(count):
            for number, word in enumerate(words, start=1):
                yield from (f"blocks.{stage}.{block}.{part}" for part in (word, f"bn{number}"))
    yield from ("conv_head", "bn2", "classifier")


def _keras() -> Iterator[str]:
    yield from ("Conv1", "bn_Conv1")
    for block in range(sum(COUNTS)):
        at = f"block_{block}" if block else "expanded_conv"
        for word in ("expand", "depthwise", "project")[block == 0 :]:
            yield from (f"{at}_{word}", f"{at}_{word}_BN")
    yield from ("Conv_1", "Conv_1_bn", "predictions")


def _entry(width: float, parameters: int, top_1: float, stated: str, repository: str = "") -> Entry:
    about = f"little work, little memory; width {width:g}"
    build = partial(mobilenet_v2, width=width)
    published = (
        Published("timm", _timm, build, repository=repository),
        Published("torchvision", _torchvision, build),
        Published("keras", _keras, partial(build, form="keras"), mean=HALF, std=HALF),
    )
    return imagenet(build, parameters, top_1, SOURCE, about, stated=stated, published=published)


ENTRIES: dict[str, Entry] = {
    "mobilenet_v2": _entry(1.0, 3_504_872, 71.88, "torchvision", "timm/mobilenetv2_100.ra_in1k"),
    "mobilenet_v2_035": _entry(0.35, 1_677_128, 60.3, "the authors"),
    "mobilenet_v2_050": _entry(
        0.5, 1_968_680, 65.4, "the authors", "timm/mobilenetv2_050.lamb_in1k"
    ),
    "mobilenet_v2_140": _entry(1.4, 6_108_776, 75.0, "the authors", "timm/mobilenetv2_140.ra_in1k"),
}
