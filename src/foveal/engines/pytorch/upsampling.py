"""Upsampling in PyTorch."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from foveal.engines.pytorch.layer import Layer, Rows, shape_of
from foveal.net.layers import Upsample

LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}
"""By the number of spatial axes."""


class Enlargement(Layer[Upsample]):
    def forward(self, x: Tensor) -> Tensor:
        factors = self.kind.factors((shape_of(x),))
        sizes = [n * factor for n, factor in zip(x.shape[2:], factors, strict=True)]
        if self.kind.mode == "linear":
            corners = self.kind.align_corners
            return F.interpolate(x, sizes, mode=LINEAR[len(sizes)], align_corners=corners)
        if all(factor & factor - 1 == 0 for factor in factors):
            return F.interpolate(x, sizes, mode="nearest")
        # By any other factor PyTorch divides in float32, and may round a position down.
        for dim, factor in enumerate(factors, start=2):
            x = x.repeat_interleave(factor, dim)
        return x


ROWS: Rows = {Upsample: Enlargement}
