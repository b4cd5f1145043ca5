"""ConvNeXt-T: Liu et al. 2022, arXiv:2201.03545, table 9."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

STAGES = ((96, 3), (192, 3), (384, 9), (768, 3))
"""Channels and blocks of each stage."""
EPS = 1e-6


class Permute(nn.Module):
    def __init__(self, *axes: int) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.axes)


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each position."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            *(nn.Conv2d(channels, channels, 7, padding=3, groups=channels), Permute(0, 2, 3, 1)),
            *(nn.LayerNorm(channels, eps=EPS), nn.Linear(channels, 4 * channels), nn.GELU()),
            *(nn.Linear(4 * channels, channels), Permute(0, 3, 1, 2)),
        )
        self.layer_scale = nn.Parameter(torch.full((channels, 1, 1), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layer_scale * self.block(x)


def convnext_tiny(num_classes: int = 1000) -> nn.Module:
    features: list[nn.Module] = []
    arriving = 3
    for channels, count in STAGES:
        norms = [ChannelNorm(channels if arriving == 3 else arriving, eps=EPS)]
        if arriving == 3:
            features.append(nn.Sequential(nn.Conv2d(3, channels, 4, stride=4), *norms))
        else:
            features.append(nn.Sequential(*norms, nn.Conv2d(arriving, channels, 2, stride=2)))
        features.append(nn.Sequential(*(Block(channels) for _ in range(count))))
        arriving = channels
    classifier = (ChannelNorm(arriving, eps=EPS), nn.Flatten(), nn.Linear(arriving, num_classes))
    return nn.Sequential(
        OrderedDict(
            features=nn.Sequential(*features),
            avgpool=nn.AdaptiveAvgPool2d(1),
            classifier=nn.Sequential(*classifier),
        )
    )


WITHIN = {"0": "conv_dw", "2": "norm", "3": "mlp.fc1", "5": "mlp.fc2"}
"""timm's names of a block's layers, by their numbers."""


def timm_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Even features are the stem and the downsampling layers, odd ones the blocks."""
    renamed = {}
    for name, tensor in tensors.items():
        match name.split("."):
            case ["features", "0", part, last]:
                renamed[f"stem.{part}.{last}"] = tensor
            case ["features", stage, part, last] if last != "layer_scale":
                renamed[f"stages.{int(stage) // 2}.downsample.{part}.{last}"] = tensor
            case ["features", stage, block, "layer_scale"]:
                renamed[f"stages.{int(stage) // 2}.blocks.{block}.gamma"] = tensor.flatten()
            case ["features", stage, block, "block", part, last]:
                renamed[f"stages.{int(stage) // 2}.blocks.{block}.{WITHIN[part]}.{last}"] = tensor
            case ["classifier", part, last]:
                renamed[f"head.{'norm' if part == '0' else 'fc'}.{last}"] = tensor
    return renamed
