"""What the zoo knows of a published net."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from foveal.net import Net
from foveal.net.kind import Shape


@dataclass(frozen=True)
class Entry:
    """One net of the zoo, with the figures that its paper or its reference states."""

    build: Callable[[Shape, int], Net]
    """The net for an input shape and a number of classes; ends with scores, without softmax."""
    input: Shape
    """What it was made for, channels first."""
    num_classes: int
    parameters: int
    """Parameters at that input and number of classes, frozen ones too."""
    source: str
    """The paper, with arXiv number or doi."""
    accuracy: str
    """The published figure, with its data set; empty if there is none."""
    about: str
    """One line for the list."""
    smallest: int = 32
    """Pixels of the shorter side below which nothing is left of the maps."""


IMAGENET = (3, 224, 224)
"""The pictures that most published nets were made for, of 1,000 classes."""


def imagenet(
    build: Callable[[Shape, int], Net],
    parameters: int,
    top_1: float,
    source: str,
    about: str,
    *,
    input: Shape = IMAGENET,
    smallest: int = 32,
    stated: str = "torchvision",
) -> Entry:
    """A net for the 1,000 classes of ImageNet, with its share of right answers there in percent."""
    accuracy = f"{top_1:.2f} % top-1 (ImageNet, {stated})"
    return Entry(build, input, 1000, parameters, source, accuracy, about, smallest)
