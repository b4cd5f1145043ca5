"""Branches that become one value again, in PyTorch."""

from __future__ import annotations

from functools import reduce
from math import prod

import torch
from torch import Tensor

from foveal.engines.pytorch.layer import Layer, Rows
from foveal.net.layers import Add, Combine, Concat, Multiply


class Sum(Layer[Add]):
    def forward(self, *xs: Tensor) -> Tensor:
        return reduce(torch.add, xs)


class Concatenation(Layer[Concat]):
    def forward(self, *xs: Tensor) -> Tensor:
        return torch.cat(xs, dim=1)


class Product(Layer[Multiply]):
    def forward(self, *xs: Tensor) -> Tensor:
        return reduce(torch.mul, xs)


class Combination(Layer[Combine]):
    def forward(self, prototypes: Tensor, coefficients: Tensor) -> Tensor:
        made = _matrices(coefficients).transpose(1, 2) @ _matrices(prototypes)
        return made.reshape(*made.shape[:2], *prototypes.shape[2:])


def _matrices(x: Tensor) -> Tensor:
    """(N, K, positions), with one position if there is no axis."""
    return x.reshape(*x.shape[:2], prod(x.shape[2:]))


ROWS: Rows = {Add: Sum, Concat: Concatenation, Multiply: Product, Combine: Combination}
