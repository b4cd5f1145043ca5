"""Convolution, written for PyTorch."""

from __future__ import annotations

from foveal.engines.source.code import Call, Piece, Rows, call, option, plain, quoted
from foveal.engines.source.filters import HELPERS as FILTERS
from foveal.engines.source.filters import work
from foveal.engines.source.padding import is_even, padding
from foveal.net.kind import per_axis
from foveal.net.layers import Conv, Depthwise
from foveal.net.program import Step

HELPERS = FILTERS


def convolution(step: Step, shared: bool) -> tuple[Piece, ...]:
    kind = step.kind
    assert isinstance(kind, Conv | Depthwise)
    worked = work(kind, step.tensors[0].shape[0])
    # PyTorch's convolutions can repeat the picture around it themselves.
    can_fill = kind.fill == 0 or (isinstance(kind.fill, str) and not worked)
    inside = can_fill and is_even(step.pads) and not shared
    if not any(map(any, step.pads)):
        return (Piece(_convolution(step, kind, worked, pads=False)),)
    if inside:
        return (Piece(_convolution(step, kind, worked, pads=True)),)
    return padding(step.pads, kind.fill), Piece(_convolution(step, kind, worked, pads=False))


def _convolution(
    step: Step, kind: Conv | Depthwise, worked: dict[str, int | bool | None], pads: bool
) -> Call:
    axes, channels = len(step.ins[0]) - 1, step.ins[0][0]
    sizes = {
        "in_channels": channels,
        "out_channels": step.shape[0],
        "kernel_size": plain(per_axis(kind, "kernel_size", kind.kernel_size, axes)),
    }
    return call(
        f"{'WorkedOn' if worked else 'nn.'}Conv{axes}d",
        sizes,
        stride=option(per_axis(kind, "stride", kind.stride, axes), 1),
        padding=option(tuple(before for before, _ in step.pads), 0) if pads else None,
        dilation=option(per_axis(kind, "dilation", kind.dilation, axes), 1),
        groups=option(kind.groups if isinstance(kind, Conv) else channels, 1),
        bias=None if kind.bias else False,
        padding_mode=quoted(kind.fill) if pads and isinstance(kind.fill, str) else None,
        **worked,
        after=".requires_grad_(False)" if kind.frozen else "",
    )


ROWS: Rows = {Conv: convolution, Depthwise: convolution}
