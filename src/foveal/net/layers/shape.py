"""Values as they are, in another place: other axes, a border around them, other channels."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from foveal.checks import Constraint, Fill, Padding, Size, Wholes
from foveal.errors import ShapeError
from foveal.net.kind import Kind, Pads, Shape, per_axis, shape_text, spatial
from foveal.net.layers.window import check_fill
from foveal.net.reach import POINT, Reach, shift


@dataclass(frozen=True, repr=False)
class Reshape(Kind):
    """Lay the same values out in another shape: channel by channel, row by row.

    Use it to make a picture of flat features, as behind `dense 6272 -> reshape 128x7x7`, or to
    give a series a second axis. No value is computed. Like flatten it loses which position was
    where, so that what comes after it sees the whole picture, unless features become a picture:
    then its positions are counted from here.

    Shape:   (N, *any) -> (N, *shape), of as many values
    Params:  none
    Raises:  ShapeError if another number of values arrives
    Source:  row-major order, as numpy.reshape

    >>> Reshape((8, 2, 3)).output(((48,),))
    (8, 2, 3)
    """

    shape: int | tuple[int, ...]

    word: ClassVar[str] = "reshape"
    positional: ClassVar[tuple[str, ...]] = ("shape",)
    constraints: ClassVar[dict[str, Constraint]] = {"shape": Size(axes=4)}
    whole: ClassVar[bool] = True

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        wanted = self.shape if isinstance(self.shape, tuple) else (self.shape,)
        if prod(wanted) != prod(ins[0]):
            raise ShapeError(
                f"{prod(ins[0])} values cannot be laid out as {prod(wanted)}",
                arrives=shape_text(ins[0]),
                expected=f"as many as in {shape_text(wanted)}",
                fix="sizes whose product is the number of values that arrive",
            )
        return wanted

    def formula(self, ins: tuple[Shape, ...]) -> str:
        before, after = ("*".join(map(str, shape)) for shape in (ins[0], self.output(ins)))
        return " = ".join(dict.fromkeys((before, str(prod(ins[0])), after)))


@dataclass(frozen=True, repr=False)
class Pad(Kind):
    """Put a border around the picture.

    Use it where padding is a step of its own: before a layer that has none, of several kinds one
    after another, or of one side only (`pad 2:0` of a series lets no window see ahead). The border
    holds `fill`: a number, or the picture again: mirrored at its outermost positions (`reflect`,
    which are not repeated), its outermost positions (`replicate`), or its other end (`circular`).

    Shape:   (N, C, H, W) -> (N, C, H + before + after, W + before + after)
    Params:  none
    Raises:  ShapeError if flat features arrive, or there is too little picture to repeat
    Source:  as numpy.pad: constant, reflect, edge, wrap

    >>> Pad(1).output(((3, 4, 4),)), Pad(((1, 2), 0), fill="reflect").output(((3, 4, 4),))
    ((3, 6, 6), (3, 7, 4))
    """

    padding: int | tuple[int | tuple[int, int], ...]
    fill: float | str = 0.0

    word: ClassVar[str] = "pad"
    positional: ClassVar[tuple[str, ...]] = ("padding",)
    constraints: ClassVar[dict[str, Constraint]] = {"padding": Padding(()), "fill": Fill()}

    def pads(self, ins: tuple[Shape, ...]) -> Pads:
        sides = per_axis(self, "padding", self.padding, len(spatial(self, ins[0])))
        made = tuple(side if isinstance(side, tuple) else (side, side) for side in sides)
        check_fill(self.fill, made, ins[0])
        return made

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        axes = zip(ins[0][1:], self.pads(ins), strict=True)
        return (ins[0][0], *(n + before + after for n, (before, after) in axes))

    def reach(self, ins: tuple[Shape, ...], axis: int) -> Reach | None:
        before = self.pads(ins)[axis][0]
        return shift(-before) if before else POINT

    def formula(self, ins: tuple[Shape, ...]) -> str:
        lines = [
            f"{n} + {f'2*{before}' if before == after else f'{before} + {after}'}"
            f" = {n + before + after}"
            for n, (before, after) in zip(ins[0][1:], self.pads(ins), strict=True)
        ]
        return lines[0] if len(set(lines)) == 1 else ", ".join(lines)


@dataclass(frozen=True, repr=False)
class Take(Kind):
    """Pick channels by their numbers, in any order; one may be picked more than once.

    Use it to let a layer read some of the maps only, as the third layer of LeNet-5 does:
    `concat( take 0,1,2 -> conv 1 5 | take 1,2,3 -> conv 1 5 )`; or to bring channels into
    another order (`take 2,1,0` makes RGB of BGR).

    Shape:   (N, C, H, W) -> (N, len(channels), H, W); of flat features it picks features
    Params:  none
    Raises:  ShapeError if there is no channel of a number
    Source:  LeCun et al. 1998, doi:10.1109/5.726791, table I

    >>> Take((0, 1, 5)).output(((6, 14, 14),))
    (3, 14, 14)
    """

    channels: tuple[int, ...]

    word: ClassVar[str] = "take"
    positional: ClassVar[tuple[str, ...]] = ("channels",)
    constraints: ClassVar[dict[str, Constraint]] = {"channels": Wholes()}

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        num_channels = ins[0][0]
        beyond = [channel for channel in self.channels if channel >= num_channels]
        if beyond:
            raise ShapeError(
                f"there is no channel {beyond[0]}: counting begins with 0",
                arrives=shape_text(ins[0]),
                expected=f"numbers from 0 to {num_channels - 1}",
                fix="other numbers, or more channels in the layer before",
            )
        return (len(self.channels), *ins[0][1:])

    def formula(self, ins: tuple[Shape, ...]) -> str:
        return f"{len(self.channels)} of {ins[0][0]} channels"
