"""The same training by `foveal train` and by others, side by side: python benchmarks/peers.py

Four nets, whose pictures are made here: LeNet-5, the net of Keras' MNIST example, ResNet-18 on
bytes of 32x32 and on JPEG files at 224 pixels. Everyone gets the same net (their parameters are
counted), pictures and batch size, and does the rest as by default: Foveal with its augmentation
and its optimiser; PyTorch as its examples do, in float32, with a DataLoader of two workers and its
transforms; the same with channels last in memory; and in the Python of `--peer-python` Keras (not
from files) and fastai, where it has them. Each is a process that waits until it is asked for a
round, so they take turns on the same machine, and a ratio is of rounds that followed each other.
The first round is told apart: it has the decoding of files that later ones find in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from common import photograph, report, summary

from foveal.run.waiting import SPINS

PEERS = Path(__file__).resolve().parent / "peers"
sys.path.append(str(PEERS))
from cases import CASES, NUM_CLASSES, Case  # noqa: E402 - lies beside the programs that read it

OURS, PLAIN = "foveal", "pytorch"
OWN = {
    OURS: ["train_foveal.py"],
    PLAIN: ["train_plain.py"],
    "pytorch, channels last": ["train_plain.py", "--channels-last"],
}
"""Those that run in this Python; each with its program and options."""
OTHERS = {"keras": ("train_keras.py", False), "fastai": ("train_fastai.py", True)}
"""Those that run in another, by the name of their package, and whether they can read files here."""
CAMERA = (640, 480)
"""Pixels of the JPEG files, width and height."""


class Peer:
    """A program that learns a round whenever it is asked."""

    def __init__(self, command: list[str], settings: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, **settings},
        )
        self.facts: dict[str, Any] = self._read()
        """What it says of itself: parameters, precision, versions."""

    def round(self) -> float:
        """Pictures a second of its next round."""
        print(file=self.process.stdin, flush=True)
        count, seconds = self._read()
        return count / seconds

    def _read(self) -> Any:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args[1]} ended with exit code {self.process.wait()}")
        return json.loads(line)

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait()


def make(case: Case, folder: Path, few: int | None) -> Path:
    """The pictures of a case: noise in an .npz file, or photographs in a folder."""
    random, count = np.random.default_rng(0), few or case.pictures
    labels = np.arange(count) % NUM_CLASSES
    if case.files:
        for part, each in (("train", count), ("val", NUM_CLASSES), ("test", NUM_CLASSES)):
            for number in range(each):
                place = folder / part / f"class{number % NUM_CLASSES}"
                place.mkdir(parents=True, exist_ok=True)
                photograph(place / f"{number:05}.jpg", *CAMERA, seed=number)
        return folder
    channels, *sizes = case.shape
    shown = () if channels == 1 else (channels,)
    x = random.integers(0, 256, (count, *sizes, *shown), np.uint8)
    few_x, few_y = x[:NUM_CLASSES], labels[:NUM_CLASSES]
    path = folder.with_suffix(".npz")
    np.savez(path, x=x, y=labels, x_val=few_x, y_val=few_y, x_test=few_x, y_test=few_y)
    return path


def contenders(
    case: str, place: Path, python: Path | None, ours: list[str]
) -> dict[str, list[str]]:
    """The command of everyone who can learn a case."""
    commands = {
        name: [sys.executable, str(PEERS / program), case, str(place), *options]
        for name, (program, *options) in OWN.items()
    }
    commands[OURS] += ours
    for package, (program, reads_files) in OTHERS.items():
        able = reads_files or not CASES[case].files
        if able and python is not None and has(python, package):
            commands[package] = [str(python), str(PEERS / program), case, str(place)]
    return commands


def has(python: Path, package: str) -> bool:
    """Whether another Python has a package."""
    asks = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
    return subprocess.run([str(python), "-c", asks]).returncode == 0


def compare(
    case: str, n: int, few: int | None, python: Path | None, ours: list[str]
) -> dict[str, Any]:
    """Pictures a second of everyone, and Foveal's as a multiple of each other's."""
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        place = make(CASES[case], Path(temporary, "pictures"), few)
        # As `foveal` sets them in its own process; the others keep what they come with.
        settings = {"OPENBLAS_NUM_THREADS": "1", "GOMP_SPINCOUNT": SPINS}
        settings["FOVEAL_CACHE"] = str(Path(temporary, "cache"))
        peers = {
            name: stack.enter_context(Peer(command, settings if name == OURS else {}))
            for name, command in contenders(case, place, python, ours).items()
        }
        parameters = {name: peer.facts["parameters"] for name, peer in peers.items()}
        if len(set(parameters.values())) > 1:
            raise SystemExit(f"{case}: not the same net: {parameters}")
        first = {name: peer.round() for name, peer in peers.items()}
        rounds: dict[str, list[float]] = {name: [] for name in peers}
        for _ in range(n):
            for name, peer in peers.items():
                rounds[name].append(peer.round())
        facts = {name: peer.facts for name, peer in peers.items()}
    ratios = {
        name: summary([mine / theirs for mine, theirs in zip(rounds[OURS], each, strict=True)])
        for name, each in rounds.items()
        if name != OURS
    }
    tell(case, rounds, ratios, first)
    return {
        "batch_size": CASES[case].batch_size,
        "pictures": few or CASES[case].pictures,
        "who": facts,
        "first_round": first,
        "rounds": {name: summary(each) for name, each in rounds.items()},
        "foveal_as_fast_as": ratios,
    }


def tell(case: str, rounds: dict[str, list[float]], ratios: dict, first: dict[str, float]) -> None:
    """A line for everyone."""
    for name, each in rounds.items():
        line = f"{case:<13} {name:<23} {summary(each)['median']:9,.1f} pictures/s"
        line += f"  first {first[name]:9,.1f}"
        if name in ratios:
            low, high = ratios[name]["range"]
            line += f"  Foveal {ratios[name]['median']:.2f}× ({low:.2f} to {high:.2f})"
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("-n", type=int, default=7, help="rounds of each, after a first one")
    parser.add_argument("--pictures", type=int, help="fewer a round, to try the script")
    parser.add_argument("--precision", default="auto", help="of Foveal; the others have float32")
    parser.add_argument("--recipe", default="fast", help="of Foveal: fast or plain")
    parser.add_argument("--peer-python", type=Path, help="a Python that has keras or fastai")
    asked = parser.parse_args()
    if unknown := set(asked.cases) - set(CASES):
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    chosen = asked.cases or list(CASES)
    ours = ["--precision", asked.precision, "--recipe", asked.recipe]
    figures = {
        case: compare(case, asked.n, asked.pictures, asked.peer_python, ours) for case in chosen
    }
    report("peers", {"cases": figures})


if __name__ == "__main__":
    main()
