"""Pooling to a size: as many windows as are wanted, as wide as they must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from foveal.checks import Constraint, Size
from foveal.net import reach
from foveal.net.kind import Kind, Shape, per_axis, spatial
from foveal.net.reach import Reach


@dataclass(frozen=True, repr=False)
class _AdaptivePool(Kind):
    """Output o of m reads floor(o n / m) to ceil((o + 1) n / m) - 1 of n: windows may overlap."""

    size: int | tuple[int, ...]

    positional: ClassVar[tuple[str, ...]] = ("size",)
    constraints: ClassVar[dict[str, Constraint]] = {"size": Size()}

    def sizes(self, ins: tuple[Shape, ...]) -> Shape:
        """How many outputs along each axis."""
        return per_axis(self, "size", self.size, len(spatial(self, ins[0])))

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        return (ins[0][0], *self.sizes(ins))

    def reach(self, ins: tuple[Shape, ...], axis: int) -> Reach | None:
        return reach.adaptive(ins[0][1 + axis], self.sizes(ins)[axis])

    def formula(self, ins: tuple[Shape, ...]) -> str:
        """The size is given; which positions an output reads follows from what arrives."""
        axes = dict.fromkeys(zip(ins[0][1:], self.sizes(ins), strict=True))
        return ", ".join(
            f"{m}: o reads floor(o*{n}/{m}) to ceil((o + 1)*{n}/{m}) - 1" for n, m in axes
        )


class AdaptiveAvgPool(_AdaptivePool):
    """Keep the means of as many windows as are wanted, whatever size arrives.

    Use it before dense layers that expect one size. Windows are as alike as they can be; where the
    size does not divide what arrives they overlap by a position.

    Shape:   (N, C, H, W) -> (N, C, size, size); size may be larger than H and W
             output o reads floor(o*H/size) to ceil((o + 1)*H/size) - 1
    Params:  none
    Raises:  ShapeError if flat features arrive, or size is for another number of axes
    Source:  He et al. 2014, arXiv:1406.4729 (spatial pyramid pooling)

    >>> AdaptiveAvgPool(7).output(((512, 13, 10),))
    (512, 7, 7)
    """

    word: ClassVar[str] = "adaptiveavgpool"


class AdaptiveMaxPool(_AdaptivePool):
    """Keep the largest values of as many windows as are wanted, whatever size arrives.

    Use it as `adaptiveavgpool`, where the strongest answer of each window matters. Of equal values
    the first, row by row, has the gradient.

    Shape:   (N, C, H, W) -> (N, C, size, size); size may be larger than H and W
             output o reads floor(o*H/size) to ceil((o + 1)*H/size) - 1
    Params:  none
    Raises:  ShapeError if flat features arrive, or size is for another number of axes
    Source:  He et al. 2014, arXiv:1406.4729 (spatial pyramid pooling)

    >>> AdaptiveMaxPool((2, 3)).output(((512, 13, 10),))
    (512, 2, 3)
    """

    word: ClassVar[str] = "adaptivemaxpool"
