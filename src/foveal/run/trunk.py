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
from foveal.net.notation.file import read_file, refuse_unknown_name
from foveal.zoo import ENTRIES

if TYPE_CHECKING:
    from foveal.data.dataset import Dataset

DEFAULT_NET = "quick"
THOROUGH_NET = "airbench94"
"""Trained on many small pictures in colour: more work for each, far more of them right."""
MANY = 10_000
"""So many pictures to learn from are many."""
LEAST = 24
"""Pixels from which a small picture has enough for `THOROUGH_NET`."""
SMALL = 48
"""Pictures up to so many pixels keep their size."""
PHOTO = 64
"""Side in pixels to which larger pictures are brought for nets without a size of their own."""

Size = int | tuple[int, int]


def sides(size: Size) -> tuple[int, int]:
    """Height and width."""
    return size if isinstance(size, tuple) else (size, size)


def choose_size(data: Dataset, zoo_net: str | None, wanted: Size | None) -> Size:
    """The size of picture a net is trained at: as asked, as the net was published, or by the data.

    Small pictures keep their size; larger ones go to the published size of a zoo net, but not
    above their own, else to `PHOTO`.
    """
    if wanted is not None:
        return wanted
    side = min(data.sizes.heights[1], data.sizes.widths[1])
    if zoo_net is not None and zoo_net != DEFAULT_NET:
        published = min(ENTRIES[zoo_net].input[1:])
        return published if published <= SMALL else max(32, min(published, side // 32 * 32))
    return side if side <= SMALL else PHOTO


def default_net(data: Dataset, size: Size) -> str:
    """The net that is trained where none is asked for."""
    small = min(sides(size)) >= LEAST and max(sides(size)) <= SMALL
    if small and data.channels == 3 and len(data.train) >= MANY:
        return THOROUGH_NET
    return DEFAULT_NET


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
    if items[0] == Input("uint8"):
        raise SpecError(
            "begins with input uint8, which a training puts before it",
            where="net",
            fix="leave out input, resize, crop and normalise; --size sets the size of the pictures",
        )
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
    if isinstance(net, Net) or net in ENTRIES:
        if settings:
            raise SpecError("letters are set only in notation", where="--set", fix="leave it out")
        return net if isinstance(net, Net) else ENTRIES[net].build(shape, num_classes)
    if net.lower().endswith(".net"):
        return read_file(Path(net), settings, num_classes=num_classes)
    refuse_unknown_name(net, ENTRIES)
    return parse(net, settings, num_classes=num_classes)
