"""DenseNet-BC: Huang et al. 2016, arXiv:1608.06993, table 1."""

from __future__ import annotations

import re
from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

# By the number of layers: those of each block, the growth, and the channels of the stem.
TABLE = {
    121: ((6, 12, 24, 16), 32, 64),
    161: ((6, 12, 36, 24), 48, 96),
    169: ((6, 12, 32, 32), 32, 64),
    201: ((6, 12, 48, 32), 32, 64),
}


def layer(arriving: int, growth: int) -> nn.Module:
    return nn.Sequential(
        OrderedDict(
            norm1=nn.BatchNorm2d(arriving),
            relu1=nn.ReLU(inplace=True),
            conv1=nn.Conv2d(arriving, 4 * growth, 1, bias=False),
            norm2=nn.BatchNorm2d(4 * growth),
            relu2=nn.ReLU(inplace=True),
            conv2=nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False),
        )
    )


def transition(arriving: int) -> nn.Module:
    return nn.Sequential(
        OrderedDict(
            norm=nn.BatchNorm2d(arriving),
            relu=nn.ReLU(inplace=True),
            conv=nn.Conv2d(arriving, arriving // 2, 1, bias=False),
            pool=nn.AvgPool2d(2),
        )
    )


class Block(nn.Module):
    """Each layer reads the input and all that the layers before it found."""

    def __init__(self, arriving: int, count: int, growth: int) -> None:
        super().__init__()
        for number in range(count):
            self.add_module(f"denselayer{number + 1}", layer(arriving + number * growth, growth))

    def forward(self, x: Tensor) -> Tensor:
        found = [x]
        for each in self.children():
            found.append(each(torch.cat(found, 1)))
        return torch.cat(found, 1)


class DenseNet(nn.Module):
    def __init__(self, layers: int, num_classes: int = 1000) -> None:
        super().__init__()
        counts, growth, channels = TABLE[layers]
        self.features = nn.Sequential(
            OrderedDict(
                conv0=nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False),
                norm0=nn.BatchNorm2d(channels),
                relu0=nn.ReLU(inplace=True),
                pool0=nn.MaxPool2d(3, stride=2, padding=1),
            )
        )
        for number, count in enumerate(counts, start=1):
            self.features.add_module(f"denseblock{number}", Block(channels, count, growth))
            channels += count * growth
            if number < len(counts):
                self.features.add_module(f"transition{number}", transition(channels))
                channels //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.features(x), inplace=True)
        return self.classifier(torch.flatten(functional.adaptive_avg_pool2d(x, (1, 1)), 1))


def first_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """In the first files of torchvision a dot stood before the numbers within a layer."""
    return {
        re.sub(r"(denselayer\d+\.(?:norm|conv))", r"\1.", name): tensor
        for name, tensor in tensors.items()
    }
