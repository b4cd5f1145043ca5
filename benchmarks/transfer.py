"""What a net brings along from other classes: python benchmarks/transfer.py CIFAR10 MNIST

CIFAR10 is a folder with that data in its own binary form, MNIST one with its IDX files; `-` leaves
one out. One net learns six animals, another the digits 0 to 4 in eight positions each. From each
of them `foveal.train` goes on with few pictures of the four vehicles, or of the digits 5 to 9: the
last layer alone, and then with all layers. Against them stands the same net from random weights,
with the best of three learning rates by validation. All learn from the same pictures, drawn by the
seed, with the same changes to them, and choose by the same 25 others of each class. The test
pictures are opened after the last training.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import report

import foveal
from foveal import data
from foveal.run.law import t_interval
from foveal.training import choose
from foveal.zoo.quick import quick

EACH = (5, 10, 25, 100)
"""Pictures of each class to learn from."""
VALIDATION = 25
"""Others of each class, by which a learning rate or a stage is chosen."""
RATES = (0.3, 1.0, 3.0)
"""From scratch: shares of the learning rate that Foveal would take."""
ARMS = ("scratch", "head", "transfer")

Pictures = tuple[np.ndarray, np.ndarray]
"""uint8 N,H,W,C and whole numbers."""


@dataclass(frozen=True)
class Question:
    """What is known, and what is to be learned."""

    name: str
    known: tuple[int, ...]
    wanted: tuple[int, ...]
    read: Callable[[Path, bool], Pictures]
    """From the folder the training part, or the test part."""
    recipe: Mapping[str, Any]
    """Of the net that is known, where it is not the usual one."""
    turned: bool = False
    """Whether the net that is known tells each class apart in eight positions."""


@dataclass(frozen=True)
class Learned:
    """One training."""

    model: foveal.Model
    path: tuple[tuple[int, float], ...]
    """Steps, and the share of the validation part that was right after them."""
    loss: float
    """Of the validation part, at the end."""

    @property
    def accuracy(self) -> float:
        """Of the validation part, at the end."""
        return self.path[-1][1]

    @property
    def steps(self) -> int:
        return self.path[-1][0]


def cifar(folder: Path, testing: bool) -> Pictures:
    names = ["test_batch.bin"] if testing else [f"data_batch_{n}.bin" for n in range(1, 6)]
    rows = np.concatenate(
        [np.fromfile(folder / name, np.uint8).reshape(-1, 1 + 3 * 32 * 32) for name in names]
    )
    return rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), rows[:, 0].astype(np.int64)


def mnist(folder: Path, testing: bool) -> Pictures:
    opened = data.open(folder, validation=0)
    part = opened.test if testing else opened.train
    if part is None:
        raise SystemExit(f"{folder}: no t10k files")
    loaded = part.load()
    return loaded.pictures, loaded.labels


QUESTIONS = (
    Question("cifar10", (2, 3, 4, 5, 6, 7), (0, 1, 8, 9), cifar, {"epochs": 8}),
    Question(
        "mnist",
        (0, 1, 2, 3, 4),
        (5, 6, 7, 8, 9),
        mnist,
        {},
        turned=True,  # with 10 pictures a class its last layer names 1.4 points more
    ),
)


def only(pictures: Pictures, labels: Sequence[int]) -> Pictures:
    x, y = pictures
    chosen = np.isin(y, labels)
    return x[chosen], y[chosen]


def in_eight_positions(pictures: Pictures) -> Pictures:
    """Each turned by four right angles, and mirrored: eight kinds of each, told apart.

    To tell them apart takes more than to name them: there is more to go on with.
    """
    x, y = pictures
    positions = [
        np.rot90(way, turns, axes=(1, 2)) for way in (x, x[:, :, ::-1]) for turns in range(4)
    ]
    return np.concatenate(positions), np.concatenate([8 * y + k for k in range(8)])


def draw(pictures: Pictures, each: int, seed: int) -> dict[str, np.ndarray]:
    """Some of each class for validation, and others to learn from: more of them hold the fewer."""
    x, y = pictures
    random = np.random.default_rng(seed)
    orders = [random.permutation(np.flatnonzero(y == label)) for label in np.unique(y)]
    kept = np.concatenate([order[:VALIDATION] for order in orders])
    learned = np.concatenate([order[VALIDATION : VALIDATION + each] for order in orders])
    return {"x": x[learned], "y": y[learned], "x_val": x[kept], "y_val": y[kept]}


def learn(file: Path, **arguments: Any) -> Learned:
    """`foveal.train`, with what validation said on the way."""
    steps, path, losses = 0, [], []

    def watch(event: object) -> None:
        nonlocal steps
        kind = type(event).__name__
        if kind == "Step":
            steps += 1
        elif kind in ("Fitted", "Epoch"):
            path.append((steps, event.validation_accuracy))
            losses.append(event.validation_loss)

    model = foveal.train(file, watch=watch, runs=file.with_name("runs"), **arguments)
    return Learned(model, tuple(path), losses[-1])


def cell(file: Path, known: Path, seed: int, changes: Mapping[str, int]) -> dict[str, Learned]:
    """All arms on the same pictures."""
    opened = data.open(file)
    shape = (opened.channels, *opened.train.pictures(0).shape[:2])
    usual = choose(len(opened.train), shape, quick(shape, len(opened.classes)))
    alike = {name: getattr(usual, name) for name in ("shift", "flip", "affine", "cutout")} | {
        "seed": seed,
        **changes,
    }
    tries = [
        learn(
            file,
            net="quick",
            pretrained="none",
            learning_rate=usual.learning_rate * r,
            **alike,
        )
        for r in RATES
    ]
    return {
        "scratch": max(tries, key=lambda one: (one.accuracy, -one.loss)),
        "head": learn(file, go_on=known, thaw=0, **alike),
        "transfer": learn(file, go_on=known, **alike),
    }


def measured(cells: Sequence[dict[str, Learned]], test: Path) -> dict[str, Any]:
    """The figures of one number of pictures: accuracies on the test part by arm and seed."""
    found = {arm: [one[arm].model.evaluate(test).accuracy for one in cells] for arm in ARMS}
    return {
        "accuracy": found,
        "gain": {arm: paired(found[arm], found["scratch"]) for arm in ARMS[1:]},
        "steps": {arm: [one[arm].steps for one in cells] for arm in ARMS},
        "steps_to_scratch": [
            reached(one, {arm: found[arm][seed] for arm in ARMS}) for seed, one in enumerate(cells)
        ],
    }


def reached(arms: Mapping[str, Learned], accuracy: Mapping[str, float]) -> int | None:
    """Steps until the net that knows something was as good as from scratch; none if it never was.

    Without any, if its last layer alone was; else all of them, if it was in the end.
    """
    stages = ("head", "transfer")
    return next((arms[s].steps for s in stages if accuracy[s] >= accuracy["scratch"]), None)


def paired(ones: Sequence[float], others: Sequence[float]) -> dict[str, Any]:
    """The mean difference and its 95 % interval over the seeds."""
    gains = [one - other for one, other in zip(ones, others, strict=True)]
    return {"mean": statistics.mean(gains), "interval": t_interval(gains)}


def knows(
    question: Question, pictures: Pictures, kept: Path, changes: Mapping[str, int]
) -> foveal.Model:
    """The net that knows the other classes, trained unless it lies there from before."""
    path = kept / f"{question.name}.safetensors"
    if not path.exists():
        x, y = only(pictures, question.known)
        if question.turned:
            x, y = in_eight_positions((x, y))
        with tempfile.TemporaryDirectory() as place:
            source = Path(place, f"{question.name}.npz")
            np.savez(source, x=x, y=y)
            model = foveal.train(source, net="quick", runs=place, **{**question.recipe, **changes})
        kept.mkdir(parents=True, exist_ok=True)
        model.save(path)
    return foveal.load(path)


def asked(question: Question, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """All figures of a question."""
    changes = {} if options.epochs is None else {"epochs": options.epochs}
    with tempfile.TemporaryDirectory() as place:
        files = {name: Path(place, f"{name}.npz") for name in ("wanted", "test")}
        everything = question.read(folder, False)
        kept = options.known or Path(place)
        about = knows(question, everything, kept, changes).about["metrics"]
        known = kept / f"{question.name}.safetensors"
        say(f"{question.name}: {about['accuracy']:.1%} of {about['n']:,} known pictures are named")
        wanted, cells = only(everything, question.wanted), {}
        for k in options.each:
            cells[k] = []
            for seed in range(options.seeds):
                np.savez(files["wanted"], **draw(wanted, k, seed))
                cells[k].append(cell(files["wanted"], known, seed, changes))
                say(f"{question.name}: {k} a class, seed {seed}: " + on_validation(cells[k][-1]))
        x, y = only(question.read(folder, True), question.wanted)
        np.savez(files["test"], x=x, y=y)
        found = {str(k): measured(cells[k], files["test"]) for k in options.each}
    return {
        "known": {name: about[name] for name in ("accuracy", "n")},
        "n_test": len(y),
        "validation_each": VALIDATION,
        "each": found,
    }


def on_validation(arms: Mapping[str, Learned]) -> str:
    return ", ".join(f"{arm} {one.accuracy:.1%} in {one.steps} steps" for arm, one in arms.items())


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def row(name: str, k: str, found: Mapping[str, Any]) -> str:
    """One line of the table."""
    means = "  ".join(f"{statistics.mean(found['accuracy'][arm]):8.1%}" for arm in ARMS)
    gain = found["gain"]["transfer"]
    low, high = gain["interval"] or (float("nan"), float("nan"))
    steps = " ".join(map(str, found["steps_to_scratch"]))
    return (
        f"{name:8} {k:>4}  {means}  {100 * gain['mean']:+6.1f} ({100 * low:+.1f} to "
        f"{100 * high:+.1f})  {steps} of {max(found['steps']['scratch'])}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cifar10", help="folder of CIFAR-10, or -")
    parser.add_argument("mnist", help="folder of MNIST, or -")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--each", type=int, nargs="+", default=EACH, help="pictures of each class")
    parser.add_argument("--known", type=Path, help="folder to keep the nets to go on from")
    parser.add_argument("--epochs", type=int, help="fewer, to try the script")
    options = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory() as cache:
        os.environ["FOVEAL_CACHE"] = cache  # features of earlier runs would save time
        for question in QUESTIONS:
            if (folder := getattr(options, question.name)) != "-":
                figures[question.name] = asked(question, Path(folder), options)
    print(
        "data     each   scratch      head  transfer  gain of transfer         steps to scratch's"
    )
    for name, found in figures.items():
        for k, one in found["each"].items():
            print(row(name, k, one))
    report("transfer", {"seeds": options.seeds, "questions": figures})


if __name__ == "__main__":
    main()
