"""Local connections: at every position kernels of its own."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from foveal.checks import Constraint, Fill, Flag, Padding, Size, Whole
from foveal.net.kind import Shape, Start, Tensor
from foveal.net.layers import learned, window
from foveal.net.layers.window import PADDINGS, Windowed


@dataclass(frozen=True, repr=False)
class LocallyConnected(Windowed):
    """Slide as a convolution does, but with other weights at every position.

    Use it where the picture has a fixed layout, such as centred faces: eyes need other features
    than chins. Its weights grow with the map; sharing them is what makes a convolution.

    Shape:   (N, in_channels, H, W) -> (N, out_channels, H', W'); H', W' as Conv
    Params:  out_channels * H' * W' * in_channels * kH * kW, + out_channels * H' * W' with bias
    Raises:  ShapeError if the kernel does not fit, or there is too little picture for the padding
    Source:  LeCun 1989, "Generalization and network design strategies"; Taigman et al. 2014,
             doi:10.1109/CVPR.2014.220

    >>> layer = LocallyConnected(1, 5)
    >>> layer.output(((3, 28, 28),)), sum(t.size for t in layer.tensors(((3, 28, 28),)))
    ((1, 24, 24), 43776)
    """

    out_channels: int
    kernel_size: int | tuple[int, ...]
    stride: int | tuple[int, ...] = 1
    padding: str | int | tuple[int | tuple[int, int], ...] = "valid"
    dilation: int | tuple[int, ...] = 1
    bias: bool = True
    fill: float | str = 0.0
    init: Start = None
    frozen: bool = False

    word: ClassVar[str] = "local"
    aliases: ClassVar[tuple[str, ...]] = ("locallyconnected",)
    positional: ClassVar[tuple[str, ...]] = ("out_channels", "kernel_size")
    constraints: ClassVar[dict[str, Constraint]] = {
        "out_channels": Whole(),
        "kernel_size": Size(),
        "stride": Size(),
        "padding": Padding(PADDINGS),
        "dilation": Size(),
        "bias": Flag(),
        "fill": Fill(),
        **learned.START,
    }

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        return (self.out_channels, *window.outputs(self.windows(ins)))

    def tensors(self, ins: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        made, maps = self.windows(ins), self.output(ins)
        kernel = tuple(axis.kernel_size for axis in made)
        fans = ins[0][0] * prod(kernel), self.out_channels * prod(kernel)
        weight = learned.weight(self, (*maps, ins[0][0], *kernel), fans, kernel)
        return (weight, *learned.bias(self, maps))

    def note(self, ins: tuple[Shape, ...]) -> str:
        own = sum(tensor.size for tensor in self.tensors(ins))
        shared = own // prod(self.output(ins)[1:])
        counted = f"{own:,} parameters; with the same weights at every position it would have"
        return "; ".join(filter(None, (super().note(ins), f"{counted} {shared:,}")))

    def macs(self, ins: tuple[Shape, ...]) -> int:
        reads = ins[0][0] * prod(axis.kernel_size for axis in self.windows(ins))
        return prod(self.output(ins)) * reads
