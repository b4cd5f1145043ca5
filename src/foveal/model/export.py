"""A model as an ONNX file that takes bytes and gives probabilities, once its engines agree."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from foveal import engines
from foveal.data import pictures
from foveal.engines.agreement import Agreement, compare
from foveal.files import write_atomically
from foveal.model.model import Model

NUM_RANDOM = 8
"""Random pictures that the engines are compared on."""


def export(model: Model, path: Path, files: Sequence[Path] = (), seed: int = 0) -> list[Agreement]:
    """Write a model as ONNX, from bytes to probabilities, and say what was compared.

    The graph takes uint8 N,H,W,C of any size and gives probabilities N,classes; class names and
    net are in its metadata. Engines are compared on random pictures and on those of `files`,
    after resizing, where they must agree to float32.

    Shape:  picture (N, H, W, C) uint8 -> probabilities (N, num_classes) float32
    Raises: DisagreementError, and nothing is written, if two engines differ by more than the
            tolerance; DataError if a file cannot be read; MachineError if the disk refuses
    """
    content = engines.module("portable").write(
        model.program,
        model.weights,
        metadata={
            "foveal": "model",
            "task": model.task,
            "classes": json.dumps(model.classes),
            "net": model.net.write(),
        },
        result_names={"": "probabilities"},
    )
    samples = np.concatenate([_random(model, seed), *(_real(model, file) for file in files)])
    rest = model.split.rest.bind(model.split.shape)
    others = ["reference", *(["pytorch"] if find_spec("torch") else [])]
    agreements = [
        compare(rest, model.weights, samples, engines=("portable", other)) for other in others
    ]
    write_atomically(path, content)
    return agreements


def _random(model: Model, seed: int) -> np.ndarray:
    """Noise of every coarseness: from single pixels to areas."""
    random = np.random.default_rng(seed)
    channels, height, width = model.split.shape
    made = []
    for number in range(NUM_RANDOM):
        grain = 2 ** (number % 4)
        coarse = random.integers(0, 256, (-(-height // grain), -(-width // grain), channels))
        made.append(coarse.repeat(grain, 0).repeat(grain, 1)[:height, :width])
    return np.stack(made).astype(np.uint8)


def _real(model: Model, file: Path) -> np.ndarray:
    picture = pictures.read(file, model.input[0], model.split.at_least)
    return model.split.prepare(picture)[None]
