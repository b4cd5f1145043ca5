"""Adaptive pooling in PyTorch."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

from foveal.engines.pytorch.layer import Layer, Rows
from foveal.net.kind import per_axis
from foveal.net.layers import AdaptiveAvgPool, AdaptiveMaxPool

MAXIMA: dict[int, Callable[..., Tensor]] = {
    1: F.adaptive_max_pool1d,
    2: F.adaptive_max_pool2d,
    3: F.adaptive_max_pool3d,
}
MEANS: dict[int, Callable[..., Tensor]] = {
    1: F.adaptive_avg_pool1d,
    2: F.adaptive_avg_pool2d,
    3: F.adaptive_avg_pool3d,
}
"""By the number of spatial axes."""


class LargestOfShare(Layer[AdaptiveMaxPool]):
    def forward(self, x: Tensor) -> Tensor:
        axes = x.dim() - 2
        return MAXIMA[axes](x, per_axis(self.kind, "size", self.kind.size, axes))


class MeanOfShare(Layer[AdaptiveAvgPool]):
    def forward(self, x: Tensor) -> Tensor:
        axes = x.dim() - 2
        return MEANS[axes](x, per_axis(self.kind, "size", self.kind.size, axes))


ROWS: Rows = {AdaptiveMaxPool: LargestOfShare, AdaptiveAvgPool: MeanOfShare}
