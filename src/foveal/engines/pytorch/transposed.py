"""Transposed convolution in PyTorch."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

from foveal.engines.pytorch.layer import Layer, Rows
from foveal.net.layers import ConvTranspose
from foveal.net.program import Step

TRANSPOSED: dict[int, Callable[..., Tensor]] = {
    1: F.conv_transpose1d,
    2: F.conv_transpose2d,
    3: F.conv_transpose3d,
}
"""By the number of spatial axes."""


class TransposedConvolution(Layer[ConvTranspose]):
    weight: Tensor
    bias: Tensor | None

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.axes = self.kind.axes(step.ins)
        self.convolve = TRANSPOSED[len(self.axes)]
        if not self.kind.bias:
            self.register_parameter("bias", None)

    def forward(self, x: Tensor) -> Tensor:
        axes = self.axes
        even = all(axis.before == axis.after for axis in axes)
        y = self.convolve(
            x,
            self.weight,
            self.bias,
            stride=[axis.stride for axis in axes],
            padding=[axis.before if even else 0 for axis in axes],
            output_padding=[axis.more for axis in axes],
            groups=self.kind.groups,
            dilation=[axis.dilation for axis in axes],
        )
        if even:
            return y
        for number, axis in enumerate(axes, start=2):
            y = y.narrow(number, axis.before, y.shape[number] - axis.before - axis.after)
        return y


ROWS: Rows = {ConvTranspose: TransposedConvolution}
