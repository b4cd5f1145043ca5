"""Batch normalisation in PyTorch."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from foveal.engines.pytorch.layer import Layer, Rows
from foveal.errors import SpecError
from foveal.net.layers import BatchNorm


class BatchNormalisation(Layer[BatchNorm]):
    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def forward(self, x: Tensor) -> Tensor:
        if self.training and x.numel() == x.shape[1]:
            raise SpecError(
                "batch norm cannot learn from a batch with one value per channel",
                where=self.path,
                fix="batch_size 2 or more, or flatten before it",
            )
        return F.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training,
            self.kind.momentum,
            self.kind.eps,
        )


ROWS: Rows = {BatchNorm: BatchNormalisation}
