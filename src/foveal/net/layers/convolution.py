"""Convolution: the same small kernels at every position."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from foveal.checks import Constraint, Fill, Flag, Padding, Size, Whole
from foveal.net.kind import Shape, Start, Tensor
from foveal.net.layers import learned, window
from foveal.net.layers.learned import check_groups
from foveal.net.layers.window import PADDINGS, Windowed

SLIDING: dict[str, Constraint] = {
    "kernel_size": Size(),
    "stride": Size(),
    "padding": Padding(PADDINGS),
    "dilation": Size(),
    "bias": Flag(),
    "fill": Fill(),
    "flip": Flag(),
    "shared": Flag(),
    **learned.WEIGHT,
    **learned.START,
}


@dataclass(frozen=True, repr=False)
class Conv(Windowed):
    """Slide a bank of filters over the input (cross-correlation).

    Use it to find the same local pattern everywhere at the cost of one small kernel. Works in
    one, two and three dimensions: the number of axes is that of what arrives. `flip` turns the
    kernel round: the convolution of mathematics. `shared` uses one kernel for all channels.
    `unit_sum` divides each filter by the sum of its weights, so that a constant picture keeps its
    value; `weight_norm` learns a filter's direction and its length (`gain`) apart. Padding holds
    `fill`: a number, or the picture again (`reflect`, `replicate`, `circular`).

    Shape:   (N, in_channels, H, W) -> (N, out_channels, H', W')
             H' = floor((H + before + after - dilation*(kernel_size - 1) - 1) / stride) + 1,
             W' alike. Padding `same`: H' = ceil(H / stride), an odd pixel after (`same_lower`:
             before); `preserve`: H' = H whatever the stride; `causal`: all of it before
    Params:  out_channels * (in_channels / groups) * kH * kW, + out_channels with bias
    Raises:  ShapeError if the kernel does not fit, groups does not divide the channels, or there
             is too little picture for the padding; SpecError if weights to be divided sum to 0
    Source:  LeCun et al. 1998, doi:10.1109/5.726791; arithmetic: arXiv:1603.07285;
             weight norm: Salimans & Kingma 2016, arXiv:1602.07868

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
    fill: float | str = 0.0
    flip: bool = False
    shared: bool = False
    weight: str = "free"
    init: Start = None
    frozen: bool = False

    word: ClassVar[str] = "conv"
    aliases: ClassVar[tuple[str, ...]] = ("convolution",)
    positional: ClassVar[tuple[str, ...]] = ("out_channels", "kernel_size")
    constraints: ClassVar[dict[str, Constraint]] = {
        "out_channels": Whole(),
        "groups": Whole(),
        **SLIDING,
    }

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        check_groups(self.groups, ins[0], self.out_channels)
        return (self.out_channels, *window.outputs(self.windows(ins)))

    def tensors(self, ins: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        made, channels = self.windows(ins), ins[0][0] // self.groups
        positions = prod(axis.kernel_size for axis in made)
        fans = channels * positions, self.out_channels // self.groups * positions
        kernel = tuple(axis.kernel_size for axis in made)
        shape = (self.out_channels, 1 if self.shared else channels, *kernel)
        return learned.tensors(self, shape, fans, self.out_channels, kernel)

    def macs(self, ins: tuple[Shape, ...]) -> int:
        made = self.windows(ins)
        each = ins[0][0] // self.groups * prod(axis.kernel_size for axis in made)
        return prod(self.output(ins)) * each


@dataclass(frozen=True, repr=False)
class Depthwise(Windowed):
    """Slide filters over each channel alone: `multiplier` maps for every channel that arrives.

    Use it before a 1x1 convolution, which together cost a fraction of one convolution over all
    channels (a separable convolution: `depthwise 3 same -> conv 64 1`). With `shared` one kernel
    serves all channels. Other options are those of Conv.

    Shape:   (N, channels, H, W) -> (N, channels * multiplier, H', W'); H', W' as Conv
    Params:  channels * multiplier * kH * kW, + channels * multiplier with bias
    Raises:  as Conv
    Source:  Sifre & Mallat 2014, arXiv:1403.1687; Chollet 2016, arXiv:1610.02357

    >>> Depthwise(3, padding="same").output(((64, 8, 8),))
    (64, 8, 8)
    """

    kernel_size: int | tuple[int, ...]
    multiplier: int = 1
    stride: int | tuple[int, ...] = 1
    padding: str | int | tuple[int | tuple[int, int], ...] = "valid"
    dilation: int | tuple[int, ...] = 1
    bias: bool = True
    fill: float | str = 0.0
    flip: bool = False
    shared: bool = False
    weight: str = "free"
    init: Start = None
    frozen: bool = False

    word: ClassVar[str] = "depthwise"
    positional: ClassVar[tuple[str, ...]] = ("kernel_size",)
    constraints: ClassVar[dict[str, Constraint]] = {"multiplier": Whole(), **SLIDING}

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        return (ins[0][0] * self.multiplier, *window.outputs(self.windows(ins)))

    def tensors(self, ins: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        kernel = tuple(axis.kernel_size for axis in self.windows(ins))
        out_channels = ins[0][0] * self.multiplier
        shape = (self.multiplier if self.shared else out_channels, 1, *kernel)
        fans = prod(kernel), self.multiplier * prod(kernel)
        return learned.tensors(self, shape, fans, out_channels, kernel)

    def macs(self, ins: tuple[Shape, ...]) -> int:
        return prod(self.output(ins)) * prod(axis.kernel_size for axis in self.windows(ins))
