"""The first steps of a net that cut a picture to size, and the rest that looks at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foveal.errors import ShapeError
from foveal.net import Net
from foveal.net.combinators import Named
from foveal.net.kind import Kind, Shape, shape_text
from foveal.net.layers import Crop, Input, Resize

if TYPE_CHECKING:
    from foveal.data.colours import Pixels
    from foveal.data.samples import Loaded, Samples


@dataclass(frozen=True)
class Split:
    """A net in two: `prepare` is done once for each picture, `rest` is what runs in an engine."""

    geometry: tuple[Kind, ...]
    rest: Net
    """Reads prepared pictures: begins with `input uint8`."""
    shape: Shape
    """Of a prepared picture, channels first."""

    @property
    def at_least(self) -> int | None:
        """Shorter side in pixels that decoding must keep, so that resizing loses nothing."""
        sizes = [kind.size for kind in self.geometry if isinstance(kind, Resize)]
        if not sizes:
            return None
        return sizes[0] if isinstance(sizes[0], int) else max(sizes[0])

    def prepare(self, picture: Pixels) -> Pixels:
        """Resize and crop one picture as the net's first steps say.

        Shape:  (H, W, C) uint8 -> (H', W', C) uint8
        Raises: ShapeError if the result is not what the net reads
        """
        from foveal.engines.reference import geometry

        channels, *sizes = self.shape
        if picture.shape == (*sizes, channels):
            return picture
        made: np.ndarray = picture
        for kind in self.geometry:
            if isinstance(kind, Resize):
                made = geometry.resize(made, kind.size)
            elif isinstance(kind, Crop):
                made = geometry.crop(made, kind.size)
        if made.shape != (*sizes, channels):
            raise ShapeError(
                "the picture does not fit the net",
                where="picture",
                arrives=shape_text((made.shape[2], *made.shape[:2])),
                expected=shape_text(self.shape),
                fix=f"a net that begins with: input uint8 -> resize {shape_text(tuple(sizes))}",
            )
        return made.astype(np.uint8)

    def load(self, samples: Samples, progress: Callable[[int, int], None] | None = None) -> Loaded:
        """Decode and prepare a whole part of a data set."""
        return samples.load(self.prepare, progress, self.at_least)


def split(net: Net, input: Shape) -> Split:
    """The geometric steps at the entrance of a net, and the rest."""
    items = list(net.root.items)
    geometry: list[Kind] = []
    while items:
        body = items[0].body if isinstance(items[0], Named) else items[0]
        if not isinstance(body, Kind) or not body.geometric:
            break
        geometry.append(body)
        items.pop(0)
    shape = Net.of(*geometry).bind(input).result_shapes()[""] if geometry else input
    return Split(tuple(geometry), Net.of(Input("uint8"), *items), shape)
