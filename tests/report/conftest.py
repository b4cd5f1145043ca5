from collections.abc import Callable
from datetime import datetime

import numpy as np
import pytest

from foveal.report import DataFacts, EpochRow, LayerRow, RunRecord, Use
from foveal.tasks.classify import evaluate


def make_epoch(number, train_loss=0.5, validation_loss=0.6, validation_accuracy=0.9):
    return EpochRow(
        epoch=number,
        train_loss=train_loss,
        validation_loss=validation_loss,
        validation_accuracy=validation_accuracy,
        learning_rate=0.01,
        seconds=1.5,
    )


def make_evaluation(classes=("cat", "dog"), count=20, mistakes=3, part="test", names=None):
    """Every class in turn; the first pictures are taken for the next class."""
    labels = np.arange(count) % len(classes)
    answers = labels.copy()
    answers[:mistakes] = (labels[:mistakes] + 1) % len(classes)
    probabilities = np.full((count, len(classes)), 0.2 / max(1, len(classes) - 1))
    probabilities[np.arange(count), answers] = 0.8
    names = names or [f"{classes[label]}/{i}.png" for i, label in enumerate(labels)]
    return evaluate(probabilities, labels, names, classes, part)


def make_run(evaluation=None, **changes):
    evaluation = evaluation or make_evaluation()
    counts = tuple(score.support for score in evaluation.per_class)
    facts = {
        "title": "pets",
        "net": "conv 8 3\n-> flatten -> dense 2",
        "layers": (
            LayerRow(name="conv1", kind="Conv", output=[8, 6, 6], parameters=80, macs=2592),
            LayerRow(name="dense1", kind="Dense", output=[2], parameters=578, macs=576),
        ),
        "parameters": 658,
        "data": DataFacts("pets", {"training": (30,) * len(counts), evaluation.part: counts}),
        "epochs": (make_epoch(1), make_epoch(2, 0.3, 0.4, 0.95)),
        "evaluation": evaluation,
        "first_loss": 0.71,
        "args": {"epochs": 2, "net": "lenet5"},
        "seed": 7,
        "device": "a CPU",
        "precision": "float32",
        "versions": {"foveal": "0.1.0"},
        "started": datetime(2026, 1, 2, 3, 4),
        "training_seconds": 3.0,
        "total_seconds": 4.0,
        "model_file": "model.safetensors",
        "uses": (Use("Name one picture:", "foveal predict model.safetensors cat.png"),),
        "command": "foveal train pets/",
    }
    return RunRecord(**{**facts, **changes})


@pytest.fixture
def epoch() -> Callable[..., EpochRow]:
    return make_epoch


@pytest.fixture
def evaluation():
    return make_evaluation


@pytest.fixture
def run() -> Callable[..., RunRecord]:
    return make_run
