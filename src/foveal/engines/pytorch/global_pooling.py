"""Pooling over the whole picture in PyTorch."""

from __future__ import annotations

from torch import Tensor

from foveal.engines.pytorch.layer import Layer, Rows
from foveal.engines.pytorch.pooling import MAXIMA, norm, root
from foveal.net.layers import (
    GlobalAvgPool,
    GlobalLpPool,
    GlobalMaxPool,
    GlobalMinPool,
    GlobalSumPool,
)


class LargestOfChannel(Layer[GlobalMaxPool]):
    """By max pooling, so that of equal values the first has the gradient, as everywhere."""

    def forward(self, x: Tensor) -> Tensor:
        y = _largest(x)
        return y if self.kind.keep else y.flatten(1)


class SmallestOfChannel(Layer[GlobalMinPool]):
    def forward(self, x: Tensor) -> Tensor:
        y = -_largest(-x)
        return y if self.kind.keep else y.flatten(1)


class MeanOfChannel(Layer[GlobalAvgPool]):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=_spatial(x), keepdim=self.kind.keep)


class SumOfChannel(Layer[GlobalSumPool]):
    def forward(self, x: Tensor) -> Tensor:
        return x.sum(dim=_spatial(x), keepdim=self.kind.keep)


class NormOfChannel(Layer[GlobalLpPool]):
    def forward(self, x: Tensor) -> Tensor:
        keep, p = self.kind.keep, self.kind.p
        if p == 1:
            return x.abs().sum(_spatial(x), keepdim=keep)
        if p == 2:
            return root((x * x).sum(_spatial(x), keepdim=keep), 2)
        return norm(x, p, _spatial(x), keep)


def _largest(x: Tensor) -> Tensor:
    return MAXIMA[x.dim() - 2](x, x.shape[2:])


def _spatial(x: Tensor) -> tuple[int, ...]:
    return tuple(range(2, x.dim()))


ROWS: Rows = {
    GlobalMaxPool: LargestOfChannel,
    GlobalMinPool: SmallestOfChannel,
    GlobalAvgPool: MeanOfChannel,
    GlobalSumPool: SumOfChannel,
    GlobalLpPool: NormOfChannel,
}
