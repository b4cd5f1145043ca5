"""Transposed convolution: a convolution run backwards, to make maps larger."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from foveal.checks import Constraint, Flag, Padding, Size, Whole
from foveal.errors import ShapeError
from foveal.net.kind import Kind, Pads, Shape, Start, Tensor, per_axis, shape_text, spatial
from foveal.net.layers import learned
from foveal.net.layers.learned import check_groups
from foveal.net.reach import Reach, transposed


@dataclass(frozen=True)
class Axis:
    """One axis: n positions arrive, each lays a kernel down, `stride` apart."""

    n: int
    kernel_size: int
    stride: int
    dilation: int
    before: int
    after: int
    more: int

    @property
    def whole(self) -> int:
        """Positions before any are cut off."""
        return (self.n - 1) * self.stride + self.dilation * (self.kernel_size - 1) + 1

    @property
    def output(self) -> int:
        return self.whole - self.before - self.after + self.more

    def formula(self) -> str:
        span = self.dilation * (self.kernel_size - 1) + 1
        cut = f" - {self.before} - {self.after}" if self.before or self.after else ""
        more = f" + {self.more}" if self.more else ""
        return f"({self.n} - 1) * {self.stride} + {span}{cut}{more} = {self.output}"


@dataclass(frozen=True, repr=False)
class ConvTranspose(Kind):
    """Lay a kernel down for every value that arrives, `stride` apart, and add where they overlap.

    Use it in decoders, to learn how a small map becomes a large one: it is the backward pass of
    Conv with the same fields. Padding is cut off from what was made; `same` gives H * stride.
    `output_padding` adds positions at the end, because several sizes convolve to the same one.

    Shape:   (N, in_channels, H, W) -> (N, out_channels, H', W'), W' alike: H' = (H - 1) * stride
             + dilation*(kernel_size - 1) + 1 - before - after + output_padding
    Params:  in_channels * (out_channels / groups) * kH * kW, + out_channels with bias
    Raises:  ShapeError if nothing is left, output_padding is neither below stride nor below
             dilation, or groups does not divide the channels
    Source:  Zeiler et al. 2010, doi:10.1109/CVPR.2010.5539957; arithmetic: arXiv:1603.07285

    >>> ConvTranspose(16, 4, stride=2, padding=1).output(((32, 7, 7),))
    (16, 14, 14)
    """

    out_channels: int
    kernel_size: int | tuple[int, ...]
    stride: int | tuple[int, ...] = 1
    padding: str | int | tuple[int | tuple[int, int], ...] = "valid"
    output_padding: int | tuple[int, ...] = 0
    dilation: int | tuple[int, ...] = 1
    groups: int = 1
    bias: bool = True
    init: Start = None
    frozen: bool = False

    word: ClassVar[str] = "convtranspose"
    aliases: ClassVar[tuple[str, ...]] = ("deconv",)
    positional: ClassVar[tuple[str, ...]] = ("out_channels", "kernel_size")
    constraints: ClassVar[dict[str, Constraint]] = {
        "out_channels": Whole(),
        "kernel_size": Size(),
        "stride": Size(),
        "padding": Padding(),
        "output_padding": Size(0),
        "dilation": Size(),
        "groups": Whole(),
        "bias": Flag(),
        **learned.START,
    }

    def axes(self, ins: tuple[Shape, ...]) -> tuple[Axis, ...]:
        """The arithmetic of each axis; ShapeError if nothing is left of one."""
        sizes = spatial(self, ins[0])
        fields = ("kernel_size", "stride", "dilation", "output_padding", "padding")
        each = [per_axis(self, name, getattr(self, name), len(sizes)) for name in fields]
        made = tuple(map(_axis, sizes, *each))
        for axis in made:
            if axis.output < 1:
                raise ShapeError(
                    f"padding {axis.before}:{axis.after} cuts off all of {axis.whole} positions",
                    arrives=shape_text(ins[0]),
                    fix="less padding",
                )
            if axis.more >= max(axis.stride, axis.dilation):
                raise ShapeError(
                    f"output_padding {axis.more} is as much as the stride and the dilation",
                    arrives=shape_text(ins[0]),
                    fix=f"output_padding below {max(axis.stride, axis.dilation)}",
                )
        return made

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        check_groups(self.groups, ins[0], self.out_channels)
        return (self.out_channels, *(axis.output for axis in self.axes(ins)))

    def pads(self, ins: tuple[Shape, ...]) -> Pads:
        """What is cut off from each axis, before and after."""
        return tuple((axis.before, axis.after) for axis in self.axes(ins))

    def tensors(self, ins: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        kernel = tuple(axis.kernel_size for axis in self.axes(ins))
        channels, filters = ins[0][0] // self.groups, self.out_channels // self.groups
        # A value of the output gets a share of the kernel's taps: every stride-th along an axis.
        strides = prod(axis.stride for axis in self.axes(ins))
        fans = max(1, channels * prod(kernel) // strides), filters * prod(kernel)
        weight = learned.weight(self, (ins[0][0], filters, *kernel), fans, kernel)
        return (weight, *learned.bias(self, (self.out_channels,)))

    def macs(self, ins: tuple[Shape, ...]) -> int:
        kernel = prod(axis.kernel_size for axis in self.axes(ins))
        return prod(ins[0]) * self.out_channels // self.groups * kernel

    def reach(self, ins: tuple[Shape, ...], axis: int) -> Reach | None:
        made = self.axes(ins)[axis]
        return transposed(made.kernel_size, made.stride, made.dilation, made.before)

    def formula(self, ins: tuple[Shape, ...]) -> str:
        lines = [axis.formula() for axis in self.axes(ins)]
        return lines[0] if len(set(lines)) == 1 else ", ".join(lines)


def _axis(n: int, k: int, s: int, d: int, more: int, padding: str | int | tuple[int, int]) -> Axis:
    """One axis with its padding resolved: `same` cuts off what is more than n * s, or adds."""
    span = d * (k - 1) + 1
    if isinstance(padding, tuple):
        return Axis(n, k, s, d, *padding, more)
    if isinstance(padding, int):
        return Axis(n, k, s, d, padding, padding, more)
    if padding == "valid":
        return Axis(n, k, s, d, 0, 0, more)
    total = max(span + more - s, 0)
    less, rest = total // 2, total - total // 2
    more += max(s - span - more, 0)
    return Axis(n, k, s, d, *((less, rest) if padding == "same" else (rest, less)), more)
