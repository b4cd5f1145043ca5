"""The first steps of a net that cut a picture to size, and the rest that looks at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foveal.errors import ShapeError, SpecError
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
        first = next((kind for kind in self.geometry if not isinstance(kind, Input)), None)
        if not isinstance(first, Resize):
            return None
        return first.size if isinstance(first.size, int) else max(first.size)

    def keeps(self, shape: Shape) -> bool:
        """Whether pictures of a shape are as the net reads them already."""
        return shape == self.shape and all(kind.output((shape,)) == shape for kind in self.geometry)

    def prepare(self, picture: Pixels) -> Pixels:
        """Resize and crop one picture as the net's first steps say.

        Shape:  (H, W, C) uint8 -> (H', W', C) uint8
        Raises: ShapeError if the result is not what the net reads
        """
        height, width, channels = picture.shape
        shape: Shape = (channels, height, width)
        made: np.ndarray = picture
        for kind in self.geometry:
            wanted = kind.output((shape,))
            if wanted != shape:
                made, shape = _cut(kind, made), wanted
        if shape != self.shape:
            sizes = shape_text(self.shape[1:])
            raise ShapeError(
                "the picture does not fit the net",
                where="picture",
                arrives=shape_text(shape),
                expected=shape_text(self.shape),
                fix=f"a net that begins with: input uint8 -> resize {sizes}",
            )
        return made.astype(np.uint8, copy=False)

    def load(self, samples: Samples, progress: Callable[[int, int], None] | None = None) -> Loaded:
        """Decode and prepare a whole part of a data set."""
        channels, *sizes = self.shape
        return samples.load(self.prepare, progress, self.at_least, (*sizes, channels))


def _cut(kind: Kind, picture: np.ndarray) -> np.ndarray:
    """The picture after a step that changes its size."""
    from foveal.engines.reference import geometry  # not needed for a picture of the right size

    if isinstance(kind, Resize):
        return geometry.resize(picture, kind.size)
    if isinstance(kind, Crop):
        return geometry.crop(picture, kind.size)
    raise SpecError(f"{kind.word} cannot be done before the net", where="preprocessing")


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
