"""Dropout in PyTorch."""

from __future__ import annotations

import torch
from torch import Tensor

from foveal.engines.masks import mask
from foveal.engines.pytorch.layer import Layer, Rows
from foveal.net.layers import Dropout
from foveal.net.program import Step


class Forgetting(Layer[Dropout]):
    """Masks are a function of seed, step of training and path: the same after a resume."""

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.seed, self.step = 0, 0

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = mask(self.seed, self.step, self.path, tuple(x.shape), self.kind.p)
        return x * torch.from_numpy(kept).to(x.device) / (1 - self.kind.p)


ROWS: Rows = {Dropout: Forgetting}
