"""Draw what a net brings along from other classes: python docs/draw_transfer.py

The numbers are those of `benchmarks/transfer.py`, kept in `benchmarks/measured/transfer.json`.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path

from foveal.report.curve import Band, Measured, draw_bands
from foveal.run.law import t_interval

PAGES = Path(__file__).parent
FIGURES = PAGES.parent / "benchmarks" / "measured" / "transfer.json"
TITLES = {
    "cifar10": "Four vehicles of CIFAR-10, by a net that knows six animals",
    "mnist": "The digits 5 to 9 of MNIST, by a net that knows 0 to 4",
}
ARMS = {"transfer": "goes on with what it knows", "scratch": "the same net, from random weights"}


def draw(name: str) -> str:
    """The picture of one question as SVG, the same text each time."""
    found = json.loads(FIGURES.read_text(encoding="utf-8"))["questions"][name]
    bands = []
    for arm, said in ARMS.items():
        points = []
        for each, one in found["each"].items():
            accuracies = one["accuracy"][arm]
            low, high = t_interval(accuracies) or (min(accuracies), max(accuracies))
            mean = statistics.fmean(accuracies)
            points.append(Measured(int(each), mean, low, min(high, 1.0)))
        bands.append(Band(said, tuple(points)))
    return draw_bands(TITLES[name], bands)


def main() -> None:
    for name in TITLES:
        path = PAGES / "pictures" / f"transfer-{name}.svg"
        path.write_text(draw(name), encoding="utf-8")


if __name__ == "__main__":
    main()
