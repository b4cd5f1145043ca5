"""VGG, with batch norm or without: Simonyan & Zisserman 2014, arXiv:1409.1556, table 1."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

# Columns A, B, D and E of the table by the number of layers with weights; M is pooling.
COLUMNS = {
    11: "64 M 128 M 256 256 M 512 512 M 512 512 M",
    13: "64 64 M 128 128 M 256 256 M 512 512 M 512 512 M",
    16: "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
    19: "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M",
}


def vgg(layers: int, num_classes: int = 1000, batch_norm: bool = False) -> nn.Module:
    features: list[nn.Module] = []
    arriving = 3
    for word in COLUMNS[layers].split():
        if word == "M":
            features.append(nn.MaxPool2d(2))
            continue
        features.append(nn.Conv2d(arriving, arriving := int(word), 3, padding=1))
        features += [nn.BatchNorm2d(arriving)] * batch_norm
        features.append(nn.ReLU())
    classifier = nn.Sequential(
        *(nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Dropout()),
        *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, num_classes)),
    )
    parts = {"avgpool": nn.AdaptiveAvgPool2d(7), "flatten": nn.Flatten()}
    return nn.Sequential(
        OrderedDict(features=nn.Sequential(*features), **parts, classifier=classifier)
    )


def timm_names(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The first two dense layers are convolutions there, the first of the whole map."""
    renamed = {}
    for name, tensor in tensors.items():
        match name.split("."):
            case ["classifier", "0", last]:
                sizes = (4096, 512, 7, 7) if last == "weight" else (4096,)
                renamed[f"pre_logits.fc1.{last}"] = tensor.reshape(sizes)
            case ["classifier", "3", last]:
                sizes = (4096, 4096, 1, 1) if last == "weight" else (4096,)
                renamed[f"pre_logits.fc2.{last}"] = tensor.reshape(sizes)
            case ["classifier", "6", last]:
                renamed[f"head.fc.{last}"] = tensor
            case _:
                renamed[name] = tensor
    return renamed
