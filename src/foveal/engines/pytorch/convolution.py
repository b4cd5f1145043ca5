"""Convolution in PyTorch."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

from foveal.engines.pytorch.layer import Layer, Rows, flat_pads, pads_of, shape_of
from foveal.net.kind import per_axis
from foveal.net.layers import Conv
from foveal.net.program import Step

CONVOLUTIONS: dict[int, Callable[..., Tensor]] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
"""By the number of spatial axes."""


class Convolution(Layer[Conv]):
    weight: Tensor
    bias: Tensor | None

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        axes = len(step.ins[0]) - 1
        self.convolve = CONVOLUTIONS[axes]
        self.stride = per_axis(self.kind, "stride", self.kind.stride, axes)
        self.dilation = per_axis(self.kind, "dilation", self.kind.dilation, axes)
        if not self.kind.bias:
            self.register_parameter("bias", None)

    def forward(self, x: Tensor) -> Tensor:
        pads = pads_of(self.kind, shape_of(x))
        padding = tuple(before for before, _ in pads)
        if any(before != after for before, after in pads):
            x, padding = F.pad(x, flat_pads(pads)), (0,) * len(pads)
        return self.convolve(
            x, self.weight, self.bias, self.stride, padding, self.dilation, self.kind.groups
        )


ROWS: Rows = {Conv: Convolution}
