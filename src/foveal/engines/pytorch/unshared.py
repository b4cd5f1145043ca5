"""Local connections in PyTorch: a matrix product for each position."""

from __future__ import annotations

from torch import Tensor

from foveal.engines.pytorch.layer import Layer, Rows
from foveal.engines.pytorch.padding import padded
from foveal.engines.pytorch.pooling import taps
from foveal.net.layers import LocallyConnected
from foveal.net.program import Step


class LocalConnections(Layer[LocallyConnected]):
    weight: Tensor
    bias: Tensor | None

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.windows, self.pads, self.made = self.kind.windows(step.ins), step.pads, step.shape
        if not self.kind.bias:
            self.register_parameter("bias", None)

    def forward(self, x: Tensor) -> Tensor:
        out_channels, *maps = self.made
        patches = taps(padded(x, self.pads, self.kind.fill), self.windows)
        rows = patches.flatten(3).flatten(1, 2).permute(2, 0, 1)
        matrices = self.weight.flatten(1 + len(maps)).flatten(1, len(maps)).permute(1, 2, 0)
        y = (rows @ matrices).permute(1, 2, 0).reshape(len(x), out_channels, *maps)
        return y if self.bias is None else y + self.bias


ROWS: Rows = {LocallyConnected: LocalConnections}
