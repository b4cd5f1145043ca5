"""Inception v3: GoogLeNet's modules with large kernels taken apart into small and flat ones."""

from __future__ import annotations

from collections.abc import Iterator

from foveal.net import Net
from foveal.net.combinators import Chain, Item, Outputs, Reference, branches, chain, named
from foveal.net.kind import Shape
from foveal.net.layers import (
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Dropout,
    GlobalAvgPool,
    MaxPool,
    ReLU,
)
from foveal.zoo.entry import HALF, Entry, Published, imagenet

Size = int | tuple[int, int]


def inception_v3(
    input: Shape = (3, 299, 299), num_classes: int = 1000, *, auxiliary: bool = False
) -> Net:
    """Inception v3 as torchvision has it; `auxiliary` adds the head in the middle.

    Use it for good answers from pictures of 299 px; with `auxiliary` its results are `main` and
    `aux`. The means count their padding, as those of its authors did.

    Shape:   (N, 3, 299, 299) -> (N, num_classes) scores; needs 75 px or more
    Params:  23,834,568 at 3x299x299 and 1,000 classes; 27,161,264 with the auxiliary head
    Raises:  nothing
    Source:  Szegedy et al. 2015, arXiv:1512.00567

    >>> inception_v3().bind((3, 299, 299)).result_shapes()
    {'': (1000,)}
    """
    items: list[Item] = [
        *(conv(32, 3, stride=2), conv(32, 3), conv(64, 3, padding=1), MaxPool(3, stride=2)),
        *(conv(80, 1), conv(192, 3), MaxPool(3, stride=2)),
        *(
            named(f"mixed5{letter}", _a(pooled))
            for letter, pooled in zip("bcd", (32, 64, 64), strict=True)
        ),
        named("mixed6a", _b()),
        *(
            named(f"mixed6{name}", _c(inner))
            for name, inner in zip("bcde", (128, 160, 160, 192), strict=True)
        ),
        *(named("mixed7a", _d()), named("mixed7b", _e()), named("mixed7c", _e())),
    ]
    head = chain(GlobalAvgPool(), Dropout(), named("head", Dense(num_classes)))
    if not auxiliary:
        return Net.of(*items, head)
    aside = named("aux", Reference("mixed6e"), _auxiliary(num_classes))
    return Net.of(*items, Outputs((named("main", head), aside)))


def _a(pooled: int) -> Item:
    """Kernels of 1, 5 and twice 3."""
    return branches(
        Concat(),
        conv(64, 1),
        chain(conv(48, 1), conv(64, 5, padding=2)),
        chain(conv(64, 1), conv(96, 3, padding=1), conv(96, 3, padding=1)),
        chain(_mean(), conv(pooled, 1)),
    )


def _b() -> Item:
    """Halves the map."""
    return branches(
        Concat(),
        conv(384, 3, stride=2),
        chain(conv(64, 1), conv(96, 3, padding=1), conv(96, 3, stride=2)),
        MaxPool(3, stride=2),
    )


def _c(inner: int) -> Item:
    """Kernels of 7 taken apart into rows and columns."""
    return branches(
        Concat(),
        conv(192, 1),
        chain(conv(inner, 1), _row(inner), _column(192)),
        chain(conv(inner, 1), _column(inner), _row(inner), _column(inner), _row(192)),
        chain(_mean(), conv(192, 1)),
    )


def _d() -> Item:
    """Halves the map."""
    return branches(
        Concat(),
        chain(conv(192, 1), conv(320, 3, stride=2)),
        chain(conv(192, 1), _row(192), _column(192), conv(192, 3, stride=2)),
        MaxPool(3, stride=2),
    )


def _e() -> Item:
    """Kernels of 3 taken apart into a row and a column, side by side."""
    return branches(
        Concat(),
        conv(320, 1),
        chain(conv(384, 1), _parted()),
        chain(conv(448, 1), conv(384, 3, padding=1), _parted()),
        chain(_mean(), conv(192, 1)),
    )


def _parted() -> Item:
    return branches(Concat(), conv(384, (1, 3), padding=(0, 1)), conv(384, (3, 1), padding=(1, 0)))


def _row(channels: int) -> Chain:
    return conv(channels, (1, 7), padding=(0, 3))


def _column(channels: int) -> Chain:
    return conv(channels, (7, 1), padding=(3, 0))


def _mean() -> AvgPool:
    return AvgPool(3, stride=1, padding=1, count_include_pad=True)


def _auxiliary(num_classes: int) -> Chain:
    convolutions = (AvgPool(5, stride=3), conv(128, 1), conv(768, 5))
    return chain(*convolutions, GlobalAvgPool(), Dense(num_classes))


def conv(channels: int, kernel_size: Size, stride: int = 1, padding: Size = 0) -> Chain:
    """A convolution of the Inception family, with its batch norm and activation."""
    convolution = Conv(channels, kernel_size, stride=stride, padding=padding, bias=False)
    return chain(convolution, BatchNorm(eps=0.001), ReLU())


_TWICE = ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3")
_FIVE = ("branch1x1", "branch5x5_1", "branch5x5_2", *_TWICE, "branch_pool")
_SEVEN = (
    *("branch1x1", "branch7x7_1", "branch7x7_2", "branch7x7_3"),
    *(f"branch7x7dbl_{place}" for place in range(1, 6)),
    "branch_pool",
)
_FLAT = (
    *("branch1x1", "branch3x3_1", "branch3x3_2a", "branch3x3_2b"),
    *("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3a", "branch3x3dbl_3b", "branch_pool"),
)
PARTS = {
    **dict.fromkeys(("Mixed_5b", "Mixed_5c", "Mixed_5d"), _FIVE),
    "Mixed_6a": ("branch3x3", *_TWICE),
    **dict.fromkeys(("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"), _SEVEN),
    "Mixed_7a": (
        *("branch3x3_1", "branch3x3_2"),
        *(f"branch7x7x3_{place}" for place in range(1, 5)),
    ),
    **dict.fromkeys(("Mixed_7b", "Mixed_7c"), _FLAT),
}
"""What torchvision calls the modules, and the convolutions in each."""


def _names() -> Iterator[str]:
    stem = (f"Conv2d_{name}" for name in ("1a_3x3", "2a_3x3", "2b_3x3", "3b_1x1", "4a_3x3"))
    for name in (*stem, *(f"{module}.{part}" for module in PARTS for part in PARTS[module])):
        yield from (f"{name}.conv", f"{name}.bn")
    yield "fc"


ENTRIES: dict[str, Entry] = {
    "inception_v3": imagenet(
        inception_v3,
        23_834_568,
        77.29,
        "Szegedy et al. 2015, arXiv:1512.00567",
        "large kernels taken apart; pictures of 299 px",
        input=(3, 299, 299),
        smallest=75,
        published=(
            Published(
                "torchvision",
                _names,
                inception_v3,
                mean=HALF,
                std=HALF,
                repository="timm/inception_v3.tv_in1k",
                auxiliary=("AuxLogits.",),
            ),
        ),
    ),
}
