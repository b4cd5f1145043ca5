"""What the families share: how sizes, padding and numbers are drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import torch

from foveal.errors import SpecError
from foveal.net.combinators import Item, chain
from foveal.net.kind import Kind, Shape, Tensor
from foveal.net.layers import AvgPool, BatchNorm, Conv, Identity, ReLU, Tanh

Random = np.random.Generator
Tensors = dict[str, torch.Tensor]
"""The tensors of one step by their names within the kind."""
Generator = Callable[[Random, Shape], Item]
"""(random, what arrives) -> an item; SpecError where the kind cannot read what arrives."""
Example = tuple[Kind, tuple[Shape, ...], Shape]
"""A layer, what arrives without the batch, and the shape that leaves, worked by hand."""
Work = tuple[Kind, tuple[Shape, ...], list[Tensor], int]
"""A layer, what arrives, the tensors it owns for that, and its MACs, worked by hand."""
Oracle = Callable[[Any, tuple[torch.Tensor, ...], Tensors], torch.Tensor]
"""(kind, xs, weights) -> y, by PyTorch's own functions, sharing no code with the engines."""
Arriving = Callable[[Random, Any, int, Shape, bool], np.ndarray]
"""(random, kind, batch, shape without it, whole numbers wanted) -> what the kind can read."""
Weight = Callable[[Random, Any, Tensor], np.ndarray]
"""(random, kind, tensor) -> numbers for one of its tensors"""
Entrance = Callable[[Random], tuple[list[Item], Shape]]
"""How a net may begin, and the shape that arrives at it."""

MOST_CHANNELS = 6
MOST_WHOLE = 8
"""Whole numbers are drawn from -8 … 8, or from fewer, so that many are equal."""


def integers(random: Random, low: int, high: int, count: int) -> tuple[int, ...]:
    return tuple(map(int, random.integers(low, high + 1, count)))


def chance(random: Random, p: float) -> bool:
    return bool(random.random() < p)


def channels(random: Random) -> int:
    return int(random.integers(1, MOST_CHANNELS + 1))


def axes(shape: Shape) -> int:
    """How many spatial axes arrive; SpecError if none."""
    if len(shape) == 1:
        raise SpecError("flat features have no axes")
    return len(shape) - 1


def size(random: Random, largest: int, axes: int) -> int | tuple[int, ...]:
    """One number for all axes, or one for each."""
    if chance(random, 0.5):
        return int(random.integers(1, largest + 1))
    return integers(random, 1, largest, axes)


def padding(
    random: Random, axes: int, words: tuple[str, ...] = ("valid", "same")
) -> str | int | tuple[int | tuple[int, int], ...]:
    """A word, one number for all sides, or explicit sides, often not alike."""
    if chance(random, 0.6):
        return str(random.choice(words))
    if chance(random, 0.3):
        return int(random.integers(0, 3))
    sides = [integers(random, 0, 2, 2) for _ in range(axes)]
    return tuple(side[0] if chance(random, 0.5) else (side[0], side[1]) for side in sides)


def divisor(random: Random, *numbers: int) -> int:
    common = int(np.gcd.reduce(numbers))
    return int(random.choice([d for d in range(1, common + 1) if common % d == 0]))


def plain(kind: type[Kind]) -> Generator:
    """A kind without fields."""
    return lambda random, shape: kind()


def alike(random: Random, shape: Shape) -> Item:
    """A body that keeps the shape of what arrives."""
    choices: list[Callable[[], Item]] = [Identity, ReLU, BatchNorm]
    if len(shape) > 1:
        choices += [
            lambda: Conv(shape[0], 3, padding="same", groups=divisor(random, shape[0])),
            lambda: chain(BatchNorm(), Tanh(), Conv(shape[0], 1, bias=False)),
            lambda: AvgPool(int(random.integers(1, 4)), stride=1, padding="same"),
        ]
    return choices[random.integers(len(choices))]()


def numbers(random: Random, shape: Shape, whole: bool = False) -> np.ndarray:
    """Numbers of order 1, or whole ones among which many are alike."""
    if whole:
        most = int(random.choice([2, MOST_WHOLE]))
        return random.integers(-most, most + 1, shape).astype(float)
    return random.standard_normal(shape)


def weight(random: Random, kind: Kind, tensor: Tensor) -> np.ndarray:
    """A tensor that matters, such that values stay of order 1: by its name, else by its start.

    Weights have the variance of He et al. 2015, by the numbers that one output reads.
    """
    shape, start = tensor.shape, str(tensor.init)
    if tensor.name == "running_mean":
        return random.normal(0.1, 0.1, shape)
    if tensor.name == "running_var":
        return random.uniform(0.5, 2, shape)
    if start == "zero":
        return random.normal(0, 0.1, shape)
    if start == "one" or (start.startswith("constant") and len(shape) == 1):
        return random.uniform(0.5, 1.5, shape)
    return random.normal(0, (2 / (tensor.fans[0] or prod(shape[1:]))) ** 0.5, shape)
