"""How parallel branches become one value again."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from foveal.errors import ShapeError
from foveal.net.kind import Merge, Shape, shape_text


class Add(Merge):
    """Add the values of all branches, position by position.

    Use it for residual connections: `add( identity | conv 64 3 same )`.

    Shape:   all branches (N, C, H, W) -> the same
    Params:  none
    Raises:  ShapeError if the branches differ in shape
    Source:  He et al. 2015, arXiv:1512.03385

    >>> Add().output(((64, 8, 8), (64, 8, 8)))
    (64, 8, 8)
    """

    word: ClassVar[str] = "add"

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        if len(set(ins)) > 1:
            raise ShapeError(
                "branches of different shape cannot be added",
                arrives=_branches(ins),
                fix="give all branches the same channels, stride and padding;\n"
                "instead of identity, which keeps them: conv CHANNELS 1 stride S",
            )
        return ins[0]


class Concat(Merge):
    """Lay the channels of all branches behind one another.

    Use it to keep what several branches found, as Inception and DenseNet do.

    Shape:   (N, C1, H, W), (N, C2, H, W), … -> (N, C1 + C2 + …, H, W)
    Params:  none
    Raises:  ShapeError if the branches differ in height or width
    Source:  Szegedy et al. 2014, arXiv:1409.4842

    >>> Concat().output(((64, 8, 8), (32, 8, 8)))
    (96, 8, 8)
    """

    word: ClassVar[str] = "concat"

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        if len({shape[1:] for shape in ins}) > 1:
            raise ShapeError(
                "branches of different size cannot be concatenated",
                arrives=_branches(ins),
                fix="give all branches the same stride and padding",
            )
        return (sum(shape[0] for shape in ins), *ins[0][1:])

    def formula(self, ins: tuple[Shape, ...]) -> str:
        channels = [shape[0] for shape in ins]
        return f"{' + '.join(map(str, channels))} = {sum(channels)} channels"


class Multiply(Merge):
    """Multiply the values of all branches, position by position.

    Use it for gates: one branch says how much of each channel (C, 1, 1) or of each position
    (1, H, W) of another goes on, as squeeze-and-excitation does: `multiply( identity |
    globalavgpool keep -> conv 4 1 -> relu -> conv 64 1 -> sigmoid )`. The receptive field is that
    of the branches that have all positions; what a gate sees beside it is noted.

    Shape:   branches with as many axes, each size equal or 1, one of them with all sizes
             -> (N, C, H, W) of that one
    Params:  none
    Raises:  ShapeError if sizes differ and are not 1, or no branch has all of them
    Source:  Hu, Shen & Sun 2017, arXiv:1709.01507; highway gates: Srivastava et al. 2015,
             arXiv:1505.00387

    >>> Multiply().output(((64, 8, 8), (64, 1, 1)))
    (64, 8, 8)
    """

    word: ClassVar[str] = "multiply"

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        if len({len(shape) for shape in ins}) > 1:
            raise ShapeError(
                "branches with different numbers of axes cannot be multiplied",
                arrives=_branches(ins),
                fix="keep the axes of a gate: globalavgpool keep, and conv CHANNELS 1 after it",
            )
        made = tuple(map(max, zip(*ins, strict=True)))
        if any(n not in (1, most) for shape in ins for n, most in zip(shape, made, strict=True)):
            raise ShapeError(
                "branches of different shape cannot be multiplied",
                arrives=_branches(ins),
                expected="sizes that are equal, or 1 where one number weighs them all",
                fix="give all branches the same channels, stride and padding, or make a gate:\n"
                "globalavgpool keep -> conv CHANNELS 1 -> sigmoid, or conv 1 1 -> sigmoid",
            )
        if made not in ins:
            raise ShapeError(
                f"no branch has the shape {shape_text(made)} that they would make together",
                arrives=_branches(ins),
                expected="one branch with all sizes, which the others weigh",
                fix="a branch with all sizes beside them: multiply( identity | … )",
            )
        return made

    def seen(self, ins: tuple[Shape, ...]) -> tuple[bool, ...]:
        """What is smaller than what is made is a gate."""
        axes = self.output(ins)[1:]
        return tuple(shape[1:] == axes for shape in ins)

    def macs(self, ins: tuple[Shape, ...]) -> int:
        return prod(self.output(ins)) * (len(ins) - 1)

    def formula(self, ins: tuple[Shape, ...]) -> str:
        """The shapes that are multiplied; of flat ones that would read as 3 * 3 = 3."""
        made = self.output(ins)
        if len(made) == 1:
            return ""
        return f"{' * '.join(map(shape_text, ins))} = {shape_text(made)}"


class Combine(Merge):
    """Weigh prototype maps by coefficients and add them up, once for each set of coefficients.

    Use it to draw masks: one branch makes K maps for the whole picture, the other finds for each
    object how much of each map belongs to its mask. The first branch is the prototypes, the second
    the coefficients; its positions become the channels of what is made, row by row.

    Shape:   prototypes (N, K, H, W) and coefficients (N, K, *positions) -> (N, T, H, W) with T
             positions, 1 if the coefficients are flat; y[t, s] = Σ_k c[k, t] p[k, s]
    Params:  none
    Raises:  ShapeError if there are not two branches, or their channels differ
    Source:  Bolya et al. 2019, arXiv:1904.02689

    >>> Combine().output(((32, 28, 28), (32, 5))), Combine().output(((32, 28, 28), (32,)))
    ((5, 28, 28), (1, 28, 28))
    """

    word: ClassVar[str] = "combine"

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        if len(ins) != 2:
            raise ShapeError(
                f"combine has two branches, not {len(ins)}",
                arrives=_branches(ins),
                fix="combine( prototypes | coefficients )",
            )
        prototypes, coefficients = ins
        if prototypes[0] != coefficients[0]:
            raise ShapeError(
                f"{prototypes[0]} prototypes cannot be weighed by {coefficients[0]} coefficients",
                arrives=_branches(ins),
                fix="give both branches as many channels",
            )
        return (prod(coefficients[1:]), *prototypes[1:])

    def seen(self, ins: tuple[Shape, ...]) -> tuple[bool, ...]:
        return (True, False)

    def macs(self, ins: tuple[Shape, ...]) -> int:
        return prod(self.output(ins)) * ins[0][0]

    def formula(self, ins: tuple[Shape, ...]) -> str:
        sets = f"{prod(ins[1][1:])} set{'s' if prod(ins[1][1:]) > 1 else ''} of coefficients"
        return f"{sets}, each for {ins[0][0]} maps of {shape_text(ins[0][1:]) or '1'}"


def _branches(ins: tuple[Shape, ...]) -> str:
    return " | ".join(map(shape_text, ins))
