"""What acts in training only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from support.kinds.drawing import Example, Generator, Oracle, Random, chance

from foveal.net.combinators import Item
from foveal.net.kind import Kind, Shape
from foveal.net.layers import Dropout, DropPath


def share(random: Random) -> float:
    return float(random.choice([0.0, 0.25, 0.5]))


def dropout(random: Random, shape: Shape) -> Item:
    return Dropout(share(random), spatial=chance(random, 0.4))


def drop_path(random: Random, shape: Shape) -> Item:
    return DropPath(share(random), ramp=chance(random, 0.4))


def is_uneven(kind: Dropout | DropPath) -> bool:
    """Whether survivors are divided by what is no power of two."""
    return kind.p not in (0, 0.5)


GENERATORS: dict[type[Kind], Generator] = {Dropout: dropout, DropPath: drop_path}

EXAMPLES: dict[type[Kind], list[Example]] = {
    Dropout: [
        (Dropout(0.4), ((3, 4),), (3, 4)),
        (Dropout(), ((5,),), (5,)),
        (Dropout(0.25), ((2, 3, 4),), (2, 3, 4)),
        (Dropout(0.5, spatial=True), ((4, 2, 3),), (4, 2, 3)),
        (Dropout(0.5, spatial=True), ((6,),), (6,)),
    ],
    DropPath: [
        (DropPath(0.5), ((2, 3, 4),), (2, 3, 4)),
        (DropPath(), ((5,),), (5,)),
        (DropPath(0.4), ((2, 3),), (2, 3)),
        (DropPath(0.3), ((2, 2, 1, 2),), (2, 2, 1, 2)),
    ],
}

ORACLES: dict[type[Kind], Oracle] = dict.fromkeys(GENERATORS, lambda kind, xs, w: xs[0])
EXACT: set[type[Kind]] = {Dropout, DropPath}
ROUNDED: dict[type[Kind], Callable[[Any], bool]] = dict.fromkeys(GENERATORS, is_uneven)
LACKING: set[type[Kind]] = {DropPath}
