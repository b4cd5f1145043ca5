"""Local connections in PyTorch: a matrix product for each position."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from foveal.engines.pytorch.layer import Layer, Rows
from foveal.engines.pytorch.padding import padded
from foveal.engines.pytorch.pooling import Windows
from foveal.net.layers import LocallyConnected
from foveal.net.program import Step

FEW = 16
"""Matrix products with fewer rows, or columns, are slow: which factor comes first then matters."""
FEW_READS = 32
"""Up to so many weights of an output, as first layers have, matrices are turned at little cost."""


class LocalConnections(Layer[LocallyConnected]):
    """As many matrix products as positions, all at once.

    The batch comes last while a window is read, so that each tap of it is a run of numbers in
    memory. Weights stay as they lie; what is made has its channels last, as convolutions have it.
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.windows, self.pads, self.made = self.kind.windows(step.ins), step.pads, step.shape
        if not self.kind.bias:
            self.register_parameter("bias", None)

    def forward(self, x: Tensor) -> Tensor:
        out_channels, *maps = self.made
        x, weight = _as_computed(padded(x, self.pads, self.kind.fill)), _as_computed(self.weight)
        last = x.movedim(1, -1)
        batch_last = last.flatten(1).t().contiguous().reshape(*last.shape[1:], len(x))
        gathered: Tensor = Gathered.apply(batch_last, self.windows)  # type: ignore[no-untyped-call]
        rows = gathered.flatten(len(maps), -2).flatten(0, -3)
        matrices = weight.flatten(1, len(maps)).flatten(2).transpose(0, 1)
        made: Tensor = Products.apply(rows, matrices)  # type: ignore[no-untyped-call]
        y = made.transpose(0, 1).contiguous()
        if self.bias is not None:
            y += self.bias.flatten(1).t().contiguous()
        return y.reshape(len(x), *maps, out_channels).movedim(-1, 1)


class Products(Function):
    """Rows (P, K, N) by the matrices (P, M, K) of their positions: (P, N, M).

    The same sums in whichever order of factors is fast; `benchmarks/unshared.py` measures it.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, matrices: Tensor) -> Tensor:
        ctx.save_for_backward(rows, matrices)
        few_pictures, few_reads = rows.shape[2] < FEW, rows.shape[1] <= FEW_READS
        if few_pictures or (few_reads and matrices.shape[1] >= FEW):
            return rows.mT.bmm(matrices.mT)
        return matrices.bmm(rows).mT

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        (rows, matrices), (gradient,) = ctx.saved_tensors, gradients
        of_rows = of_matrices = None
        if ctx.needs_input_grad[0]:
            few_pictures = rows.shape[2] < FEW
            of_rows = gradient.bmm(matrices).mT if few_pictures else matrices.mT.bmm(gradient.mT)
        if ctx.needs_input_grad[1]:
            few_reads = rows.shape[1] <= FEW_READS
            of_matrices = rows.bmm(gradient).mT if few_reads else gradient.mT.bmm(rows.mT)
        return of_rows, of_matrices


class Gathered(Function):
    """What each window reads, (..., C, taps, N) of (..., C, N): a copy for each tap."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, windows: Windows) -> Tensor:
        ctx.shape, ctx.windows = x.shape, windows
        maps, kernel = zip(*((axis.output, axis.kernel_size) for axis in windows), strict=True)
        channels, batch = x.shape[-2:]
        made = x.new_empty((*maps, channels, *kernel, batch))
        for kept, read in _reads(windows):
            made[kept] = x[read]
        return made

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return Returned.apply(*gradients, ctx.windows, ctx.shape), None  # type: ignore[no-untyped-call]


class Returned(Function):
    """Back to where it was read from, and added up there: the gradient of `Gathered`."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, windows: Windows, shape: torch.Size) -> Tensor:
        ctx.windows = windows
        made = rows.new_zeros(shape)
        for kept, read in _reads(windows):
            made[read] += rows[kept]
        return made

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return Gathered.apply(*gradients, ctx.windows), None, None  # type: ignore[no-untyped-call]


def _reads(windows: Windows) -> Iterator[tuple[Any, Any]]:
    """For each tap of the windows where it is kept, and what it reads, as indices."""
    for tap in product(*(range(axis.kernel_size) for axis in windows)):
        firsts = [t * axis.dilation for t, axis in zip(tap, windows, strict=True)]
        yield (
            (..., *tap, slice(None)),
            tuple(
                slice(first, first + (axis.output - 1) * axis.stride + 1, axis.stride)
                for first, axis in zip(firsts, windows, strict=True)
            ),
        )


def _as_computed(x: Tensor) -> Tensor:
    """In bfloat16 where that is asked for, as PyTorch does of itself for its own products."""
    device = x.device.type
    return x.to(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else x


ROWS: Rows = {LocallyConnected: LocalConnections}
