"""Pooling in PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from foveal.engines.pytorch.layer import Layer, Rows, flat_pads, pads_of, shape_of
from foveal.net.kind import Pads, Shape, per_axis
from foveal.net.layers import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from foveal.net.program import Step

MAXIMA: dict[int, Callable[..., Tensor]] = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
MEANS: dict[int, Callable[..., Tensor]] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
"""By the number of spatial axes."""


class LargestOfWindow(Layer[MaxPool]):
    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.pool = _of_axes(MAXIMA, step)
        self.kernel, self.stride = _window(self.kind, step)

    def forward(self, x: Tensor) -> Tensor:
        pads = pads_of(self.kind, shape_of(x))
        if _is_native(pads, self.kernel):
            return self.pool(x, self.kernel, self.stride, [before for before, _ in pads])
        return self.pool(F.pad(x, flat_pads(pads), value=-math.inf), self.kernel, self.stride)


class MeanOfWindow(Layer[AvgPool]):
    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.pool = _of_axes(MEANS, step)
        self.kernel, self.stride = _window(self.kind, step)

    def forward(self, x: Tensor) -> Tensor:
        pads = pads_of(self.kind, shape_of(x))
        # avg_pool3d wants the kernel to fit without its padding.
        fits = all(n >= size for n, size in zip(x.shape[2:], self.kernel, strict=True))
        if fits and _is_native(pads, self.kernel):
            padding = [before for before, _ in pads]
            return self.pool(x, self.kernel, self.stride, padding, count_include_pad=False)
        sides = flat_pads(pads)
        filled = F.pad(torch.ones_like(x[:1, :1]), sides)
        share = self.pool(filled, self.kernel, self.stride)
        return self.pool(F.pad(x, sides), self.kernel, self.stride) / share


class LargestOfChannel(Layer[GlobalMaxPool]):
    """By max pooling, so that of equal values the first has the gradient, as everywhere."""

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.pool = _of_axes(MAXIMA, step)

    def forward(self, x: Tensor) -> Tensor:
        y = self.pool(x, x.shape[2:])
        return y if self.kind.keep else y.flatten(1)


class MeanOfChannel(Layer[GlobalAvgPool]):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=tuple(range(2, x.dim())), keepdim=self.kind.keep)


def _of_axes(table: dict[int, Callable[..., Tensor]], step: Step) -> Callable[..., Tensor]:
    return table[len(step.ins[0]) - 1]


def _window(kind: MaxPool | AvgPool, step: Step) -> tuple[Shape, Shape]:
    """Kernel and stride for each axis."""
    axes = len(step.ins[0]) - 1
    kernel = per_axis(kind, "kernel_size", kind.kernel_size, axes)
    return kernel, kernel if kind.stride is None else per_axis(kind, "stride", kind.stride, axes)


def _is_native(pads: Pads, kernel: Shape) -> bool:
    """Whether PyTorch's pooling pads so itself: alike at both sides, by half the kernel at most."""
    sides = zip(pads, kernel, strict=True)
    return all(before == after and 2 * before <= size for (before, after), size in sides)


ROWS: Rows = {
    MaxPool: LargestOfWindow,
    AvgPool: MeanOfWindow,
    GlobalMaxPool: LargestOfChannel,
    GlobalAvgPool: MeanOfChannel,
}
