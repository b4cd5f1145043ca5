"""What a trunk is worth to few photographs: benchmarks/transfer_flowers.py DATA --weights FILE

DATA has a folder of photographs for each class. For every seed some of each class are drawn, and
`foveal.train` learns from them with no option but the seed: once from the trunk, once from random
weights. The others are asked about, and nothing is chosen by them. With `--peer-python` fastai
fine-tunes the same trunk on the same pictures for as long as Foveal took.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from common import report, summary

import foveal
from foveal.training import Finished, Fitted

HERE = Path(__file__).resolve().parent
PEER = HERE / "peers" / "transfer_fastai.py"


def draw(source: Path, place: Path, each: int, asked: int | None, seed: int) -> tuple[Path, Path]:
    """Some pictures of each class to learn from, and others to ask about."""
    drawn = random.Random(seed)
    for folder in sorted(path for path in source.iterdir() if path.is_dir()):
        pictures = sorted(folder.iterdir())
        drawn.shuffle(pictures)
        end = None if asked is None else each + asked
        for part, chosen in (("learned", pictures[:each]), ("asked", pictures[each:end])):
            (place / part / folder.name).mkdir(parents=True)
            for picture in chosen:
                shutil.copy2(picture, place / part / folder.name)
    return place / "learned", place / "asked"


def learn(learned: Path, asked: Path, weights: str, seed: int, changes: dict[str, Any]) -> dict:
    """Accuracy on the pictures asked about, seconds of training, and what the first stage found."""
    events: list[Any] = []
    began = time.perf_counter()
    model = foveal.train(
        learned,
        pretrained=weights,
        seed=seed,
        runs=learned.parent / f"runs-{Path(weights).stem}",
        watch=events.append,
        **changes,
    )
    seconds = time.perf_counter() - began
    fitted = [event for event in events if isinstance(event, Fitted)]
    finished = next(event for event in events if isinstance(event, Finished))
    return {
        "accuracy": model.evaluate(asked).accuracy,
        "seconds": seconds,
        "steps": finished.steps,
        "kept": finished.learned,
        "head_validation_loss": fitted[0].validation_loss if fitted else None,
    }


def peer(python: Path, learned: Path, asked: Path, weights: Path, seed: int, within: float) -> dict:
    """What fastai makes of the same, in as many seconds."""
    command = [python, PEER, learned, asked, weights, "--seed", seed, "--within", within]
    settings = {**os.environ, "PYTHONPATH": str(HERE.parent / "src")}
    run = subprocess.run(
        [str(part) for part in command],
        env=settings,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    found: dict = json.loads(run.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--each", type=int, default=40, help="pictures of each class to learn from")
    parser.add_argument("--asked", type=int, help="of each class to ask about; else all others")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--size", type=int, help="side of the pictures in pixels")
    parser.add_argument("--epochs", type=int, help="fewer, to try the script")
    parser.add_argument("--peer-python", type=Path, help="a Python that has fastai")
    asked = parser.parse_args()
    given = {"size": asked.size, "epochs": asked.epochs}
    changes = {name: value for name, value in given.items() if value is not None}
    runs: dict[str, list[dict]] = {"trunk": [], "scratch": []}
    for seed in range(asked.seeds):
        with tempfile.TemporaryDirectory() as place:
            parts = draw(asked.data, Path(place), asked.each, asked.asked, seed)
            runs["trunk"].append(learn(*parts, str(asked.weights), seed, changes))
            scratch = {name: value for name, value in changes.items() if name != "size"}
            runs["scratch"].append(learn(*parts, "none", seed, scratch))
            if asked.peer_python is not None:
                within = runs["trunk"][-1]["seconds"]
                made = peer(asked.peer_python, *parts, asked.weights, seed, within)
                runs.setdefault("fastai", []).append(made)
        latest = {name: found[-1] for name, found in runs.items()}
        print(
            f"seed {seed}: "
            + ", ".join(
                f"{name} {one['accuracy']:.1%} in {one['seconds']:.0f} s"
                for name, one in latest.items()
            )
        )
    pairs = zip(runs["trunk"], runs["scratch"], strict=True)
    figures: dict[str, Any] = {
        name: {
            "accuracy": summary([one["accuracy"] for one in found]),
            "seconds": summary([one["seconds"] for one in found]),
            "runs": found,
        }
        for name, found in runs.items()
    }
    figures["gain"] = summary([a["accuracy"] - b["accuracy"] for a, b in pairs])
    report("transfer_flowers", {"each": asked.each, **figures})


if __name__ == "__main__":
    main()
