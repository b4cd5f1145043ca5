"""SqueezeNet 1.1: Iandola et al. 2016, arXiv:1602.07360, in its authors' lighter form."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

POOL = None
# Channels squeezed and expanded (1x1 and 3x3 each) of the modules, with the pooling between them.
TABLE = ((16, 64), (16, 64), POOL, (32, 128), (32, 128), POOL, *((48, 192),) * 2, *((64, 256),) * 2)


class Fire(nn.Module):
    def __init__(self, arriving: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(arriving, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.squeeze(x))
        return torch.cat([torch.relu(self.expand1x1(x)), torch.relu(self.expand3x3(x))], 1)


def squeezenet1_1(num_classes: int = 1000) -> nn.Module:
    features = [nn.Conv2d(3, 64, 3, stride=2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True)]
    arriving = 64
    for row in TABLE:
        if row is POOL:
            features.append(nn.MaxPool2d(3, 2, ceil_mode=True))
        else:
            features.append(Fire(arriving, *row))
            arriving = 2 * row[1]
    scores = (nn.Conv2d(arriving, num_classes, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
    return nn.Sequential(
        OrderedDict(
            features=nn.Sequential(*features),
            classifier=nn.Sequential(nn.Dropout(), *scores),
            flatten=nn.Flatten(),
        )
    )
