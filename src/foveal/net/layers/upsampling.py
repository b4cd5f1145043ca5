"""Upsampling: more positions, without anything new in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from foveal.checks import Constraint, Flag, OneOf, Size
from foveal.errors import SpecError
from foveal.net import reach
from foveal.net.kind import Kind, Shape, per_axis, spatial
from foveal.net.reach import Reach


@dataclass(frozen=True, repr=False)
class Upsample(Kind):
    """Make maps larger by a whole factor: repeat every value, or draw lines between them.

    Use it in decoders and feature pyramids, before a convolution that knows what to make of it.
    `linear` is bilinear for pictures and trilinear for volumes: pixels are squares with a centre,
    and before the first centre and after the last there is the nearest value. With `align_corners`
    the first and last centres stay where they were instead.

    Shape:   (N, C, H, W) -> (N, C, factor*H, factor*W)
             nearest: output o reads floor(o / factor);
             linear: it lies at (o + ½) / factor - ½, or at o (H - 1) / (factor*H - 1)
    Params:  none
    Raises:  ShapeError if flat features arrive; SpecError for `align_corners` with nearest
    Source:  Long, Shelhamer & Darrell 2015, arXiv:1411.4038

    >>> Upsample(2).output(((64, 7, 7),)), Upsample((1, 3), mode="linear").output(((64, 7, 7),))
    ((64, 14, 14), (64, 7, 21))
    """

    factor: int | tuple[int, ...]
    mode: str = "nearest"
    align_corners: bool = False

    word: ClassVar[str] = "upsample"
    positional: ClassVar[tuple[str, ...]] = ("factor",)
    constraints: ClassVar[dict[str, Constraint]] = {
        "factor": Size(),
        "mode": OneOf(("nearest", "linear")),
        "align_corners": Flag(),
    }

    def factors(self, ins: tuple[Shape, ...]) -> Shape:
        return per_axis(self, "factor", self.factor, len(spatial(self, ins[0])))

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        if self.align_corners and self.mode == "nearest":
            raise SpecError(
                "align_corners says where lines between values begin, but nearest draws none",
                fix="mode linear, or leave out align_corners",
            )
        sizes = zip(ins[0][1:], self.factors(ins), strict=True)
        return (ins[0][0], *(n * factor for n, factor in sizes))

    def reach(self, ins: tuple[Shape, ...], axis: int) -> Reach | None:
        n, factor = ins[0][1 + axis], self.factors(ins)[axis]
        if self.mode == "nearest":
            return reach.upsampling(factor)
        return reach.aligned(n, factor) if self.align_corners else reach.interpolation(factor)

    def formula(self, ins: tuple[Shape, ...]) -> str:
        axes = dict.fromkeys(zip(ins[0][1:], self.factors(ins), strict=True))
        return ", ".join(f"{factor} * {n} = {factor * n}" for n, factor in axes)
