"""Pooling: one representative value for each window, channel by channel, without parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from foveal.checks import Constraint, Flag, Optional, Padding, Size
from foveal.errors import ShapeError
from foveal.net.kind import Kind, Shape, shape_text, spatial
from foveal.net.layers import window
from foveal.net.layers.window import Window, Windowed
from foveal.net.reach import Reach

_CONSTRAINTS: dict[str, Constraint] = {
    "kernel_size": Size(),
    "stride": Optional(Size()),
    "padding": Padding(),
}


@dataclass(frozen=True)
class _Pool(Windowed):
    """A window that slides over each channel alone; the stride is the kernel's size if unset."""

    kernel_size: int | tuple[int, ...]
    stride: int | tuple[int, ...] | None = None
    padding: str | int | tuple[int | tuple[int, int], ...] = "valid"

    positional: ClassVar[tuple[str, ...]] = ("kernel_size",)
    constraints: ClassVar[dict[str, Constraint]] = _CONSTRAINTS

    def windows(self, ins: tuple[Shape, ...]) -> tuple[Window, ...]:
        return window.windows(
            self,
            ins[0],
            kernel_size=self.kernel_size,
            stride=self.stride,
            dilation=1,
            padding=self.padding,
        )

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        made = self.windows(ins)
        for axis in made:
            last = (axis.output - 1) * axis.stride - axis.before
            if axis.before >= axis.kernel_size or last >= axis.n:
                padding = f"{axis.before}:{axis.after}"
                raise ShapeError(
                    f"a window of {axis.kernel_size} would lie wholly in padding {padding}",
                    arrives=shape_text(ins[0]),
                    fix=f"padding below {axis.kernel_size}",
                )
        return (ins[0][0], *window.outputs(made))


class MaxPool(_Pool):
    """Keep the largest value of each window; padding never wins.

    Use it to make maps smaller and to forget exactly where a pattern was.

    Shape:   (N, C, H, W) -> (N, C, H', W')
             H' = floor((H + before + after - kernel_size) / stride) + 1, W' alike
    Params:  none
    Raises:  ShapeError if the window does not fit or would see only padding
    Source:  Ranzato et al. 2007, doi:10.1109/CVPR.2007.383157

    >>> MaxPool(2).output(((3, 4, 4),)), MaxPool(2, stride=1).output(((3, 4, 4),))
    ((3, 2, 2), (3, 3, 3))
    """

    word: ClassVar[str] = "maxpool"
    aliases: ClassVar[tuple[str, ...]] = ("pool",)


class AvgPool(_Pool):
    """Keep the mean of each window; padding is not counted.

    Use it where every value of the window should have its say.

    Shape:   (N, C, H, W) -> (N, C, H', W')
             H' = floor((H + before + after - kernel_size) / stride) + 1, W' alike
    Params:  none
    Raises:  ShapeError if the window does not fit or would see only padding
    Source:  LeCun et al. 1998, doi:10.1109/5.726791 (as subsampling)

    >>> AvgPool(2).output(((6, 28, 28),))
    (6, 14, 14)
    """

    word: ClassVar[str] = "avgpool"


@dataclass(frozen=True)
class _GlobalPool(Kind):
    """One value per channel, whatever the size of the picture."""

    keep: bool = False

    constraints: ClassVar[dict[str, Constraint]] = {"keep": Flag()}

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        axes = len(spatial(self, ins[0]))
        return (ins[0][0], *(1,) * axes) if self.keep else (ins[0][0],)

    def reach(self, ins: tuple[Shape, ...], axis: int) -> Reach | None:
        return None


class GlobalMaxPool(_GlobalPool):
    """Keep the largest value of each channel.

    Use it to ask whether a pattern is anywhere in the picture, of any size.

    Shape:   (N, C, H, W) -> (N, C), or (N, C, 1, 1) with `keep`
    Params:  none
    Raises:  ShapeError if flat features arrive
    Source:  Oquab et al. 2015, doi:10.1109/CVPR.2015.7298668

    >>> GlobalMaxPool().output(((64, 7, 7),))
    (64,)
    """

    word: ClassVar[str] = "globalmaxpool"


class GlobalAvgPool(_GlobalPool):
    """Keep the mean of each channel.

    Use it instead of flatten: fewer weights after it, and pictures of any size.

    Shape:   (N, C, H, W) -> (N, C), or (N, C, 1, 1) with `keep`
    Params:  none
    Raises:  ShapeError if flat features arrive
    Source:  Lin, Chen & Yan 2013, arXiv:1312.4400

    >>> GlobalAvgPool(keep=True).output(((64, 7, 7),))
    (64, 1, 1)
    """

    word: ClassVar[str] = "globalavgpool"
