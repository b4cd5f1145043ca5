"""Branches that become one value again, in PyTorch."""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor

from foveal.engines.pytorch.layer import Layer, Rows
from foveal.net.layers import Add, Concat


class Sum(Layer[Add]):
    def forward(self, *xs: Tensor) -> Tensor:
        return reduce(torch.add, xs)


class Concatenation(Layer[Concat]):
    def forward(self, *xs: Tensor) -> Tensor:
        return torch.cat(xs, dim=1)


ROWS: Rows = {Add: Sum, Concat: Concatenation}
