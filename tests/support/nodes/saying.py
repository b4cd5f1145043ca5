"""What an importer gives back: an output of a node, said as a net with what arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from math import prod

import numpy as np
from support.nodes.cases import Array, Node


def as_it_is(made: Array) -> Array:
    return made


@dataclass(frozen=True)
class Said:
    """One output of a node, and the net that makes it."""

    text: str
    """In our notation."""
    x: Array
    """What arrives, the batch first."""
    y: Array
    """What the standard demands."""
    weights: Mapping[str, Array] = field(default_factory=dict)
    """By path."""
    read: Callable[[Array], Array] = as_it_is
    """How the output is read from what the net makes, where it is not the result itself."""
    training: bool = False
    """As the net computes while it learns."""
    kept: Mapping[str, Array] = field(default_factory=dict)
    """Statistics by path that must be kept after a step of training."""
    deployed: Mapping[str, Array] = field(default_factory=dict)
    """For the engine that does not learn: the statistics that make it compute the same."""


Importer = Callable[[Node], list[Said]]
"""The outputs of a node, in order."""


def rows(x: Array) -> Array:
    """With a batch: a list of numbers is one sample of that many features."""
    return x[None] if x.ndim == 1 else x


def from_axis(x: Array, axis: int) -> Array:
    """The axes before one as the batch."""
    return x.reshape(prod(x.shape[:axis]), *x.shape[axis:])


def around_axis(x: Array, axis: int) -> Array:
    """One axis as the channels: what lies before it is the batch, after it the positions."""
    before, after = prod(x.shape[:axis]), x.shape[axis + 1 :]
    return x.reshape(before, x.shape[axis], *([prod(after)] if after else []))


def sizes(numbers: Iterable[int]) -> str:
    """A whole number for each axis, in our notation."""
    return "x".join(map(str, numbers))


def together(*arrays: Array) -> tuple[Array, list[str]]:
    """Several arrays as one that arrives, and for each how a net takes it out again."""
    flat = [array.reshape(len(array), -1) for array in arrays]
    ends = list(accumulate(part.shape[1] for part in flat))
    ways = []
    for array, part, end in zip(arrays, flat, ends, strict=True):
        channels = ",".join(map(str, range(end - part.shape[1], end)))
        ways.append(f"take {channels} -> reshape {sizes(array.shape[1:])}")
    return np.concatenate(flat, axis=1), ways
