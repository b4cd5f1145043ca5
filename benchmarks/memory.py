"""Memory while training from more pictures than fit into it: python benchmarks/memory.py

The pictures are made from their numbers when they are asked for, so that no disk has to hold
them. They go the way of files: all are looked at once, as many are kept on the disk as
`--cache-limit` allows, the others are made again whenever they are asked for. Then a net learns:
some steps at 1, 50 and 100 % of an epoch, or with `--whole` every one, and an evaluation. What
counts is the anonymous memory, which cannot be given back to the system as pages of files can.
The same with a tenth of the pictures, in a process of its own, says whether one costs more where
there are many.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from common import report

from foveal.data.samples import Content, Samples
from foveal.net import Net
from foveal.net.notation import parse

NOISE = np.random.default_rng(0).integers(0, 256, 2**20, np.uint8)
SHARES = (0.01, 0.5, 1.0)
"""Of an epoch, where the memory is asked for."""
WARM_UP = 5
"""Steps before anything is measured: what they allocate is used again."""


@dataclass(frozen=True)
class Made:
    """A source of pictures that are made from their numbers, light and dark in turn."""

    side: int
    numbers: np.ndarray

    def read(self, index: int, at_least: int | None) -> np.ndarray:
        number = int(self.numbers[index])
        each = self.side * self.side * 3
        start = number * 7919 % (len(NOISE) - each)
        dark = NOISE[start : start + each].reshape(self.side, self.side, 3) >> 1
        return dark + np.uint8(100 * (number % 2))

    def digest(self, index: int) -> bytes:
        return int(self.numbers[index]).to_bytes(32, "little")[::-1]

    def take(self, indices: np.ndarray) -> Made:
        return Made(self.side, self.numbers[indices])


def samples(part: str, first: int, num_pictures: int, side: int) -> Samples:
    numbers = np.arange(first, first + num_pictures)
    names = tuple(f"{number % 2}/{number:08}.jpg" for number in numbers)
    return Samples(part, ("dark", "light"), Content(names, numbers % 2, Made(side, numbers)))


def anonymous() -> float:
    """MiB that this process holds and that are of no file; without Linux nobody says it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    found = dict(line.split(":", 1) for line in lines)
    return int(found["RssAnon"].split()[0]) / 2**10


def learn(num_pictures: int, side: int, steps: int, batch: int, limit: int) -> dict[str, Any]:
    """Go through the pictures once, then learn; memory and seconds."""
    from foveal.engines.pytorch.machine import Machine
    from foveal.model import prepared
    from foveal.model.preprocessing import split
    from foveal.recipe import Recipe
    from foveal.run import trunk
    from foveal.run.levels import Levels
    from foveal.training import Job
    from foveal.training.learner import Learner
    from foveal.zoo import ENTRIES

    shape, levels = (3, side, side), Levels(3)
    prepared.IN_MEMORY = 0  # few pictures too, or nothing could be compared
    entrance = split(Net.of(*trunk.geometry(side)), shape)
    began = time.perf_counter()
    given = samples("train", 0, num_pictures, side), samples("validation", num_pictures, 1000, side)
    train = prepared.load_kept(entrance, given[0], limit=limit, see=levels.see)
    checked = prepared.load_kept(entrance, given[1], limit=0)
    reading = (time.perf_counter() - began) / num_pictures
    net = Net.of(levels.normalise(), *ENTRIES["quick"].build(shape, 2).root.items)
    job = Job(
        net=parse(net.write()),
        input=shape,
        train=(train.pictures, train.labels),
        validation=(checked.pictures, checked.labels),
        num_classes=2,
        recipe=Recipe(epochs=1, batch_size=batch),
    )
    machine = Machine.find("float32")
    memory: dict[str, float] = {}
    seconds: list[float] = []
    with machine.steady():
        learner = Learner(job, machine)
        learner.rehearse()
        first = 0
        for share in SHARES:
            last = max(1, round(share * learner.per_epoch))
            first = min(max(first, last - steps - WARM_UP), last - 1) if steps else first
            for number in range(first, last):
                start = time.perf_counter()
                learner.step(number, 0.1)
                if number >= first + WARM_UP:
                    seconds.append(time.perf_counter() - start)
            memory[f"{share:.0%}"] = round(anonymous(), 1)
            first = last
        learner.evaluate()
        evaluated = round(anonymous(), 1)
    return {
        "pictures": num_pictures,
        "gigabytes": round(num_pictures * 3 * side * side / 1e9, 3),
        "anonymous_mebibytes": memory,
        "evaluated_mebibytes": evaluated,
        "spread": round(max(memory.values()) / min(memory.values()) - 1, 4),
        "milliseconds_per_picture": {
            "first_pass": round(1e3 * reading, 4),
            "step": round(1e3 * float(np.median(seconds)) / batch, 4) if seconds else None,
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=20, help="of decoded pictures (10^9)")
    parser.add_argument("--side", type=int, default=64, help="pixels")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=30, help="at each of the three places")
    parser.add_argument("--whole", action="store_true", help="every step of the epoch")
    parser.add_argument("--cache-limit", type=float, default=2, help="gigabytes (10^9)")
    parser.add_argument("--alone", action="store_true", help="no tenth of the pictures beside")
    asked = parser.parse_args()
    if not sys.platform.startswith("linux"):
        raise SystemExit("only Linux says how much memory is anonymous")
    many = max(1000, int(asked.gigabytes * 1e9) // (3 * asked.side**2))
    found = {}
    for name, pictures in {"few": many // 10, "many": many}.items():
        if name == "few" and asked.alone:
            continue
        with (
            tempfile.TemporaryDirectory() as os.environ["FOVEAL_CACHE"],
            ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        ):
            steps = 0 if asked.whole else asked.steps
            limit = int(asked.cache_limit * 1e9)
            found[name] = one = pool.submit(
                learn, pictures, asked.side, steps, asked.batch, limit
            ).result()
        memory = ", ".join(
            f"{mib:,.0f} MiB at {at}" for at, mib in one["anonymous_mebibytes"].items()
        )
        costs = one["milliseconds_per_picture"]
        print(f"{pictures:,} pictures, {one['gigabytes']:g} GB: {memory}", flush=True)
        print(f"  a picture: first pass {costs['first_pass']} ms, step {costs['step']} ms")
    report("memory", {"side": asked.side, "batch": asked.batch, **found})


if __name__ == "__main__":
    main()
