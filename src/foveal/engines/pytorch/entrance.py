"""The entrance of a net in PyTorch: bytes to numbers, resizing, normalising."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from foveal.engines.pytorch.layer import Layer, Rows, shape_of
from foveal.net.layers import Crop, Expect, Identity, Input, Normalise, Resize
from foveal.net.program import Step


class Entrance(Layer[Input]):
    like: Tensor

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        # Follows the module to its device and precision, and is not in the file.
        self.register_buffer("like", torch.empty(0), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.kind.dtype == "uint8":
            x = x.movedim(-1, 1)
        return x.to(self.like.dtype)


class Resampling(Layer[Resize]):
    """One matrix product per axis, in float64 so that ties round as in the other engines."""

    def forward(self, x: Tensor) -> Tensor:
        y = x.double()
        for axis, size in enumerate(self.kind.output((shape_of(x),))[1:], start=2):
            matrix = _triangles(x.shape[axis], size).to(x.device)
            y = (y.movedim(axis, -1) @ matrix.T).movedim(-1, axis)
        return y.round().to(x.dtype)


class CentreCrop(Layer[Crop]):
    def forward(self, x: Tensor) -> Tensor:
        for axis, size in enumerate(self.kind.output((shape_of(x),))[1:], start=2):
            x = x.narrow(axis, (x.shape[axis] - size) // 2, size)
        return x


class Standardisation(Layer[Normalise]):
    def forward(self, x: Tensor) -> Tensor:
        return (x - _per_channel(self.kind.mean, x)) / _per_channel(self.kind.std, x)


class Assertion(Layer[Expect]):
    def forward(self, x: Tensor) -> Tensor:
        self.kind.output((shape_of(x),))
        return x


class Passage(Layer[Identity]):
    def forward(self, x: Tensor) -> Tensor:
        return x


@cache
def _triangles(n: int, m: int) -> Tensor:
    """The weight of input i for output o, (m, n): see `Resize`."""
    s = max(1.0, n / m)
    i, o = np.arange(n) + 0.5, (np.arange(m) + 0.5) * n / m
    weights = np.maximum(0, 1 - np.abs(i - o[:, None]) / s)
    with torch.inference_mode(False):
        return torch.from_numpy(weights / weights.sum(axis=1, keepdims=True))


def _per_channel(values: tuple[float, ...], x: Tensor) -> float | Tensor:
    return values[0] if len(values) == 1 else _column(values, x.dtype, x.device, x.dim() - 2)


@cache
def _column(
    values: tuple[float, ...], dtype: torch.dtype, device: torch.device, axes: int
) -> Tensor:
    with torch.inference_mode(False):
        return torch.tensor(values, dtype=dtype, device=device).reshape(-1, *(1,) * axes)


ROWS: Rows = {
    Input: Entrance,
    Resize: Resampling,
    Crop: CentreCrop,
    Normalise: Standardisation,
    Expect: Assertion,
    Identity: Passage,
}
