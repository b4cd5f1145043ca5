"""Pooling: one representative value for each window, channel by channel, without parameters."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import ClassVar

from foveal.checks import Constraint, Flag, Optional, Padding, Size, Whole
from foveal.errors import ShapeError
from foveal.net.kind import Shape, shape_text
from foveal.net.layers import window
from foveal.net.layers.window import Window, Windowed

WINDOW: dict[str, Constraint] = {
    "kernel_size": Size(),
    "stride": Optional(Size()),
    "padding": Padding(),
}


@dataclass(frozen=True, repr=False)
class _Pool(Windowed):
    """A window that slides over each channel alone; the stride is the kernel's size if unset.

    With `ceil` there is one output more where the stride does not divide the way, unless its
    window would begin after the picture; what it reads beyond the padding is nothing.
    """

    kernel_size: int | tuple[int, ...]
    stride: int | tuple[int, ...] | None = None
    padding: str | int | tuple[int | tuple[int, int], ...] = "valid"
    dilation: int | tuple[int, ...] = 1
    ceil: bool = False

    positional: ClassVar[tuple[str, ...]] = ("kernel_size",)
    constraints: ClassVar[dict[str, Constraint]] = {**WINDOW, "dilation": Size(), "ceil": Flag()}

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        made = self.windows(ins)
        check_seen(made, ins[0])
        return (ins[0][0], *window.outputs(made))


class MaxPool(_Pool):
    """Keep the largest value of each window; padding never wins.

    Use it to make maps smaller and to forget exactly where a pattern was. Of equal values the
    first, row by row, has the gradient.

    Shape:   (N, C, H, W) -> (N, C, H', W')
             H' = floor((H + before + after - span) / stride) + 1, W' alike, rounded up with
             `ceil`; span = dilation*(kernel_size - 1) + 1
    Params:  none
    Raises:  ShapeError if the window does not fit or would see only padding
    Source:  Ranzato et al. 2007, doi:10.1109/CVPR.2007.383157

    >>> MaxPool(2).output(((3, 4, 4),)), MaxPool(2, stride=1).output(((3, 4, 4),))
    ((3, 2, 2), (3, 3, 3))
    """

    word: ClassVar[str] = "maxpool"
    aliases: ClassVar[tuple[str, ...]] = ("pool",)


class MinPool(_Pool):
    """Keep the smallest value of each window; padding never wins.

    Use it where the dark is what matters: thin lines on paper survive it.

    Shape:   (N, C, H, W) -> (N, C, H', W'), H' and W' as of `maxpool`
    Params:  none
    Raises:  ShapeError if the window does not fit or would see only padding
    Source:  Serra 1982, Image Analysis and Mathematical Morphology (erosion)

    >>> MinPool(3, stride=2, padding="same").output(((1, 9, 7),))
    (1, 5, 4)
    """

    word: ClassVar[str] = "minpool"


@dataclass(frozen=True, repr=False)
class AvgPool(_Pool):
    """Keep the mean of each window; padding is not counted unless `count_include_pad`.

    Use it where every value of the window should have its say. Positions that only `ceil` reads
    are never counted.

    Shape:   (N, C, H, W) -> (N, C, H', W'), H' and W' as of `maxpool`
    Params:  none
    Raises:  ShapeError if the window does not fit or would see only padding
    Source:  LeCun et al. 1998, doi:10.1109/5.726791 (as subsampling)

    >>> AvgPool(2).output(((6, 28, 28),))
    (6, 14, 14)
    """

    count_include_pad: bool = False

    word: ClassVar[str] = "avgpool"
    constraints: ClassVar[dict[str, Constraint]] = {
        **_Pool.constraints,
        "count_include_pad": Flag(),
    }


class SumPool(_Pool):
    """Keep the sum of each window; padding is 0.

    Use it to count: how often a pattern was found, not how strongly on average.

    Shape:   (N, C, H, W) -> (N, C, H', W'), H' and W' as of `maxpool`
    Params:  none
    Raises:  ShapeError if the window does not fit or would see only padding
    Source:  Lazebnik, Schmid & Ponce 2006, doi:10.1109/CVPR.2006.68 (counts over cells)

    >>> SumPool(2, ceil=True).output(((6, 5, 5),))
    (6, 3, 3)
    """

    word: ClassVar[str] = "sumpool"


@dataclass(frozen=True, repr=False)
class LpPool(_Pool):
    """Keep the p-norm of each window, (Σ |x|^p)^(1/p); padding is 0.

    Use it between sum (p = 1) and maximum (p large) of absolute values.

    Shape:   (N, C, H, W) -> (N, C, H', W'), H' and W' as of `maxpool`
    Params:  none
    Raises:  ShapeError if the window does not fit or would see only padding
    Source:  Sermanet, Chintala & LeCun 2012, arXiv:1204.3968

    >>> LpPool(2, p=3).output(((6, 28, 28),))
    (6, 14, 14)
    """

    p: int = 2

    word: ClassVar[str] = "lppool"
    constraints: ClassVar[dict[str, Constraint]] = {**_Pool.constraints, "p": Whole()}


class StochasticPool(_Pool):
    """In training draw one value of each window, with a probability proportional to it.

    Use it as max pooling that fits the training data less well. Values below 0 count as 0, and so
    does padding. In prediction each window gives the mean that is to be expected, Σ x² / Σ x. A
    window without any positive value gives 0.

    Shape:   (N, C, H, W) -> (N, C, H', W'), H' and W' as of `maxpool`
    Params:  none
    Raises:  ShapeError if the window does not fit or would see only padding
    Source:  Zeiler & Fergus 2013, arXiv:1301.3557

    >>> StochasticPool(3, stride=2).output(((64, 13, 13),))
    (64, 6, 6)
    """

    word: ClassVar[str] = "stochasticpool"


def check_seen(made: tuple[Window, ...], arriving: Shape) -> None:
    """ShapeError if a window would see nothing of the picture."""
    for axis in made:
        if not _all_see(axis):
            across = f" (dilated over {axis.span})" if axis.dilation > 1 else ""
            fix = "less padding, or a smaller dilation" if across else f"padding below {axis.span}"
            raise ShapeError(
                f"a window of {axis.kernel_size}{across} would lie wholly in padding"
                f" {axis.before}:{axis.after}",
                arrives=shape_text(arriving),
                fix=fix,
            )


def _all_see(axis: Window) -> bool:
    """Whether every window has a tap in the picture, where dilation may step over all of it."""
    last = (axis.output - 1) * axis.stride - axis.before
    if axis.before >= axis.span or last >= axis.n:
        return False
    outside = -(-axis.before // axis.stride)
    if axis.n >= axis.dilation:
        # Taps are not farther apart than the picture is long; the last tap of all is within reach.
        return True
    places = range(min(outside, axis.output, axis.dilation // gcd(axis.stride, axis.dilation)))
    return all((o * axis.stride - axis.before) % axis.dilation < axis.n for o in places)
