"""AlexNet in one tower: Krizhevsky 2014, arXiv:1404.5997."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn


def alexnet(num_classes: int = 1000) -> nn.Module:
    features = nn.Sequential(
        *(nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
    )
    classifier = nn.Sequential(
        *(nn.Dropout(), nn.Linear(256 * 6 * 6, 4096), nn.ReLU()),
        *(nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, num_classes)),
    )
    parts = {"avgpool": nn.AdaptiveAvgPool2d(6), "flatten": nn.Flatten()}
    return nn.Sequential(OrderedDict(features=features, **parts, classifier=classifier))
