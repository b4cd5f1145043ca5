"""A classifier slid over a picture that is larger than what it was made for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foveal import engines
from foveal.errors import ShapeError, SpecError
from foveal.net.kind import shape_text
from foveal.net.sight import sights
from foveal.net.sliding import slid

if TYPE_CHECKING:
    from foveal.data.colours import Pixels
    from foveal.model.model import Model


@dataclass(frozen=True)
class Find:
    """One thing that was found, and the window it was found in."""

    label: str
    probability: float
    left: int
    top: int


@dataclass(frozen=True)
class Sweep:
    """What a model says at every place of a picture."""

    probabilities: NDArray[np.float32]
    """(rows, columns, num_classes)"""
    classes: tuple[str, ...]
    window: tuple[int, int]
    """Height and width in pixels of what each answer is about."""
    stride: tuple[int, int]
    """Pixels from one answer to the next."""

    def found(self, nothing: str = "", at_least: float = 0.3, overlap: float = 0.3) -> list[Find]:
        """The windows that are surest of a class, from left to right, without those they overlap.

        `nothing` is the class of windows with nothing in them, if the model has one. Two finds
        may share `overlap` of the width (or the height) of a window.
        """
        sure = [
            Find(self.classes[label], float(row[label]), place[1], place[0])
            for place, row in self._windows()
            if row[label := int(row.argmax())] >= at_least and self.classes[label] != nothing
        ]
        kept: list[Find] = []
        for find in sorted(sure, key=lambda find: -find.probability):
            if not any(self._overlap(find, other, overlap) for other in kept):
                kept.append(find)
        return sorted(kept, key=lambda find: (find.left, find.top))

    def _windows(self) -> list[tuple[tuple[int, int], NDArray[np.float32]]]:
        rows, columns, _ = self.probabilities.shape
        return [
            ((row * self.stride[0], column * self.stride[1]), self.probabilities[row, column])
            for row in range(rows)
            for column in range(columns)
        ]

    def _overlap(self, a: Find, b: Find, allowed: float) -> bool:
        near_x = abs(a.left - b.left) < (1 - allowed) * self.window[1]
        return near_x and abs(a.top - b.top) < (1 - allowed) * self.window[0]


def sweep(model: Model, picture: Pixels) -> Sweep:
    """The answers of a model at every place of one picture, as tall and wide as it likes.

    Shape:   (H, W, C) or (H, W) of bytes, at least as large as what the model reads
    Raises:  ShapeError if the picture is smaller; SpecError if the net cannot slide
    """
    pixels = picture[:, :, None] if picture.ndim == 2 else picture
    rest, (channels, height, width) = model.split.rest, model.split.shape
    if pixels.shape[2] != channels or pixels.shape[0] < height or pixels.shape[1] < width:
        raise ShapeError(
            "the picture is smaller than what the model reads, or of other channels",
            where="picture",
            arrives=shape_text((pixels.shape[2], *pixels.shape[:2])),
            expected=f"{shape_text((channels, height, width))} or larger",
        )
    net = slid(rest, model.split.shape)
    program = net.bind((channels, *pixels.shape[:2]))
    weights = {
        path: model.weights[path].reshape(tensor.shape)
        for path, tensor in program.tensors().items()
    }
    made = engines.build("portable", program, weights).run(pixels[None])[""]
    sight = sights(program)[program.results[0][1]]
    if sight.jump is None:
        raise SpecError("its answers do not lie at even distances", where="net")
    rows, columns = (int(jump) for jump in sight.jump)
    return Sweep(
        np.moveaxis(made[0], 0, -1),
        model.classes,
        (height, width),
        (rows, columns),
    )
