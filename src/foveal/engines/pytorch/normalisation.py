"""Normalisation in PyTorch."""

from __future__ import annotations

from typing import TypeVar

from torch import Tensor
from torch.nn import functional as F

from foveal.engines.pytorch.layer import Layer, Rows
from foveal.errors import SpecError
from foveal.net.layers import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm
from foveal.net.program import Step

FEW = 4
"""So few channels are often nearly equal; PyTorch rounds their mean, 2e-5 of the result away."""
N = TypeVar("N", bound=BatchNorm | GroupNorm | InstanceNorm | LayerNorm)


class Normalisation(Layer[N]):
    """A layer that has a weight and a bias, or none of both."""

    weight: Tensor | None
    bias: Tensor | None

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        if not self.kind.affine:
            self.register_parameter("weight", None)
            self.register_parameter("bias", None)


class BatchNormalisation(Normalisation[BatchNorm]):
    running_mean: Tensor
    running_var: Tensor

    def forward(self, x: Tensor) -> Tensor:
        if self.training and x.numel() == x.shape[1]:
            raise SpecError(
                "batch norm cannot learn from a batch with one value per channel",
                where=self.path,
                fix="batch_size 2 or more, or flatten before it",
            )
        alone = len(x) == 1
        y = F.batch_norm(
            x.contiguous() if alone else x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training,
            self.kind.momentum,
            self.kind.eps,
        )
        if alone and y.requires_grad:
            # With one sample and a map of one row or column, strides do not tell channels last from
            # first; PyTorch 2.13 on CPU then mixes up layouts and gives a wrong gradient.
            y.register_hook(Tensor.contiguous)  # type: ignore[no-untyped-call]
        return y


class GroupNormalisation(Normalisation[GroupNorm]):
    def forward(self, x: Tensor) -> Tensor:
        return F.group_norm(x, self.kind.groups, self.weight, self.bias, self.kind.eps)


class InstanceNormalisation(Normalisation[InstanceNorm]):
    def forward(self, x: Tensor) -> Tensor:
        return F.group_norm(x, x.shape[1], self.weight, self.bias, self.kind.eps)


class LayerNormalisation(Normalisation[LayerNorm]):
    def forward(self, x: Tensor) -> Tensor:
        """PyTorch takes the mean over the last axes, so the channels go there and back."""
        if self.kind.over == "all":
            return F.layer_norm(x, x.shape[1:], self.weight, self.bias, self.kind.eps)
        last = x.movedim(1, -1)
        if last.shape[-1] < FEW:
            last = last - last.mean(-1, keepdim=True)
        made = F.layer_norm(last, last.shape[-1:], self.weight, self.bias, self.kind.eps)
        return made.movedim(-1, 1)


class LocalResponseNormalisation(Layer[LocalResponseNorm]):
    def forward(self, x: Tensor) -> Tensor:
        """PyTorch's own has the odd channel of an even size on the other side."""
        kind = self.kind
        line = x.square().flatten(2) if x.dim() > 2 else x.square().unsqueeze(-1)
        sides = (0, 0, (kind.size - 1) // 2, kind.size // 2)
        mean = F.avg_pool2d(F.pad(line.unsqueeze(1), sides), (kind.size, 1), stride=1)
        return x / (kind.k + kind.alpha * mean.reshape(x.shape)) ** kind.beta


ROWS: Rows = {
    BatchNorm: BatchNormalisation,
    GroupNorm: GroupNormalisation,
    LayerNorm: LayerNormalisation,
    InstanceNorm: InstanceNormalisation,
    LocalResponseNorm: LocalResponseNormalisation,
}
