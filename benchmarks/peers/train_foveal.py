"""A case of peers.py as `foveal train` does it: everything but net and batch size by default."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from cases import CASES
from rounds import serve

from foveal.run.planning import plan

if TYPE_CHECKING:
    from foveal.run.planning import Plan

FOR_EVER = 100_000
"""Epochs: it is asked for as many as are wanted, and then let go."""


def epochs(made: Plan) -> Iterator[tuple[int, float]]:
    """Pictures and seconds of each epoch; the first counts from the beginning.

    Until its first step, pictures are decoded and looked at, and a few steps are rehearsed. What
    is measured of the validation part after an epoch is not counted: the others do not do it.
    """
    began = time.perf_counter()
    from foveal.run.execution import execute
    from foveal.training import Epoch, Started, Step

    per_epoch, seconds = 0, 0.0
    for event in execute(made):
        if isinstance(event, Started):
            per_epoch = event.steps // FOR_EVER
        elif isinstance(event, Step) and event.step % per_epoch == 0:
            float(event.loss)  # sync
            seconds = time.perf_counter() - began
        elif isinstance(event, Epoch):
            yield len(made.data.train), seconds
            began = time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("place", type=Path)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--recipe", default="fast")
    asked = parser.parse_args()
    case = CASES[asked.case]
    with tempfile.TemporaryDirectory() as runs:
        made = plan(
            asked.place,
            net=case.net,
            pretrained="none",
            size=case.shape[1:],
            runs=runs,
            batch_size=case.batch_size,
            recipe=asked.recipe,
            epochs=FOR_EVER,
            precision=asked.precision,
        )
        from foveal.engines.pytorch.machine import Machine

        program = made.begins.net.bind(made.shape)
        tensors = (tensor for tensor in program.tensors().values() if tensor.trained)
        facts = {
            "parameters": sum(tensor.size for tensor in tensors),
            "torch": version("torch"),
            "precision": Machine.find(asked.precision).precision,
            "recipe": asdict(made.recipe),
        }
        with closing(epochs(made)) as following:
            serve(facts, lambda: next(following))


if __name__ == "__main__":
    main()
