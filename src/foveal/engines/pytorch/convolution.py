"""Convolution in PyTorch."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

from foveal.engines.pytorch.filters import absent, used
from foveal.engines.pytorch.layer import Layer, Rows, pads_of, shape_of
from foveal.engines.pytorch.padding import padded
from foveal.net.kind import per_axis
from foveal.net.layers import Conv, Depthwise
from foveal.net.program import Step

CONVOLUTIONS: dict[int, Callable[..., Tensor]] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
"""By the number of spatial axes."""


class Convolution(Layer[Conv | Depthwise]):
    weight: Tensor
    gain: Tensor | None
    bias: Tensor | None

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        axes, self.channels = len(step.ins[0]) - 1, step.ins[0][0]
        self.convolve = CONVOLUTIONS[axes]
        self.stride = per_axis(self.kind, "stride", self.kind.stride, axes)
        self.dilation = per_axis(self.kind, "dilation", self.kind.dilation, axes)
        self.picks = set(step.tensors[0].shape[2:]) == {1} and len(set(self.stride)) > 1
        self.groups = self.kind.groups if isinstance(self.kind, Conv) else self.channels
        absent(self)

    def forward(self, x: Tensor) -> Tensor:
        pads = pads_of(self.kind, shape_of(x))
        padding = tuple(before for before, _ in pads)
        if self.picks or self.kind.fill != 0 or any(before != after for before, after in pads):
            x, padding = padded(x, pads, self.kind.fill), (0,) * len(pads)
        stride = self.stride
        if self.picks:
            # PyTorch 2.13 on CPU writes outside of its memory where it takes the gradient of a
            # kernel of 1x1 with strides of 1 and 2 and the channels last.
            x = x[(slice(None), slice(None), *(slice(None, None, step) for step in stride))]
            stride = (1,) * len(pads)
        weight = used(self.kind, self.weight, self.gain, self.channels)
        return self.convolve(x, weight, self.bias, stride, padding, self.dilation, self.groups)


ROWS: Rows = {Conv: Convolution, Depthwise: Convolution}
