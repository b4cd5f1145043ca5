"""What the boxes of a drawing say, and their colours."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace

from foveal.net.arithmetic import Row
from foveal.net.kind import Kind, Shape, shape_text
from foveal.net.notation.writer import write_kind
from foveal.net.program import Step

LONGEST = 36
"""Letters of a line in a box; what is longer is told in full where the pointer rests."""
SHOWN = frozenset({"stride", "dilation", "groups", "multiplier", "max", "mode", "keep", "p"})
"""What a box says of a layer besides its leading numbers."""


@dataclass(frozen=True)
class Family:
    """How layers of a family are drawn."""

    fill: str
    follows: bool = False
    """Keeps the shape, and is told in the box of the layer right before it."""


_CONVOLUTION, _POOLING, _DENSE = Family("#cfe3f7"), Family("#d3edd4"), Family("#e5d9f2")
_SHAPE, _MERGE = Family("#eceff1"), Family("#fbdcc4")
_FUNCTION = Family("#fdf3c7", follows=True)
FAMILIES: dict[str, Family] = {
    "activation": _FUNCTION,
    "adaptive": _POOLING,
    "convolution": _CONVOLUTION,
    "dense": _DENSE,
    "embedding": _DENSE,
    "entrance": _SHAPE,
    "global_pooling": _POOLING,
    "merge": _MERGE,
    "normalisation": _FUNCTION,
    "pooling": _POOLING,
    "regularisation": _FUNCTION,
    "scaling": _FUNCTION,
    "shape": _SHAPE,
    "transposed": _CONVOLUTION,
    "unpooling": _POOLING,
    "unshared": _CONVOLUTION,
    "upsampling": _POOLING,
}
"""By the file of the kind in `net/layers/`."""


def family(kind: Kind) -> Family:
    return FAMILIES[type(kind).__module__.rpartition(".")[2]]


def short(kind: Kind, axes: int) -> str:
    """A layer as a box says it: `conv 64 7x7 stride 2`, without padding, bias and the like.

    >>> from foveal.net.layers import Conv, MaxPool
    >>> short(Conv(64, 7, stride=2, padding=3, bias=False), 2)
    'conv 64 7x7 stride 2'
    """
    plain = {
        field.name: field.default
        for field in fields(kind)
        if field.name not in (*kind.positional, *SHOWN)
    }
    size = getattr(kind, "kernel_size", None)
    if isinstance(size, int) and axes > 1:
        plain["kernel_size"] = (size,) * axes
    return write_kind(replace(kind, **plain))


def elided(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def is_automatic(name: str, word: str) -> bool:
    """Whether a written name says no more than the word and a number."""
    return re.fullmatch(rf"{word}\d+", name) is not None


def between(first: str, last: str) -> str:
    return first if first == last else f"{first} … {last}"


def shapes(first: Shape, last: Shape) -> str:
    """The shape that the first turn makes and that of the last: `96…256x56x56`."""
    if first[1:] == last[1:] and first != last:
        return f"{first[0]}…{shape_text(last)}"
    return between(shape_text(first), shape_text(last))


def told(step: Step, row: Row) -> str:
    """A step in full, with its path."""
    arrives = " | ".join(map(shape_text, step.ins))
    facts = [f"{step.path}: {write_kind(step.kind)}", f"{arrives} -> {shape_text(step.shape)}"]
    if row.parameters:
        facts.append(f"{row.parameters:,} parameters")
    if row.macs:
        facts.append(f"{row.macs:,} MACs")
    if row.whole_picture:
        facts.append("sees the whole picture")
    elif row.receptive_field:
        facts.append(f"receptive field {shape_text(row.receptive_field)}")
    return ", ".join(facts)
