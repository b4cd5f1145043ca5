"""Pooling in PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F

from foveal.engines.masks import uniform
from foveal.engines.pytorch.layer import Chance, Layer, Rows, shape_of
from foveal.engines.pytorch.padding import flat_pads
from foveal.net.kind import Kind, Pads, Shape
from foveal.net.layers import AvgPool, LpPool, MaxPool, MinPool, StochasticPool, SumPool
from foveal.net.layers.window import Window

MAXIMA: dict[int, Callable[..., Tensor]] = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
MEANS: dict[int, Callable[..., Tensor]] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
"""By the number of spatial axes."""
Windows = tuple[Window, ...]


class LargestOfWindow(Layer[MaxPool]):
    def forward(self, x: Tensor) -> Tensor:
        return largest(x, windows_of(self.kind, shape_of(x)))


class SmallestOfWindow(Layer[MinPool]):
    def forward(self, x: Tensor) -> Tensor:
        return -largest(-x, windows_of(self.kind, shape_of(x)))


class MeanOfWindow(Layer[AvgPool]):
    def forward(self, x: Tensor) -> Tensor:
        windows = windows_of(self.kind, shape_of(x))
        if _has_native_mean(windows):
            kernel, stride, padding = _native(windows)
            included = self.kind.count_include_pad
            return MEANS[len(windows)](x, kernel, stride, padding, count_include_pad=included)
        return sums(x, windows) / self.counted(x, windows)

    def counted(self, x: Tensor, windows: Windows) -> Tensor:
        """How many positions each window counts."""
        ones = x.new_ones((1, 1, *x.shape[2:]))
        if self.kind.count_include_pad:
            declared = [(axis.before, axis.after) for axis in windows]
            beyond = [(0, axis.beyond) for axis in windows]
            ones = F.pad(F.pad(ones, flat_pads(tuple(declared)), value=1), flat_pads(tuple(beyond)))
            return _sums(ones, windows)
        return sums(ones, windows)


class SumOfWindow(Layer[SumPool]):
    def forward(self, x: Tensor) -> Tensor:
        return sums(x, windows_of(self.kind, shape_of(x)))


class NormOfWindow(Layer[LpPool]):
    def forward(self, x: Tensor) -> Tensor:
        windows = windows_of(self.kind, shape_of(x))
        if self.kind.p == 1:
            return sums(x.abs(), windows)
        if self.kind.p == 2:
            return root(sums(x * x, windows), 2)
        return norm(taps(F.pad(x, flat_pads(reach_of(windows))), windows), self.kind.p, (2,))


class OneOfWindow(Chance[StochasticPool]):
    """A value drawn from each window in training, the mean of what may be drawn otherwise."""

    def forward(self, x: Tensor) -> Tensor:
        windows, a = windows_of(self.kind, shape_of(x)), x.relu()
        if not self.training:
            total = sums(a, windows)
            return sums(a * a, windows) / torch.where(total == 0, 1, total)
        cells = taps(F.pad(a, flat_pads(reach_of(windows))), windows)
        return cells.gather(2, self.drawn(cells.detach())).squeeze(2)

    def drawn(self, cells: Tensor) -> Tensor:
        """The tap that each window draws, (N, C, 1, ...): in float64, as in the reference."""
        so_far = cells.double().cumsum(2)
        shape = (*cells.shape[:2], *cells.shape[3:])
        u = torch.from_numpy(uniform(self.seed, self.step, self.path, shape)).to(cells.device)
        passed = so_far <= (u * so_far[:, :, -1]).unsqueeze(2)
        return passed.sum(2, keepdim=True).clamp(max=cells.shape[2] - 1)


@cache
def windows_of(kind: Kind, shape: Shape) -> Windows:
    """The windows of a kind for one arriving shape."""
    return kind.windows((shape,))


def reach_of(windows: Windows) -> Pads:
    """How far windows reach around the picture, with what only `ceil` reads."""
    return tuple((axis.before, axis.after + axis.beyond) for axis in windows)


def largest(x: Tensor, windows: Windows) -> Tensor:
    """The largest value of each window; the first of equal ones has the gradient."""
    pool, dilation = MAXIMA[len(windows)], [axis.dilation for axis in windows]
    if _pads_natively(windows):
        return pool(x, *_native(windows), dilation)
    kernel, stride, _ = _native(windows)
    padded = F.pad(x, flat_pads(reach_of(windows)), value=-math.inf)
    return pool(padded, kernel, stride, 0, dilation)


def sums(x: Tensor, windows: Windows) -> Tensor:
    """The sum of each window; padding is 0."""
    return _sums(F.pad(x, flat_pads(reach_of(windows))), windows)


def _sums(padded: Tensor, windows: Windows) -> Tensor:
    if any(axis.dilation > 1 for axis in windows):
        return taps(padded, windows).sum(2)
    kernel, stride, _ = _native(windows)
    if len(windows) == 1:
        # Only the means of two and three axes let one say what is divided by.
        wide = F.avg_pool2d(padded.unsqueeze(2), (1, *kernel), (1, *stride), divisor_override=1)
        return wide.squeeze(2)
    return MEANS[len(windows)](padded, kernel, stride, divisor_override=1)


def taps(padded: Tensor, windows: Windows) -> Tensor:
    """What each tap of the windows reads, row by row: (N, C, taps, ...)."""
    made = []
    for tap in product(*(range(axis.kernel_size) for axis in windows)):
        reads = [slice(None), slice(None)]
        for t, axis in zip(tap, windows, strict=True):
            first = t * axis.dilation
            reads.append(slice(first, first + (axis.output - 1) * axis.stride + 1, axis.stride))
        made.append(padded[tuple(reads)])
    return torch.stack(made, dim=2)


def norm(x: Tensor, p: int, dims: tuple[int, ...], keep: bool = False) -> Tensor:
    """(Σ |x|^p)^(1/p) over some axes, as m (Σ (|x| / m)^p)^(1/p): no p makes it too large.

    m is a number here, not a function of x: the result does not depend on it.
    """
    sizes = x.abs()
    m = sizes.detach().amax(dims, keepdim=True)
    total = ((sizes / torch.where(m == 0, 1, m)) ** p).sum(dims, keepdim=True)
    y = m * root(total, p)
    return y if keep else y.squeeze(dims)


def root(total: Tensor, p: int) -> Tensor:
    """total^(1/p), with derivative 0 where it is 0."""
    none = total == 0
    rooted = torch.where(none, 1, total)
    return torch.where(none, 0, rooted.sqrt() if p == 2 else rooted ** (1 / p))


def _native(windows: Windows) -> tuple[list[int], list[int], list[int]]:
    """Kernel, stride and padding as PyTorch's pooling takes them."""
    return (
        [axis.kernel_size for axis in windows],
        [axis.stride for axis in windows],
        [axis.before for axis in windows],
    )


def _pads_natively(windows: Windows) -> bool:
    """Whether PyTorch's pooling pads so itself: alike at both sides, by half the kernel at most."""
    return all(
        axis.before == axis.after and 2 * axis.before <= axis.kernel_size and not axis.beyond
        for axis in windows
    )


def _has_native_mean(windows: Windows) -> bool:
    """Its means know no dilation, and in three axes want the kernel to fit without padding."""
    plain = all(axis.dilation == 1 and axis.n >= axis.kernel_size for axis in windows)
    return plain and _pads_natively(windows)


ROWS: Rows = {
    MaxPool: LargestOfWindow,
    MinPool: SmallestOfWindow,
    AvgPool: MeanOfWindow,
    SumPool: SumOfWindow,
    LpPool: NormOfWindow,
    StochasticPool: OneOfWindow,
}
