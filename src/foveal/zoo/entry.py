"""What the zoo knows of a published net."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from foveal.net import Net
from foveal.net.kind import Shape

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
"""Of ImageNet's channels: 0.485, 0.456, 0.406 and 0.229, 0.224, 0.225 of 255."""
HALF = (127.5, 127.5, 127.5)
"""As mean and as deviation it brings levels to -1 … 1, which nets of TensorFlow want."""


@dataclass(frozen=True)
class Published:
    """A form in which weights of a net are published: how they are named, and what they want."""

    by: str
    """Whose names they are: `torchvision`, `timm` or `keras`."""
    names: Callable[[], Iterable[str]]
    """The name of each step that owns tensors, in the order of our steps; the head's is the last.
    One whose last word is in `naming.BARE` is that of its only tensor."""
    build: Callable[[Shape, int], Net]
    """The form of the net that these weights were trained with."""
    mean: tuple[float, ...] = MEAN
    """What pictures are normalised with: of each channel, in levels of 0 … 255."""
    std: tuple[float, ...] = STD
    repository: str = ""
    """Where `model.safetensors` lies on huggingface.co; empty if nowhere."""
    auxiliary: tuple[str, ...] = ()
    """How the names of heads begin that only helped to train, and may be left over."""


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
    published: tuple[Published, ...] = ()
    """How its weights are published; the one with a repository first."""


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
    published: tuple[Published, ...] = (),
) -> Entry:
    """A net for the 1,000 classes of ImageNet, with its share of right answers there in percent."""
    accuracy = f"{top_1:.2f} % top-1 (ImageNet, {stated})"
    return Entry(build, input, 1000, parameters, source, accuracy, about, smallest, published)
