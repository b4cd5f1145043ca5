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
    """Trained parameters at that input and number of classes."""
    source: str
    """The paper, with arXiv number or doi."""
    accuracy: str
    """The published figure, with its data set; empty if there is none."""
    about: str
    """One line for the list."""
