"""`foveal show` in a new process, beside a bare Python: python benchmarks/show_latency.py"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import FOVEAL, measure, report, summary

SHOWN = {
    "notation": ["conv 32 3 -> relu -> maxpool 2 -> flatten -> dense 10", "--input", "1x28x28"],
    "json": ["conv 32 3 -> relu -> flatten -> dense 10", "--input", "1x28x28", "--json"],
    "lenet5": ["lenet5"],
    "resnet18": ["resnet18"],
}


def latencies(folder: Path, n: int) -> dict[str, Any]:
    """Milliseconds of each net shown, and of a bare Python."""
    commands = {"python": [sys.executable, "-c", "pass"]}
    commands |= {name: [FOVEAL, "show", *words] for name, words in SHOWN.items()}
    figures = {}
    for name, command in commands.items():
        runs = measure(command, folder, n)
        figures[name] = summary([1000 * run.seconds for run in runs])
        print(f"{name}: median {figures[name]['median']:.0f} ms", flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=11, help="processes of each kind")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report("show_latency", {"milliseconds": latencies(Path(folder), asked.n)})


if __name__ == "__main__":
    main()
