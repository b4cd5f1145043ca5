"""Values in another place, in PyTorch."""

from __future__ import annotations

import torch
from torch import Tensor

from foveal.engines.pytorch.layer import Layer, Rows, pads_of, shape_of
from foveal.engines.pytorch.padding import padded
from foveal.net.layers import Pad, Reshape, Take
from foveal.net.program import Step


class Layout(Layer[Reshape]):
    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.shape = step.shape

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), *self.shape)


class Border(Layer[Pad]):
    def forward(self, x: Tensor) -> Tensor:
        return padded(x, pads_of(self.kind, shape_of(x)), self.kind.fill)


class Choice(Layer[Take]):
    channels: Tensor

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.register_buffer("channels", torch.tensor(self.kind.channels), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x.index_select(1, self.channels)


ROWS: Rows = {Reshape: Layout, Pad: Border, Take: Choice}
