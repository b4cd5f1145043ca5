"""What stands at the entrance of a net: the kind of input, preprocessing, assertions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from foveal.checks import Constraint, Numbers, OneOf, Size
from foveal.errors import ShapeError
from foveal.net.kind import Kind, Shape, per_axis, shape_text, spatial
from foveal.net.reach import Reach, shift


@dataclass(frozen=True, repr=False)
class Input(Kind):
    """Say what arrives: numbers as they are, or pictures as bytes.

    Use `input uint8` first in a net that is deployed: its graph then takes pictures as programs
    hold them, 8 bits with the channels last, and everything after it sees 0 … 255, channels first.

    Shape:   float: (N, C, H, W) -> the same; uint8: (N, H, W, C) of bytes -> (N, C, H, W)
    Params:  none
    Raises:  nothing
    Source:  none

    >>> Input("uint8").output(((3, 224, 224),))
    (3, 224, 224)
    """

    dtype: str = "float"

    word: ClassVar[str] = "input"
    positional: ClassVar[tuple[str, ...]] = ("dtype",)
    constraints: ClassVar[dict[str, Constraint]] = {"dtype": OneOf(("float", "uint8"))}
    first: ClassVar[bool] = True
    geometric: ClassVar[bool] = True


@dataclass(frozen=True, repr=False)
class Resize(Kind):
    """Resize the picture: bilinear, with antialiasing, rounded to whole levels once.

    Use it as preprocessing. One number is the new shorter side, the other follows in proportion
    (rounded half up); `224x224` fixes both and may distort. With s = max(1, n / m), output o is
    the mean of the inputs i weighted by max(0, 1 - |i + ½ - (o + ½) n / m| / s).

    Shape:   (N, C, H, W) -> (N, C, size, size * W / H) if H <= W
    Params:  none
    Raises:  ShapeError if flat features arrive
    Source:  triangle filter as in Pillow's BILINEAR and ONNX Resize with antialias

    >>> Resize(256).output(((3, 300, 400),)), Resize((32, 32)).output(((3, 300, 400),))
    ((3, 256, 341), (3, 32, 32))
    """

    size: int | tuple[int, ...]

    word: ClassVar[str] = "resize"
    positional: ClassVar[tuple[str, ...]] = ("size",)
    constraints: ClassVar[dict[str, Constraint]] = {"size": Size()}
    geometric: ClassVar[bool] = True

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        sizes = spatial(self, ins[0])
        if isinstance(self.size, tuple):
            return (ins[0][0], *per_axis(self, "size", self.size, len(sizes)))
        short = min(sizes)
        return (ins[0][0], *((2 * n * self.size + short) // (2 * short) for n in sizes))

    def reach(self, ins: tuple[Shape, ...], axis: int) -> Reach | None:
        return None


@dataclass(frozen=True, repr=False)
class Crop(Kind):
    """Cut out the middle of the picture; an odd pixel is cut off at the end.

    Use it after resize, to make all pictures the same size.

    Shape:   (N, C, H, W) -> (N, C, size, size), from row floor((H - size) / 2) on
    Params:  none
    Raises:  ShapeError if the picture is smaller than the crop
    Source:  none

    >>> Crop(224).output(((3, 256, 341),))
    (3, 224, 224)
    """

    size: int | tuple[int, ...]

    word: ClassVar[str] = "crop"
    positional: ClassVar[tuple[str, ...]] = ("size",)
    constraints: ClassVar[dict[str, Constraint]] = {"size": Size()}
    geometric: ClassVar[bool] = True

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        sizes = spatial(self, ins[0])
        wanted = per_axis(self, "size", self.size, len(sizes))
        if any(n < size for n, size in zip(sizes, wanted, strict=True)):
            raise ShapeError(
                f"crop {shape_text(wanted)} is larger than the picture {shape_text(sizes)}",
                arrives=shape_text(ins[0]),
                fix="resize before it, or crop less",
            )
        return (ins[0][0], *wanted)

    def reach(self, ins: tuple[Shape, ...], axis: int) -> Reach | None:
        return shift((ins[0][axis + 1] - self.output(ins)[axis + 1]) // 2)


@dataclass(frozen=True, repr=False)
class Normalise(Kind):
    """Subtract a mean from each channel and divide by a deviation, both in levels of 0 … 255.

    Use it after `input uint8`, with the figures of the training pictures: y = (x - mean) / std.
    One number serves all channels.

    Shape:   (N, C, H, W) -> the same
    Params:  none: mean and std belong to the net and are not trained
    Raises:  ShapeError if the number of figures is neither 1 nor that of the channels
    Source:  LeCun et al. 1998, "Efficient BackProp", doi:10.1007/3-540-49430-8_2

    >>> Normalise(mean=(127.5,), std=(127.5,)).output(((3, 32, 32),))
    (3, 32, 32)
    """

    mean: tuple[float, ...] = (127.5,)
    std: tuple[float, ...] = (127.5,)

    word: ClassVar[str] = "normalise"
    aliases: ClassVar[tuple[str, ...]] = ("normalize",)
    constraints: ClassVar[dict[str, Constraint]] = {"mean": Numbers(), "std": Numbers(above=0)}

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        for field, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, ins[0][0]):
                raise ShapeError(
                    f"{field} has {len(values)} numbers for {ins[0][0]} channels",
                    arrives=shape_text(ins[0]),
                    fix=f"give one number, or {ins[0][0]}",
                )
        return ins[0]


@dataclass(frozen=True, repr=False)
class Expect(Kind):
    """Check that exactly this shape arrives.

    Use it to say what a net was made for: `expect 64x56x56`.

    Shape:   (N, *shape) -> the same
    Params:  none
    Raises:  ShapeError if anything else arrives
    Source:  none

    >>> Expect((3, 32, 32)).output(((3, 32, 32),))
    (3, 32, 32)
    """

    shape: int | tuple[int, ...]

    word: ClassVar[str] = "expect"
    positional: ClassVar[tuple[str, ...]] = ("shape",)
    constraints: ClassVar[dict[str, Constraint]] = {"shape": Size(axes=4)}

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        wanted = self.shape if isinstance(self.shape, tuple) else (self.shape,)
        if ins[0] != wanted:
            raise ShapeError(
                "something else arrives than the net expects",
                arrives=shape_text(ins[0]),
                expected=shape_text(wanted),
                fix="change the input or the layers before, or take expect out",
            )
        return ins[0]


class Identity(Kind):
    """Pass on what arrives.

    Use it as the short way past a block: `add( identity | … )`.

    Shape:   any -> the same
    Params:  none
    Raises:  nothing
    Source:  none

    >>> Identity().output(((64, 8, 8),))
    (64, 8, 8)
    """

    word: ClassVar[str] = "identity"
