"""Which net is trained, and at which size of picture, where the user leaves it open."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from foveal.errors import SpecError
from foveal.net import Net
from foveal.net.combinators import Named
from foveal.net.kind import Kind, Shape, shape_text
from foveal.net.layers import Crop, Input, Resize, Softmax
from foveal.net.notation import parse
from foveal.zoo import ENTRIES

if TYPE_CHECKING:
    from foveal.data.dataset import Dataset

DEFAULT_NET = "quick"
SMALL = 48
"""Pictures up to so many pixels keep their size."""
PHOTO = 64
"""Side in pixels to which larger pictures are brought for nets without a size of their own."""

Size = int | tuple[int, int]


def choose_size(data: Dataset, net: Net | str, wanted: Size | None) -> Size:
    """The size of picture a net is trained at: as asked, as the net was published, or by the data.

    Small pictures keep their size; larger ones go to the published size of a zoo net, but not
    above their own, else to `PHOTO`.
    """
    if wanted is not None:
        return wanted
    side = min(data.sizes.heights[1], data.sizes.widths[1])
    if isinstance(net, str) and net in ENTRIES and net != DEFAULT_NET:
        published = min(ENTRIES[net].input[1:])
        return published if published <= SMALL else max(32, min(published, side // 32 * 32))
    return side if side <= SMALL else PHOTO


def geometry(size: Size) -> tuple[Kind, ...]:
    """The steps that bring any picture to a size: in proportion and cut, or exactly as said."""
    if isinstance(size, tuple):
        return (Input("uint8"), Resize(size))
    return (Input("uint8"), Resize(size), Crop(size))


def build(net: Net | str, shape: Shape, num_classes: int, settings: Mapping[str, int]) -> Net:
    """The net from normalised picture to scores; without a softmax at its end.

    `net` is a Net, a name of the zoo, a `.net` file or notation. Bare words of the articles'
    pattern end in as many answers as there are classes.

    Raises: SpecError if it does not end in one score for each class
    """
    made = _read(net, shape, num_classes, settings)
    items = list(made.root.items)
    if items[0] == Input("float"):
        items.pop(0)
    last = items[-1].body if isinstance(items[-1], Named) else items[-1]
    if isinstance(last, Softmax):
        items.pop()
    trunk = Net.of(*items)
    results = trunk.bind(shape).result_shapes()
    if results != {"": (num_classes,)}:
        found = " and ".join(f"{name} {shape_text(s)}".strip() for name, s in results.items())
        raise SpecError(
            "does not end in one score for each class",
            where="net",
            arrives=found,
            expected=f"{num_classes} classes",
            fix=f"let the net end with: dense {num_classes}",
        )
    return trunk


def _read(net: Net | str, shape: Shape, num_classes: int, settings: Mapping[str, int]) -> Net:
    if isinstance(net, Net):
        return net
    if net in ENTRIES:
        return ENTRIES[net].build(shape, num_classes)
    text = net
    if net.endswith(".net"):
        try:
            text = Path(net).read_text(encoding="utf-8")
        except OSError as error:
            raise SpecError(f"cannot be read: {error.strerror}", where=net) from error
    return parse(text, settings, num_classes=num_classes)
