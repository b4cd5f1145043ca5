"""Unpooling: values go back to where max pooling found them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from foveal.checks import Constraint
from foveal.errors import ShapeError, SpecError
from foveal.net.kind import Merge, Shape, shape_text
from foveal.net.layers import window
from foveal.net.layers.pooling import WINDOW, MaxPool, check_seen
from foveal.net.layers.window import Window
from foveal.net.reach import Reach


@dataclass(frozen=True, repr=False)
class MaxUnpool(Merge):
    """Put values back to where the largest value of each window was, and 0 everywhere else.

    Use it to draw outlines after max pooling has forgotten them: `maxunpool 2( identity | @before
    )` puts what arrives back into the size of `@before`, which is what the max pool read. Fields
    are those of the max pool; its windows must not overlap.

    Shape:   (N, C, H', W') and (N, C, H, W) -> (N, C, H, W), where max pooling with the same
             fields makes H' and W' of H and W
    Params:  none
    Raises:  SpecError if windows overlap; ShapeError unless two branches of such shapes arrive
    Source:  Zeiler & Fergus 2014, arXiv:1311.2901

    >>> MaxUnpool(2).output(((64, 4, 4), (64, 9, 8)))
    (64, 9, 8)
    """

    kernel_size: int | tuple[int, ...]
    stride: int | tuple[int, ...] | None = None
    padding: str | int | tuple[int | tuple[int, int], ...] = "valid"

    word: ClassVar[str] = "maxunpool"
    positional: ClassVar[tuple[str, ...]] = ("kernel_size",)
    constraints: ClassVar[dict[str, Constraint]] = WINDOW

    def axes(self, ins: tuple[Shape, ...]) -> tuple[Window, ...]:
        """The windows of the max pool, along each axis of the second branch."""
        made = MaxPool(self.kernel_size, self.stride, self.padding).windows(ins[1:])
        for axis in made:
            if axis.stride < axis.kernel_size:
                raise SpecError(
                    f"windows overlap: stride {axis.stride} is below kernel_size"
                    f" {axis.kernel_size}, so a place may be that of two values",
                    fix=f"stride {axis.kernel_size} here and in the max pool",
                )
        return made

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        arrives = " | ".join(map(shape_text, ins))
        if len(ins) != 2:
            raise ShapeError(
                "needs two branches: what is put back, and what the max pool read",
                arrives=arrives,
                fix=f"{self.word} 2( identity | @before )",
            )
        made = self.axes(ins)
        check_seen(made, ins[1])
        pooled = (ins[1][0], *window.outputs(made))
        if ins[0] != pooled:
            raise ShapeError(
                "the first branch is not of the shape that max pooling makes of the second",
                arrives=arrives,
                expected=f"{shape_text(pooled)} | {shape_text(ins[1])}",
                fix="kernel_size, stride and padding of the max pool, and as many channels",
            )
        return ins[1]

    def reach(self, ins: tuple[Shape, ...], axis: int) -> Reach | None:
        """Where a value goes depends on the picture."""
        return None

    def note(self, ins: tuple[Shape, ...]) -> str:
        return "where a value goes depends on the picture, and so does what a position sees"
