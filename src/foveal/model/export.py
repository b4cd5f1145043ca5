"""A model as an ONNX file that takes bytes and gives probabilities, once its engines agree."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from foveal import engines
from foveal.data import pictures
from foveal.engines.agreement import TOLERANCE, Agreement, compare
from foveal.errors import DisagreementError
from foveal.files import write_atomically
from foveal.model.model import Model
from foveal.model.views import ONE

NUM_RANDOM = 8
"""Random pictures that the engines are compared on."""


def export(model: Model, path: Path, files: Sequence[Path] = (), seed: int = 0) -> list[Agreement]:
    """Write a model as ONNX, from bytes to probabilities, and say what was compared.

    The graph takes uint8 N,H,W,C of any size and gives probabilities N,classes; class names and
    net are in its metadata. Engines are compared on random pictures and on those of `files`,
    after resizing, where they must agree to float32; and so must what is written. Of a model that
    asks about several views of a picture, what is written looks at one.

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
    _check_content(content, model, samples)
    write_atomically(path, content)
    return agreements


def _check_content(content: bytes, model: Model, samples: np.ndarray) -> None:
    """DisagreementError unless what is written answers as the model does.

    Only where it leaves the samples their size: `resize` rounds to whole levels, and where a
    value lies half-way between two, engines may round it either way.
    """
    if not all(np.array_equal(model.split.prepare(sample), sample) for sample in samples):
        return
    written = engines.module("portable").Portable(model.program, content).run(samples)[""]
    of_one_view = replace(model, views=ONE).probabilities(samples)
    difference = float(np.abs(written - of_one_view).max())
    if not difference <= TOLERANCE:
        raise DisagreementError(
            f"what would be written and the model differ by {difference:.1e}",
            where=f"{len(samples)} pictures",
            expected=f"at most {TOLERANCE:.0e}",
            fix="do not use this net elsewhere, and please report it",
        )


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
