"""Do probabilities come true? Before and after calibration: python benchmarks/calibration.py FOLDER

FOLDER has a folder of pictures for each class. `--each` of every class, drawn by the seed, are
learned from (a fifth of them kept aside for the temperature), 100 others are asked about.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
from pathlib import Path

import numpy as np
from common import report, summary

import foveal
from foveal import data
from foveal.model.calibration import scores
from foveal.tasks.classify import evaluate

ASKED = 100
"""Pictures of each class that are asked about."""


def copy(source: Path, learned: Path, asked: Path, each: int, seed: int) -> None:
    """Some pictures of each class to learn from, and others to ask about."""
    for folder in sorted(path for path in source.iterdir() if path.is_dir()):
        pictures = sorted(folder.iterdir())
        random.Random(seed).shuffle(pictures)
        for target, chosen in ((learned, pictures[:each]), (asked, pictures[each : each + ASKED])):
            (target / folder.name).mkdir(parents=True)
            for picture in chosen:
                shutil.copy(picture, target / folder.name)


def measured(source: Path, each: int, seed: int, folder: Path, epochs: int | None) -> dict:
    """The temperature, and loss and calibration error without and with it."""
    learned, asked = folder / "learned", folder / "asked"
    copy(source, learned, asked, each, seed)
    changes = {} if epochs is None else {"epochs": epochs}
    model = foveal.train(learned, seed=seed, runs=folder / "runs", **changes)
    if "temperature" not in model.about:
        model = model.calibrated(model.split.load(data.open(learned, seed=seed).validation))
    temperature = model.about["temperature"]
    shown = model.split.load(data.open(asked, validation=0).train)
    cooled = scores(model, shown.pictures).astype(np.float64)
    found = {"temperature": temperature}
    for name, answers in (("before", cooled * temperature), ("after", cooled)):
        powers = np.exp(answers - answers.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
        result = evaluate(shares, shown.labels, shown.names, model.classes, "test")
        found |= {
            f"loss_{name}": result.loss,
            f"calibration_error_{name}": result.calibration_error,
            f"sure_{name}": result.sure.n / result.n,
            f"right_of_sure_{name}": result.sure.num_right / max(1, result.sure.n),
        }
    return {**found, "accuracy": result.accuracy, "n": result.n}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", type=int, default=40, help="pictures of each class to learn from")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="fewer, to try the script")
    asked = parser.parse_args()
    runs = []
    for seed in range(asked.seeds):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(measured(asked.folder, asked.each, seed, Path(folder), asked.epochs))
        print(f"seed {seed}: " + ", ".join(f"{key} {value:.3g}" for key, value in runs[-1].items()))
    figures = {key: summary([run[key] for run in runs]) for key in runs[0]}
    report("calibration", {"each": asked.each, "figures": figures})


if __name__ == "__main__":
    main()
