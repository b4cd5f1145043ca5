"""MobileNet v2: Sandler et al. 2018, arXiv:1801.04381, table 2; and the form that Keras trains."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from functools import partial

from torch import Tensor, nn
from torch.nn import functional

# Expansion, channels, number of blocks, stride of the first.
TABLE = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def divisible(channels: float) -> int:
    """The nearest multiple of eight that takes away no more than a tenth."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8


class SameConv2d(nn.Conv2d):
    """Pads so that ceil(size / stride) positions remain, and the odd pixel behind."""

    def forward(self, x: Tensor) -> Tensor:
        pads = []
        for size, kernel, stride in zip(x.shape[:1:-1], self.kernel_size, self.stride, strict=True):
            pad = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [pad // 2, pad - pad // 2]
        return super().forward(functional.pad(x, pads))


def unit(arriving: int, made: int, kernel: int, stride: int, groups: int, same: bool) -> nn.Module:
    conv = SameConv2d if same else partial(nn.Conv2d, padding=kernel // 2)
    return nn.Sequential(
        conv(arriving, made, kernel, stride, groups=groups, bias=False),
        nn.BatchNorm2d(made, eps=1e-3 if same else 1e-5),
        nn.ReLU6(inplace=True),
    )


class Block(nn.Module):
    def __init__(self, arriving: int, made: int, wider: int, stride: int, same: bool) -> None:
        super().__init__()
        inside = arriving * wider
        self.added = stride == 1 and arriving == made
        self.conv = nn.Sequential(
            *([unit(arriving, inside, 1, 1, 1, same)] if wider > 1 else []),
            unit(inside, inside, 3, stride, inside, same),
            nn.Conv2d(inside, made, 1, bias=False),
            nn.BatchNorm2d(made, eps=1e-3 if same else 1e-5),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.added else self.conv(x)


def mobilenet_v2(num_classes: int = 1000, width: float = 1.0, same: bool = False) -> nn.Module:
    """`same` is Keras' form: no padding before the pixels of a stride of 2, and eps 1e-3."""
    arriving = divisible(32 * width)
    features = [unit(3, arriving, 3, 2, 1, same)]
    for wider, base, count, first in TABLE:
        for number in range(count):
            made = divisible(base * width)
            features.append(Block(arriving, made, wider, 1 if number else first, same))
            arriving = made
    last = divisible(1280 * max(1.0, width))
    features.append(unit(arriving, last, 1, 1, 1, same))
    return nn.Sequential(
        OrderedDict(
            features=nn.Sequential(*features),
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            classifier=nn.Sequential(nn.Dropout(0.2), nn.Linear(last, num_classes)),
        )
    )


def timm_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Blocks are counted within their stages, and the layers of one by kind."""
    names = dict(_timm_modules())
    return _renamed(tensors, names)


def keras_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Blocks are counted from first to last, but that the first has no number."""
    return _renamed(tensors, dict(_keras_modules()))


def _timm_modules() -> Iterator[tuple[str, str]]:
    yield from {"features.0.0": "conv_stem", "features.0.1": "bn1"}.items()
    yield from {"features.18.0": "conv_head", "features.18.1": "bn2"}.items()
    yield "classifier.1", "classifier"
    separable, inverted = ("dw", "pw"), ("pw", "dw", "pwl")
    number = 0
    for stage, (wider, _, count, _) in enumerate(TABLE):
        for block in range(count):
            number += 1
            convolutions = separable if wider == 1 else inverted
            for place, (theirs, word) in enumerate(
                zip(_places(len(convolutions)), convolutions, strict=True), start=1
            ):
                yield f"features.{number}.conv.{theirs[0]}", f"blocks.{stage}.{block}.conv_{word}"
                yield f"features.{number}.conv.{theirs[1]}", f"blocks.{stage}.{block}.bn{place}"


def _keras_modules() -> Iterator[tuple[str, str]]:
    yield from {"features.0.0": "Conv1", "features.0.1": "bn_Conv1"}.items()
    yield from {"features.18.0": "Conv_1", "features.18.1": "Conv_1_bn"}.items()
    yield "classifier.1", "predictions"
    for number in range(1, 18):
        block = "expanded_conv" if number == 1 else f"block_{number - 1}"
        words = ("expand", "depthwise", "project")[number == 1 :]
        for theirs, word in zip(_places(len(words)), words, strict=True):
            yield f"features.{number}.conv.{theirs[0]}", f"{block}_{word}"
            yield f"features.{number}.conv.{theirs[1]}", f"{block}_{word}_BN"


def _places(count: int) -> list[tuple[str, str]]:
    """Where in a block's `conv` its convolutions and norms stand: the last two lie bare."""
    units = [(f"{number}.0", f"{number}.1") for number in range(count - 1)]
    return [*units, (f"{count - 1}", f"{count}")]


def _renamed(tensors: dict[str, Tensor], names: dict[str, str]) -> dict[str, Tensor]:
    parted = ((*name.rpartition("."), tensor) for name, tensor in tensors.items())
    return {f"{names[module]}.{last}": tensor for module, _, last, tensor in parted}
