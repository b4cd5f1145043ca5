"""Convolution: the same small kernels at every position."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from foveal.checks import Constraint, Flag, Padding, Size, Whole
from foveal.errors import ShapeError
from foveal.net.kind import Shape, Tensor, shape_text
from foveal.net.layers import window
from foveal.net.layers.window import Window, Windowed


@dataclass(frozen=True)
class Conv(Windowed):
    """Slide a bank of filters over the input (cross-correlation).

    Use it to find the same local pattern everywhere at the cost of one small kernel. Works in
    one, two and three dimensions: the number of axes is that of what arrives.

    Shape:   (N, in_channels, H, W) -> (N, out_channels, H', W')
             H' = floor((H + before + after - dilation*(kernel_size - 1) - 1) / stride) + 1,
             W' alike; with padding `same`, H' = ceil(H / stride) and an odd pixel goes after
    Params:  out_channels * (in_channels / groups) * kH * kW, + out_channels with bias
    Raises:  ShapeError if the kernel does not fit or groups does not divide the channels
    Source:  LeCun et al. 1998, doi:10.1109/5.726791; arithmetic: arXiv:1603.07285

    >>> Conv(10, 3).output(((3, 39, 39),))
    (10, 37, 37)
    >>> sum(tensor.size for tensor in Conv(10, 3).tensors(((3, 39, 39),)))
    280
    """

    out_channels: int
    kernel_size: int | tuple[int, ...]
    stride: int | tuple[int, ...] = 1
    padding: str | int | tuple[int | tuple[int, int], ...] = "valid"
    dilation: int | tuple[int, ...] = 1
    groups: int = 1
    bias: bool = True

    word: ClassVar[str] = "conv"
    aliases: ClassVar[tuple[str, ...]] = ("convolution",)
    positional: ClassVar[tuple[str, ...]] = ("out_channels", "kernel_size")
    constraints: ClassVar[dict[str, Constraint]] = {
        "out_channels": Whole(),
        "kernel_size": Size(),
        "stride": Size(),
        "padding": Padding(),
        "dilation": Size(),
        "groups": Whole(),
        "bias": Flag(),
    }

    def windows(self, ins: tuple[Shape, ...]) -> tuple[Window, ...]:
        return window.windows(
            self,
            ins[0],
            kernel_size=self.kernel_size,
            stride=self.stride,
            dilation=self.dilation,
            padding=self.padding,
        )

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        self._check_groups(ins[0])
        return (self.out_channels, *window.outputs(self.windows(ins)))

    def tensors(self, ins: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        kernel = tuple(axis.kernel_size for axis in self.windows(ins))
        weight = (self.out_channels, ins[0][0] // self.groups, *kernel)
        made = (Tensor("weight", weight, init="kaiming"),)
        return (*made, Tensor("bias", (self.out_channels,))) if self.bias else made

    def macs(self, ins: tuple[Shape, ...]) -> int:
        made = self.windows(ins)
        each = ins[0][0] // self.groups * prod(axis.kernel_size for axis in made)
        return prod(self.output(ins)) * each

    def _check_groups(self, arriving: Shape) -> None:
        for name, count in (("channels that arrive", arriving[0]), ("filters", self.out_channels)):
            if count % self.groups:
                raise ShapeError(
                    f"groups {self.groups} does not divide the {count} {name}",
                    arrives=shape_text(arriving),
                    fix=f"groups that divide both {arriving[0]} and {self.out_channels}",
                )
