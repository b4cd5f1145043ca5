"""Unpooling, written for PyTorch."""

from __future__ import annotations

from foveal.engines.source.code import Piece, Rows
from foveal.net.layers import MaxUnpool
from foveal.net.program import Step

HELPERS = {
    "max_unpool": '''
def max_unpool(
    values: Tensor,
    x: Tensor,
    kernel_size: tuple[int, ...],
    stride: tuple[int, ...],
    pads: tuple[int, ...],
) -> Tensor:
    """Put values back to where the largest value of each window of x was."""
    padded = F.pad(x.detach(), pads, value=-math.inf)
    pool = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[len(kernel_size) - 1]
    _, places = pool(padded, kernel_size, stride, return_indices=True)
    y = values.new_zeros(padded.flatten(2).shape)
    y = y.scatter(2, places.flatten(2), values.flatten(2)).reshape(padded.shape)
    return F.pad(y, tuple(-side for side in pads))
''',
}


def unpooling(step: Step, shared: bool) -> tuple[Piece, ...]:
    assert isinstance(step.kind, MaxUnpool)
    axes = step.kind.axes(step.ins)
    kernel, stride = (tuple(a.kernel_size for a in axes), tuple(a.stride for a in axes))
    pads = tuple(side for axis in reversed(axes) for side in (axis.before, axis.after))
    return (Piece(None, f"max_unpool({{0}}, {{1}}, {kernel}, {stride}, {pads})"),)


ROWS: Rows = {MaxUnpool: unpooling}
