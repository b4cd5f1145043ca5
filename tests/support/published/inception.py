"""Inception v3: Szegedy et al. 2015, arXiv:1512.00567, table 1 and figures 5, 6, 7 and 10."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

import torch
from support.published.parts import Headed, Size, Unit
from torch import Tensor, nn
from torch.nn import functional

Branch = tuple[str | tuple[str, int, Size], ...]
"""Its layers: a pooling by its word; a convolution by name, channels made and kernel."""

POOLS = {
    "mean": partial(functional.avg_pool2d, kernel_size=3, stride=1, padding=1),
    "max": partial(functional.max_pool2d, kernel_size=3, stride=2),
}
ROW, COLUMN = (1, 7), (7, 1)
FLAT = {"a": (1, 3), "b": (3, 1)}


class Mixed(nn.Module):
    """Branches side by side; what two begin with alike is there once.

    With `halving` the last convolution of each has a stride of 2 and no padding.
    """

    def __init__(self, arriving: int, *branches: Branch, halving: bool = False) -> None:
        super().__init__()
        self.branches: list[list[str]] = []
        for branch in branches:
            made, names = arriving, []
            for layer in branch:
                if isinstance(layer, str):
                    names.append(layer)
                    continue
                name, channels, kernel = layer
                form = (2, 0) if halving and layer is branch[-1] else (1, _half(kernel))
                if name not in self._modules:
                    self.add_module(name, Unit(made, channels, kernel, *form))
                names.append(name)
                made = channels
            self.branches.append(names)

    def forward(self, x: Tensor) -> Tensor:
        found = []
        values: dict[str, Tensor] = {}
        for names in self.branches:
            y = x
            for name in names:
                if name not in values:
                    values[name] = (POOLS.get(name) or self.get_submodule(name))(y)
                y = values[name]
            found.append(y)
        return torch.cat(found, 1)


def _half(kernel: Size) -> tuple[int, int]:
    """Padding that leaves the size of the map as it is."""
    height, width = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return height // 2, width // 2


def _numbered(name: str, channels: tuple[int, ...], kernels: tuple[Size, ...]) -> Branch:
    rows = zip(channels, kernels, strict=True)
    return tuple((f"{name}_{number}", *row) for number, row in enumerate(rows, start=1))


DOUBLE = _numbered("branch3x3dbl", (64, 96, 96), (1, 3, 3))


def a(arriving: int, pooled: int) -> Mixed:
    five = _numbered("branch5x5", (48, 64), (1, 5))
    last: Branch = ("mean", ("branch_pool", pooled, 1))
    return Mixed(arriving, (("branch1x1", 64, 1),), five, DOUBLE, last)


def b(arriving: int) -> Mixed:
    return Mixed(arriving, (("branch3x3", 384, 3),), DOUBLE, ("max",), halving=True)


def c(arriving: int, inner: int) -> Mixed:
    once = _numbered("branch7x7", (inner, inner, 192), (1, ROW, COLUMN))
    twice = _numbered("branch7x7dbl", (inner,) * 4 + (192,), (1, COLUMN, ROW, COLUMN, ROW))
    last: Branch = ("mean", ("branch_pool", 192, 1))
    return Mixed(arriving, (("branch1x1", 192, 1),), once, twice, last)


def d(arriving: int) -> Mixed:
    three = _numbered("branch3x3", (192, 320), (1, 3))
    seven = _numbered("branch7x7x3", (192,) * 4, (1, ROW, COLUMN, 3))
    return Mixed(arriving, three, seven, ("max",), halving=True)


def e(arriving: int) -> Mixed:
    single = _numbered("branch3x3", (384,), (1,))
    double = _numbered("branch3x3dbl", (448, 384), (1, 3))
    return Mixed(
        arriving,
        (("branch1x1", 320, 1),),
        *((*single, (f"branch3x3_2{letter}", 384, kernel)) for letter, kernel in FLAT.items()),
        *((*double, (f"branch3x3dbl_3{letter}", 384, kernel)) for letter, kernel in FLAT.items()),
        ("mean", ("branch_pool", 192, 1)),
    )


def inception_v3(num_classes: int = 1000, auxiliary: bool = False) -> nn.Module:
    parts = {
        "Conv2d_1a_3x3": Unit(3, 32, 3, stride=2),
        "Conv2d_2a_3x3": Unit(32, 32, 3),
        "Conv2d_2b_3x3": Unit(32, 64, 3, padding=1),
        "maxpool1": nn.MaxPool2d(3, stride=2),
        "Conv2d_3b_1x1": Unit(64, 80, 1),
        "Conv2d_4a_3x3": Unit(80, 192, 3),
        "maxpool2": nn.MaxPool2d(3, stride=2),
        **{"Mixed_5b": a(192, 32), "Mixed_5c": a(256, 64), "Mixed_5d": a(288, 64)},
        **{"Mixed_6a": b(288), "Mixed_6b": c(768, 128), "Mixed_6c": c(768, 160)},
        **{"Mixed_6d": c(768, 160), "Mixed_6e": c(768, 192)},
        **{"Mixed_7a": d(768), "Mixed_7b": e(1280), "Mixed_7c": e(2048)},
        **{"avgpool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()},
        **{"dropout": nn.Dropout(), "fc": nn.Linear(2048, num_classes)},
    }
    heads = {"AuxLogits": _head(num_classes)} if auxiliary else {}
    return Headed(parts, heads, {"AuxLogits": "Mixed_6e"})


def _head(num_classes: int) -> nn.Module:
    return nn.Sequential(
        OrderedDict(
            mean=nn.AvgPool2d(5, stride=3),
            conv0=Unit(768, 128, 1),
            conv1=Unit(128, 768, 5),
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            fc=nn.Linear(768, num_classes),
        )
    )
