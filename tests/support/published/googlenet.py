"""GoogLeNet with batch norm, and 3x3 for 5x5: Szegedy et al. 2014, arXiv:1409.4842, table 1."""

from __future__ import annotations

from collections import OrderedDict

import torch
from support.published.parts import Headed, Unit
from torch import Tensor, nn

# By name: what arrives, 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, behind pooling.
TABLE = {
    "inception3a": (192, 64, 96, 128, 16, 32, 32),
    "inception3b": (256, 128, 128, 192, 32, 96, 64),
    "inception4a": (480, 192, 96, 208, 16, 48, 64),
    "inception4b": (512, 160, 112, 224, 24, 64, 64),
    "inception4c": (512, 128, 128, 256, 24, 64, 64),
    "inception4d": (512, 112, 144, 288, 32, 64, 64),
    "inception4e": (528, 256, 160, 320, 32, 128, 128),
    "inception5a": (832, 256, 160, 320, 32, 128, 128),
    "inception5b": (832, 384, 192, 384, 48, 128, 128),
}
POOLED = {"inception4a": ("maxpool3", 3), "inception5a": ("maxpool4", 2)}
"""What stands before a module: its name and kernel."""
READS = {"aux1": "inception4a", "aux2": "inception4d"}


class Module(nn.Module):
    def __init__(
        self, arriving: int, one: int, before3: int, three: int, before5: int, five: int, last: int
    ) -> None:
        super().__init__()
        self.branch1 = Unit(arriving, one, 1)
        self.branch2 = nn.Sequential(Unit(arriving, before3, 1), Unit(before3, three, 3, padding=1))
        self.branch3 = nn.Sequential(Unit(arriving, before5, 1), Unit(before5, five, 3, padding=1))
        pool = nn.MaxPool2d(3, stride=1, padding=1, ceil_mode=True)
        self.branch4 = nn.Sequential(pool, Unit(arriving, last, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.children()], 1)


def googlenet(num_classes: int = 1000, auxiliary: bool = False) -> nn.Module:
    parts = {
        "conv1": Unit(3, 64, 7, stride=2, padding=3),
        "maxpool1": _pool(3),
        "conv2": Unit(64, 64, 1),
        "conv3": Unit(64, 192, 3, padding=1),
        "maxpool2": _pool(3),
    }
    for name, row in TABLE.items():
        if name in POOLED:
            pool, kernel = POOLED[name]
            parts[pool] = _pool(kernel)
        parts[name] = Module(*row)
    parts |= {"avgpool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}
    parts |= {"dropout": nn.Dropout(0.2), "fc": nn.Linear(1024, num_classes)}
    heads = {"aux1": _head(512, num_classes), "aux2": _head(528, num_classes)} if auxiliary else {}
    return Headed(parts, heads, READS)


def _pool(kernel: int) -> nn.Module:
    return nn.MaxPool2d(kernel, stride=2, ceil_mode=True)


def _head(arriving: int, num_classes: int) -> nn.Module:
    return nn.Sequential(
        OrderedDict(
            pool=nn.AdaptiveAvgPool2d(4),
            conv=Unit(arriving, 128, 1),
            flatten=nn.Flatten(),
            fc1=nn.Linear(2048, 1024),
            relu=nn.ReLU(),
            dropout=nn.Dropout(0.7),
            fc2=nn.Linear(1024, num_classes),
        )
    )
