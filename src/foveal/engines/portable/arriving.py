"""What the graph of a program reads, and whether what arrives is that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from foveal.engines.portable.wire import Size
from foveal.errors import ShapeError, SpecError
from foveal.net.kind import Shape, shape_text
from foveal.net.layers import Crop, Input, Resize
from foveal.net.program import Program, Step

_AXES = {0: (), 1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}
"""What spatial axes are called, by their number."""


@dataclass(frozen=True)
class Arriving:
    """The input of a program: floats channels first, or bytes channels last."""

    program: Program
    of_bytes: bool
    """Whether the program begins with `input uint8`."""
    entrance: tuple[Step, ...]
    """The steps that cut the picture to size, before anything looks at it."""

    @property
    def name(self) -> str:
        return "picture" if self.of_bytes else "x"

    @property
    def dtype(self) -> type[np.generic]:
        return np.uint8 if self.of_bytes else np.float32

    @property
    def shape(self) -> tuple[Size, ...]:
        """The batch has any size, and so have the axes if the entrance cuts to size."""
        channels, *sizes = self.program.input
        any_size = any(isinstance(step.kind, Resize | Crop) for step in self.entrance)
        axes = _AXES[len(sizes)] if any_size else tuple(sizes)
        return ("N", *axes, channels) if self.of_bytes else ("N", channels, *axes)

    def accept(self, x: np.ndarray) -> np.ndarray:
        """What the graph can read; ShapeError if other sizes arrive, SpecError if other numbers."""
        if x.dtype != np.uint8 if self.of_bytes else x.dtype.kind not in "buif":
            raise SpecError(
                f"cannot be of {x.dtype}",
                where="input",
                expected="uint8, as the net begins with `input uint8`"
                if self.of_bytes
                else "real numbers",
            )
        if x.ndim == len(self.shape) and len(x):
            sample = (x.shape[-1], *x.shape[1:-1]) if self.of_bytes else x.shape[1:]
            if self._after_entrance(sample) == self._bound():
                return np.ascontiguousarray(x, self.dtype)
        raise ShapeError(
            "has another shape than the net was bound to",
            where="input",
            arrives=shape_text(x.shape),
            expected="x".join(map(str, self.shape)),
        )

    def _after_entrance(self, shape: Shape) -> Shape:
        for step in self.entrance:
            shape = step.kind.output((shape,))
        return shape

    def _bound(self) -> Shape:
        return self.entrance[-1].shape if self.entrance else self.program.input


def arriving(program: Program) -> Arriving:
    """What a program reads; SpecError if some branches take it as bytes and others do not."""
    readers = [step for step in program.steps if 0 in step.inputs]
    of_bytes = [step for step in readers if step.kind == Input("uint8")]
    if of_bytes and of_bytes != readers:
        raise SpecError(
            "bytes arrive here, but not in every branch",
            where=of_bytes[0].path,
            fix="put `input uint8` first, before all branches",
        )
    return Arriving(program, bool(of_bytes), tuple(_entrance(program)))


def _entrance(program: Program) -> Iterator[Step]:
    value = 0
    for step in program.steps:
        read = [each for each in program.steps if value in each.inputs]
        if not step.kind.geometric or read != [step]:
            return
        yield step
        value = step.output
