"""All that a report says about a training, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import log
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from foveal.tasks.classify import Evaluation


class LayerRow(TypedDict):
    """A step of the net, as in the JSON of `foveal show`; more keys are ignored."""

    name: str
    kind: str
    output: list[int]
    parameters: int
    macs: int


class EpochRow(TypedDict):
    """What was measured after one pass over the training part."""

    epoch: int
    train_loss: float
    validation_loss: float | None
    validation_accuracy: float | None
    learning_rate: float
    seconds: float


@dataclass(frozen=True)
class Use:
    """A command line and, in plain words, what it does."""

    says: str
    line: str


@dataclass(frozen=True)
class DataFacts:
    """What was learned from and measured on."""

    name: str
    counts: Mapping[str, tuple[int, ...]]
    """For each part there is (training, validation, test) the pictures of each class."""
    skipped: tuple[tuple[str, str], ...] = ()
    """Files left out, each with the reason."""
    notes: tuple[str, ...] = ()

    @property
    def num_training(self) -> int:
        return sum(self.counts.get("training", ()))


class FittedRow(TypedDict):
    """What the last layer alone came to, fitted to what a trunk sees that stays as it is."""

    features: int
    validation_loss: float | None
    validation_accuracy: float | None


@dataclass(frozen=True)
class RunRecord:
    """A finished training of a classifier, with nothing left to compute but its pictures."""

    title: str
    net: str
    """The net in the notation."""
    layers: tuple[LayerRow, ...]
    parameters: int
    data: DataFacts
    epochs: tuple[EpochRow, ...]
    evaluation: Evaluation
    first_loss: float | None
    """Before the first step of learning; about ln(classes)."""
    args: Mapping[str, Any]
    seed: int
    device: str
    precision: str
    versions: Mapping[str, str]
    started: datetime
    training_seconds: float
    total_seconds: float
    model_file: str
    uses: tuple[Use, ...]
    """How to predict with the model, most useful first."""
    command: str = ""
    """What was typed to train it."""
    repeatable: bool = True
    """False where the clock decided when to stop."""
    reached_goal: bool = False
    """It stopped because the validation part was good enough."""
    refitted: bool = False
    """The model has since learned from the validation part too."""
    fitted: FittedRow | None = None
    """Before the epochs, where a trunk was brought along."""
    only_fitted: bool = False
    """The epochs made the validation loss no smaller, or there were none: the last layer is all
    that is new."""
    pictures: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    """Of the wrong answers, by file name: (H, W, C) with 1, 3 or 4 channels."""

    @property
    def loss_of_guessing(self) -> float:
        """Cross-entropy in nats when all classes are held equally likely: ln(classes)."""
        return log(len(self.evaluation.classes))

    @property
    def macs(self) -> int:
        return sum(row["macs"] for row in self.layers)
