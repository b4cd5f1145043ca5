"""Which recipe fits which pictures and which net, where the user leaves it open."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from foveal.net import Net
from foveal.net.arithmetic import arithmetic
from foveal.net.kind import Shape
from foveal.net.layers import BatchNorm
from foveal.net.program import Program
from foveal.recipe import Recipe
from foveal.training.muon import effort
from foveal.zoo.quick import SMALL


@dataclass(frozen=True)
class Length:
    """How long to learn from so many pictures, at most: few of them are seen more often."""

    num_pictures: float
    batch_size: int
    epochs: int


MARKS = (
    Length(300, 16, 60),
    Length(3_000, 32, 16),
    Length(20_000, 64, 8),
    Length(float("inf"), 256, 3),
)
"""Small grey pictures, as digits are: 700 steps suffice for 1,437 of them and for 60,000."""
PHOTOS = (
    Length(100, 16, 60),
    Length(500, 16, 40),
    Length(3_000, 32, 20),
    Length(20_000, 64, 15),
    Length(float("inf"), 128, 12),
)
"""Pictures in colour, or large: of 3x64x64 a processor core learns some 200 a second, and 100
epochs with 50 pictures brought no more than 60."""

MANY_PHOTOS = Length(float("inf"), 500, 8)
"""The last row instead, for a net whose patches are whitened: it learns more from each step."""

TRUNKS = (
    Length(300, 16, 20),
    Length(1_000, 16, 15),
    Length(3_000, 32, 10),
    Length(10_000, 32, 5),
    Length(float("inf"), 64, 3),
)
"""Pictures for a net that brings a trunk along: its first stage has learned most already."""
TRUNK_RATE = 0.001
"""At 16 pictures a step. Of five flowers in 32 photographs each, with MobileNet v2 of width 0.35,
three times the rate named 3.7 points fewer (two seeds); SGD diverged at 0.01."""


@dataclass(frozen=True)
class Pace:
    """How fast to learn: the rate at 32 pictures a step, which grows by the root of them."""

    optimiser: str
    learning_rate: float
    weight_decay: float
    bias_rate: float = 1.0
    momentum: float = 0.9
    schedule: str = "one-cycle"


MUON = Pace("muon", 0.04, 0.05, bias_rate=32.0, momentum=0.7, schedule="linear")
"""From random weights, of every net tried: with 5,000 pictures of CIFAR-10 it named 69 % of others
with a net without norms, where AdamW named 54 %; of MNIST after an epoch 99.3 % where SGD named
98.9 %, LeNet-5 99.3 and 98.7 % after three. Half the rate at 250 pictures is the decay that keeps
the length of filters, which Jordan renormalises."""
ADAMW = {True: Pace("adamw", 0.004, 0.05), False: Pace("adamw", 0.0005, 0.05)}
"""By whether the net has batch norm: for nets whose matrices are so large that Muon takes longer
than what it saves."""
MOST_WORK = {True: 2.0, False: 0.25}
"""Multiplications of Muon's as a share of those of a step's pictures, up to which it pays, by
whether these are small and grey: their nets are small, and other things take longer."""


PLAIN_RATES = {True: 0.05, False: 0.01}
"""Of textbook SGD, by whether the net has batch norm."""
PLAIN_TRUNK_RATE = 0.005
"""Of textbook SGD where a net brings a trunk along."""


def balanced(labels: np.ndarray, num_classes: int) -> tuple[float, ...]:
    """Class weights with which all classes count alike, however many pictures each has.

    Use it where classes differ much in number. A class without pictures has weight 1.

    >>> balanced(np.array([0, 0, 0, 1]), 2)
    (0.6666666666666666, 2.0)
    """
    counts = np.bincount(labels, minlength=num_classes)
    alike = np.where(counts, len(labels) / (num_classes * np.maximum(counts, 1)), 1.0)
    return tuple(map(float, alike))


def choose_transfer(num_pictures: int, input: Shape) -> Recipe:
    """The recipe for thawing a trunk, by the number of training pictures and their shape.

    Use it with `foveal.Transfer`. The last layer fits already: rates are a third of those from
    scratch, and few epochs do.

    >>> choose_transfer(160, (3, 160, 160)).epochs
    20
    """
    side = min(input[1:], default=1)
    length = next(row for row in TRUNKS if num_pictures <= row.num_pictures)
    return Recipe(
        epochs=length.epochs,
        batch_size=length.batch_size,
        optimiser="adamw",
        learning_rate=round(TRUNK_RATE * (length.batch_size / 16) ** 0.5, 6),
        weight_decay=0.05,
        averaging=_averaging(num_pictures, length),
        shift=max(1, side // 16),
        affine=0.1,
        flip=input[0] == 3,
        views=_views(input),
    )


def plain(usual: Recipe, input: Shape, net: Net, *, has_trunk: bool) -> Recipe:
    """Textbook SGD instead of the usual recipe: momentum, and a rate that falls to 0.

    Use it to see what the rest of a recipe is worth, or to teach with. It takes three times as
    many epochs. Pictures are moved, and mirrored in colour; the answer is that of one look, with
    the last weights.

    >>> from foveal.zoo.quick import quick
    >>> shape, net = (1, 28, 28), quick((1, 28, 28), 10)
    >>> plain(choose(60_000, shape, net), shape, net, has_trunk=False).epochs
    9
    """
    norms = any(isinstance(step.kind, BatchNorm) for step in net.bind(input).steps)
    return Recipe(
        epochs=3 * usual.epochs,
        batch_size=usual.batch_size,
        learning_rate=PLAIN_TRUNK_RATE if has_trunk else PLAIN_RATES[norms],
        label_smoothing=0.0,
        schedule="linear",
        shift=usual.shift,
        flip=usual.flip,
    )


def _views(input: Shape) -> str:
    """A mirrored photograph is as good a one; a mirrored digit is another one or none."""
    return "mirrored" if input[0] == 3 else "one"


def _averaging(num_pictures: int, length: Length) -> float:
    """A longer mean where there are steps enough for it."""
    steps = max(1, round(num_pictures / length.batch_size)) * length.epochs
    return 0.99 if steps >= 500 else 0.9


def choose(num_pictures: int, input: Shape, net: Net) -> Recipe:
    """The recipe for a number of training pictures of a shape, and for a net.

    Use it as a start that works; every field can be changed. All are moved a little. Only pictures
    in colour are mirrored: a mirrored digit or letter is another one or none. Small ones in colour
    are not turned, which blurs them: with 5,000 of CIFAR-10 it cost 2 points, and a blanked square
    did not help.

    Example:
        >>> from foveal.zoo.quick import quick
        >>> shape = (1, 28, 28)
        >>> choose(60_000, shape, quick(shape, 10)).epochs
        3
    """
    channels, *sizes = input
    side = min(sizes, default=1)
    is_mark = channels == 1 and side <= SMALL
    program = net.bind(input)
    whitens = any(tensor.init == "whitening" for tensor in program.tensors().values())
    lengths = MARKS if is_mark else (*PHOTOS[:-1], MANY_PHOTOS) if whitens else PHOTOS
    length = next(row for row in lengths if num_pictures <= row.num_pictures)
    pace = _pace(program, length.batch_size, is_mark=is_mark)
    is_photo = side > SMALL
    return Recipe(
        epochs=length.epochs,
        batch_size=length.batch_size,
        optimiser=pace.optimiser,
        learning_rate=round(pace.learning_rate * (length.batch_size / 32) ** 0.5, 6),
        bias_rate=pace.bias_rate,
        momentum=pace.momentum,
        weight_decay=pace.weight_decay,
        schedule=pace.schedule,
        averaging=_averaging(num_pictures, length),
        shift=max(1, side // 16),
        affine=0.1 if is_mark or is_photo else 0.0,
        flip=channels == 3,
        views=_views(input),
        cutout=side // 4 if is_photo else 0,
    )


def _pace(program: Program, batch_size: int, *, is_mark: bool) -> Pace:
    """Muon's, unless the net has matrices so large that it would mostly work on them."""
    shapes = [tensor.shape for tensor in program.tensors().values() if tensor.trained]
    matrices = [(shape[0], prod(shape[1:])) for shape in shapes if len(shape) > 1]
    norms = any(isinstance(step.kind, BatchNorm) for step in program.steps)
    steps = 3 * batch_size * arithmetic(program).macs
    if sum(effort(*matrix) for matrix in matrices) <= MOST_WORK[is_mark] * steps:
        return MUON
    return ADAMW[norms]
