"""The tests' one place for each kind of layer: a file for each family.

A family says of each of its kinds

- GENERATORS: how an item with it is drawn for what arrives;
- EXAMPLES: layers, what arrives without the batch, and the shape that leaves, worked by hand;
- WORK, if it owns tensors or multiplies: its tensors and MACs, worked by hand.

and, where it concerns them,

- ORACLES: the same by PyTorch's own functions; TRAINING_ORACLES: the same while it learns;
- EXACT: kinds that keep whole numbers whole; ROUNDED: which of their layers do not;
- LACKING: kinds for which PyTorch has no layer; derivatives are checked numerically too;
- ARRIVING: how what arrives is drawn, where it cannot be any numbers;
- WEIGHTS: how tensors are drawn, where they cannot be any numbers of order 1;
- ENTRANCES: how a net may begin with kinds that stand in ARRIVING;
- NUMBERED: kinds that read numbers of things, which have no slope;
- PRECISION: how far ONNX in float32 may be from the definition, where 2e-7 is too near.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from support.kinds import (
    activation,
    convolution,
    dense,
    embedding,
    entrance,
    merge,
    normalisation,
    pooling,
    regularisation,
    scaling,
    shape,
    upsampling,
)
from support.kinds.drawing import (
    Arriving,
    Entrance,
    Example,
    Generator,
    Oracle,
    Random,
    Weight,
    Work,
    numbers,
    weight,
)

from foveal.net.kind import Kind, Shape, Tensor

FAMILIES: tuple[ModuleType, ...] = (
    entrance,
    convolution,
    pooling,
    upsampling,
    normalisation,
    activation,
    regularisation,
    dense,
    embedding,
    shape,
    scaling,
    merge,
)


def _joined(name: str) -> dict[Any, Any]:
    """One table of all families; a kind has one place."""
    made: dict[Any, Any] = {}
    for family in FAMILIES:
        rows = vars(family).get(name, {})
        twice = made.keys() & set(rows)
        assert not twice, f"{name} has two rows for {twice}"
        made |= rows if isinstance(rows, dict) else dict.fromkeys(rows)
    return made


GENERATORS: dict[type[Kind], Generator] = _joined("GENERATORS")
EXAMPLES: dict[type[Kind], list[Example]] = _joined("EXAMPLES")
ALL_EXAMPLES: list[Example] = [example for made in EXAMPLES.values() for example in made]
WORK: list[Work] = [row for family in FAMILIES for row in vars(family).get("WORK", [])]
ORACLES: dict[type[Kind], Oracle] = _joined("ORACLES")
TRAINING_ORACLES: dict[type[Kind], Oracle] = _joined("TRAINING_ORACLES")
EXACT: frozenset[type[Kind]] = frozenset(_joined("EXACT"))
ROUNDED: dict[type[Kind], Callable[[Any], bool]] = _joined("ROUNDED")
LACKING: frozenset[type[Kind]] = frozenset(_joined("LACKING"))
ARRIVING: dict[type[Kind], Arriving] = _joined("ARRIVING")
WEIGHTS: dict[type[Kind], Weight] = _joined("WEIGHTS")
ENTRANCES: list[Entrance] = [
    begin for family in FAMILIES for begin in vars(family).get("ENTRANCES", [])
]
NUMBERED: frozenset[type[Kind]] = frozenset(_joined("NUMBERED"))
PRECISION: dict[type[Kind], float] = _joined("PRECISION")


def is_exact(kind: Kind) -> bool:
    """Whether a layer makes whole numbers of whole numbers, and so do its derivatives."""
    rounds = ROUNDED.get(type(kind), lambda layer: False)
    return type(kind) in EXACT and not rounds(kind)


def draw_arriving(
    random: Random, kind: Kind, batch: int, shape: Shape, whole: bool = False
) -> np.ndarray:
    """What a layer can read: numbers of order 1, or whole ones, unless it wants others."""
    if type(kind) in ARRIVING:
        return ARRIVING[type(kind)](random, kind, batch, shape, whole)
    return numbers(random, (batch, *shape), whole)


def draw_weight(random: Random, kind: Kind, tensor: Tensor) -> np.ndarray:
    """Numbers for one tensor of a layer."""
    draw: Weight = WEIGHTS.get(type(kind), weight)
    return draw(random, kind, tensor)
