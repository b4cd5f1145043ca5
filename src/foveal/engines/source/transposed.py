"""Transposed convolution, written for PyTorch."""

from __future__ import annotations

from foveal.engines.source.code import Piece, Rows, call, option, plain
from foveal.engines.source.padding import is_even, padding
from foveal.net.layers import ConvTranspose
from foveal.net.program import Step


def transposed(step: Step, shared: bool) -> tuple[Piece, ...]:
    kind = step.kind
    assert isinstance(kind, ConvTranspose)
    axes = kind.axes(step.ins)
    inside = is_even(step.pads) and not shared
    module = call(
        f"nn.ConvTranspose{len(axes)}d",
        {
            "in_channels": step.ins[0][0],
            "out_channels": kind.out_channels,
            "kernel_size": plain(tuple(axis.kernel_size for axis in axes)),
        },
        stride=option(tuple(axis.stride for axis in axes), 1),
        padding=option(tuple(axis.before for axis in axes), 0) if inside else None,
        output_padding=option(tuple(axis.more for axis in axes), 0),
        groups=option(kind.groups, 1),
        bias=None if kind.bias else False,
        dilation=option(tuple(axis.dilation for axis in axes), 1),
        after=".requires_grad_(False)" if kind.frozen else "",
    )
    if inside or not any(map(any, step.pads)):
        return (Piece(module),)
    cut = tuple((-before, -after) for before, after in step.pads)
    border = padding(cut)
    return Piece(module), Piece(border.module, border.function, "cut")


ROWS: Rows = {ConvTranspose: transposed}
