"""How parallel branches become one value again."""

from __future__ import annotations

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


def _branches(ins: tuple[Shape, ...]) -> str:
    return " | ".join(map(shape_text, ins))
