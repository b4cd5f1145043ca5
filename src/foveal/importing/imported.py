"""A net that was made elsewhere, with its weights, as Foveal sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from foveal.errors import ShapeError, SpecError
from foveal.net import Net
from foveal.net.combinators import Named
from foveal.net.kind import Kind, Shape, shape_text
from foveal.net.layers import Crop, Input, LogSoftmax, Normalise, Resize, Sigmoid, Softmax
from foveal.net.program import Program

if TYPE_CHECKING:
    import numpy as np

    from foveal.engines import Engine
    from foveal.model import Model

UNIT = Normalise(mean=(0.0,), std=(255.0,))
"""Levels of 0 … 255 as numbers from 0 to 1, as most programs bring pictures to a net."""


@dataclass(frozen=True, eq=False)
class Imported:
    """A net and its weights, read from a module or a file.

    Use it to look at a net from elsewhere (`imported.net.table(imported.input)`), to run it, and to
    make a Foveal model of it.

    >>> from foveal.net.notation import parse
    >>> import numpy as np
    >>> imported = Imported(parse("flatten -> gain 2"), (1, 2, 2), {}, {})
    >>> imported.run(np.ones((1, 1, 2, 2), np.float32))[""].tolist()
    [[2.0, 2.0, 2.0, 2.0]]
    """

    net: Net
    input: Shape
    """What arrives, without the batch."""
    weights: Mapping[str, np.ndarray]
    """Every tensor of the net by its path, float32."""
    names: Mapping[str, str]
    """What each tensor was called, by its path here."""

    @cached_property
    def program(self) -> Program:
        """The net bound to its input."""
        return self.net.bind(self.input)

    def engine(self, name: str = "portable") -> Engine:
        """An engine for it; the one of that name."""
        from foveal import engines

        return engines.build(name, self.program, self.weights)

    def run(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Each result by its name, for a batch; a single one has the empty name."""
        return self._portable.run(x)

    @cached_property
    def _portable(self) -> Engine:
        return self.engine()

    def model(
        self,
        classes: Sequence[str],
        normalise: Normalise = UNIT,
        size: int | tuple[int, int] | None = None,
    ) -> Model:
        """A classifier of pictures: this net between preparation of pictures and softmax.

        Pictures are resized and cut to `size` pixels, unless it is given to what the net was read
        with. `normalise` must be what the net was trained with, in levels of 0 … 255: a mean of
        0.485 of 1 is 123.675. Unless it is given, the net sees numbers from 0 to 1. A softmax at
        the end of the net is not done twice.

        Raises: SpecError if it does not give one score for each class, or ends in yes or no for
                each; ShapeError if it does not fit that size
        """
        from foveal.engines.weights import check
        from foveal.model import Model

        *items, last = self.net.with_names().root.items
        end = last.body if isinstance(last, Named) else last
        if isinstance(end, Sigmoid):
            raise SpecError(
                "answers yes or no for each class, and not which one it is",
                where="net",
                arrives="sigmoid as its last step",
                expected="scores, softmax or logsoftmax",
                fix="run it as it is: imported.run(x)",
            )
        if not isinstance(end, Softmax | LogSoftmax):
            items.append(last)
        shown = self.shown(size)
        scoring = Net.of(*_geometry(shown), normalise, *items)
        picture = (*self.input[:1], *shown)
        program = scoring.bind(picture)
        scores = program.result_shapes()
        if scores != {"": (len(classes),)}:
            found = " and ".join(f"{name} {shape_text(s)}".strip() for name, s in scores.items())
            raise SpecError(
                "does not end in one score for each class",
                where="net",
                arrives=found,
                expected=f"{len(classes)} class{'es' * (len(classes) != 1)}",
                fix="as many names of classes as scores",
            )
        check(program, self.weights)
        return Model(scoring.then(Softmax()), picture, self.weights, tuple(classes))

    def shown(self, size: int | tuple[int, int] | None) -> Shape:
        """Height and width of the pictures that the net looks at."""
        if len(self.input) != 3:
            raise ShapeError("does not read pictures", where="net", arrives=shape_text(self.input))
        if size is None:
            return self.input[1:]
        return size if isinstance(size, tuple) else (size, size)


def _geometry(size: Shape) -> tuple[Kind, ...]:
    """Steps that bring any picture to a size: in proportion and cut where it is square."""
    if len(set(size)) == 1:
        return (Input("uint8"), Resize(size[0]), Crop(size[0]))
    return (Input("uint8"), Resize(size))
