"""Factors in PyTorch."""

from __future__ import annotations

from torch import Tensor

from foveal.engines.pytorch.layer import Layer, Rows
from foveal.net.layers import Gain, Scale
from foveal.net.program import Step


class Scaling(Layer[Scale]):
    weight: Tensor
    bias: Tensor | None

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        if not self.kind.bias:
            self.register_parameter("bias", None)

    def forward(self, x: Tensor) -> Tensor:
        y = x * _per_channel(self.weight, x)
        return y if self.bias is None else y + _per_channel(self.bias, x)


class Amplification(Layer[Gain]):
    def forward(self, x: Tensor) -> Tensor:
        return x * self.kind.factor


def _per_channel(values: Tensor, x: Tensor) -> Tensor:
    return values.reshape(-1, *(1,) * (x.dim() - 2))


ROWS: Rows = {Scale: Scaling, Gain: Amplification}
