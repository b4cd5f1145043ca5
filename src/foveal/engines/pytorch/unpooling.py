"""Unpooling in PyTorch."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional as F

from foveal.engines.pytorch.layer import Layer, Rows, shape_of
from foveal.engines.pytorch.padding import flat_pads
from foveal.engines.pytorch.pooling import MAXIMA
from foveal.net.layers import MaxUnpool


class Unpooling(Layer[MaxUnpool]):
    """The padded picture, flat, has a number for each place; the max pool says which."""

    def forward(self, values: Tensor, x: Tensor) -> Tensor:
        axes = self.kind.axes((shape_of(values), shape_of(x)))
        pads = flat_pads(tuple((axis.before, axis.after) for axis in axes))
        padded = F.pad(x.detach(), pads, value=-math.inf)
        kernel, stride = [axis.kernel_size for axis in axes], [axis.stride for axis in axes]
        _, places = MAXIMA[len(axes)](padded, kernel, stride, return_indices=True)
        flat = values.new_zeros((*padded.shape[:2], padded[0, 0].numel() if len(padded) else 0))
        flat = flat.scatter(2, places.flatten(2), values.flatten(2))
        y = flat.reshape(padded.shape)
        for dim, axis in enumerate(axes, start=2):
            y = y.narrow(dim, axis.before, axis.n)
        return y


ROWS: Rows = {MaxUnpool: Unpooling}
