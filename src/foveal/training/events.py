"""What happens in a training: the records that the loop yields, in this order.

Where a trunk is brought along, `Fitted`. Then `Started`, for each epoch its `Step`s, its `Epoch`
and, where a checkpoint is kept, `Saved`; at last `Finished`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from torch import Tensor

Stopped = Literal["epochs", "accuracy", "loss", "within", "interrupted"]
"""Why a training ended: all epochs done, a goal reached, or asked to."""

Learned = Literal["net", "head"]
"""Which part of a net the weights of a training are new in."""


@dataclass(frozen=True)
class Epoch:
    """What was measured after one pass over the training part."""

    epoch: int
    """The first is 1."""
    train_loss: float
    """Mean over the pass, with augmentation and label smoothing."""
    validation_loss: float | None
    validation_accuracy: float | None
    learning_rate: float
    """Of the last step."""
    seconds: float


@dataclass(frozen=True)
class Fitted:
    """The new last layer is fitted to the features of the frozen trunk."""

    layer: str
    """Path of the last layer."""
    features: int
    """Values that arrive there for each picture."""
    pictures: int
    """Training and validation pictures whose features were needed."""
    reused: int
    """How many of them had their features in the cache."""
    feature_seconds: float
    seconds: float
    """Of the fit."""
    strength: float
    """Of the pull towards small weights, as cross-validation chose it."""
    train_loss: float
    validation_loss: float | None
    validation_accuracy: float | None


@dataclass(frozen=True)
class Started:
    """What will be done, on what, and about how long it takes."""

    parameters: int
    device: str
    precision: str
    threads: int
    steps: int
    """Steps of the optimiser in the whole training; with a time limit those of one epoch."""
    estimate: float
    """Seconds to the end, from a few steps and evaluations on a copy."""
    first_loss: float
    """Of a batch, before the first step."""
    expected_first_loss: float
    """ln(classes): all classes equally likely."""
    repeatable: bool
    """False where a clock decides: the same seed then gives other bits."""
    resumed: tuple[Epoch, ...]
    """Epochs of an interrupted training that this one continues."""


@dataclass(frozen=True)
class Step:
    """One step of the optimiser."""

    step: int
    """The first is 1."""
    of: int
    progress: float
    """Share of the training that is done."""
    seconds_left: float
    """To the end, evaluations included."""
    loss: Tensor
    """On its device: asking for its number waits for the device."""


@dataclass(frozen=True)
class Saved:
    """A checkpoint is on the disk."""

    path: Path


@dataclass(frozen=True)
class Finished:
    """The end: weights by path, and what was measured."""

    weights: Mapping[str, np.ndarray]
    epochs: tuple[Epoch, ...]
    steps: int
    training_seconds: float
    """Steps and evaluations, of all parts of an interrupted training; without start and saving."""
    stopped: Stopped
    learned: Learned = "net"
    """What these weights learned: where a trunk was brought along and thawing it made the
    validation loss no smaller, the head alone."""

    @property
    def reached_goal(self) -> bool:
        """Whether it ended because the validation part was good enough."""
        return self.stopped in ("accuracy", "loss")


Event = Fitted | Started | Step | Epoch | Saved | Finished
