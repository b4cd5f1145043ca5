"""From the shell to the result, in new processes: python benchmarks/cold_start.py

`foveal --help`, `foveal show` and `foveal predict` on several nets, and `foveal train digits` from
its start to model and report: with one epoch, which is the start, and with all of them.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import predict_latency
import show_latency
from common import FOVEAL, measure, processes, report

TRAINED = {"one epoch": ["--epochs", "1"], "all epochs": []}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=11, help="processes of each kind")
    parser.add_argument("--trainings", type=int, default=5, help="of each kind; 0 leaves them out")
    parser.add_argument("--small", action="store_true", help="to try the script")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        told = processes(measure([FOVEAL, "--help"], folder, asked.n))
        print(f"help: median {told['seconds']['median']:.3f} s", flush=True)
        figures = {
            "help": told,
            "show_milliseconds": show_latency.latencies(folder, asked.n),
            "predict": predict_latency.latencies(folder, asked.n, small=asked.small),
            "train": {},
        }
        kinds = list(TRAINED.items())[: 1 if asked.small else None]
        for name, options in kinds if asked.trainings else []:
            command = [FOVEAL, "train", "digits", *options]
            found = processes(measure(command, folder, asked.trainings))
            print(f"train digits, {name}: median {found['seconds']['median']:.2f} s", flush=True)
            figures["train"][name] = found
    report("cold_start", figures)


if __name__ == "__main__":
    main()
