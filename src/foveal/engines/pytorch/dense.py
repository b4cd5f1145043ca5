"""Fully connected layers and flattening in PyTorch."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from foveal.engines.pytorch.filters import absent, used
from foveal.engines.pytorch.layer import Layer, Rows
from foveal.net.layers import Dense, Flatten
from foveal.net.program import Step


class Linear(Layer[Dense]):
    weight: Tensor
    gain: Tensor | None
    bias: Tensor | None

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        absent(self)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, used(self.kind, self.weight, self.gain, x.shape[1]), self.bias)


class Row(Layer[Flatten]):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)


ROWS: Rows = {Dense: Linear, Flatten: Row}
