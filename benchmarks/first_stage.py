"""How long the features of a frozen trunk take, once and again: python benchmarks/first_stage.py

Makes distinct textured JPEGs of 640x480 pixels or more in four classes, and brings them through
ResNet-18 at 224 pixels to a fitted last layer, each time in a new process: with an empty cache,
with a full one, and after one file has changed. The weights are random: what they are costs no
time. The system's own cache of the files is warm.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from common import report, summary
from PIL import Image

CLASSES = ("bark", "brick", "grass", "sand")
SIZES = ((640, 480), (800, 600), (1024, 768))


def picture(number: int, size: tuple[int, int]) -> Image.Image:
    """Noise of four sizes of grain in colours of its own: no two are alike, none is flat."""
    random = np.random.default_rng(number)
    width, height = size
    made = np.zeros((height, width, 3), np.float32)
    for grain in (64, 16, 4, 1):
        small = random.integers(0, 256, (height // grain, width // grain, 3), np.uint8)
        made += Image.fromarray(small).resize(size, Image.Resampling.BILINEAR)
    return Image.fromarray((made / 4 * random.uniform(0.5, 1, 3)).astype(np.uint8))


def make(folder: Path, count: int) -> None:
    """Write the pictures, the classes in turn."""
    for name in CLASSES:
        (folder / name).mkdir(parents=True)

    def one(number: int) -> None:
        path = folder / CLASSES[number % len(CLASSES)] / f"{number:05}.jpg"
        picture(number, SIZES[number % len(SIZES)]).save(path, quality=90)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, range(count)))


def stage(folder: Path, side: int) -> dict[str, object]:
    """The first stage in this process: features, then the last layer."""
    began = time.perf_counter()
    from foveal import data
    from foveal.engines.weights import initial
    from foveal.model.features import Extractor
    from foveal.net import Net
    from foveal.net.layers import Crop, Input, Normalise, Resize
    from foveal.run.waiting import wait_patiently
    from foveal.zoo import ENTRIES

    wait_patiently()
    from foveal.training import head

    shape = (3, side, side)
    net = ENTRIES["resnet18"].build(shape, len(CLASSES)).with_names()
    begins = (Input("uint8"), Resize(side), Crop(side), Normalise((127.5,), (64.0,)))
    extractor = Extractor(Net.of(*begins, *net.root.items), shape, initial(net.bind(shape), seed=0))
    samples = data.open(folder, validation=0).train
    found = extractor.run(samples)
    head.fit(found.values, found.labels, np.ones(len(CLASSES)), seed=0)
    return {
        "seconds": time.perf_counter() - began,
        "feature_seconds": found.seconds,
        "pictures": len(found),
        "reused": found.reused,
    }


def run(folder: Path, cache: Path, side: int) -> dict[str, float]:
    """The first stage in a process of its own, and the seconds from its start to its end."""
    settings = {**os.environ, "FOVEAL_CACHE": str(cache)}
    command = [sys.executable, __file__, "--stage", folder, "--side", str(side)]
    began = time.perf_counter()
    done = subprocess.run(
        command, env=settings, stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    seconds = time.perf_counter() - began
    return {**json.loads(done.stdout), "process_seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("-n", type=int, default=3, help="how often all three are measured")
    parser.add_argument("--stage", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.stage is not None:
        print(json.dumps(stage(asked.stage, asked.side)))
        return
    runs: dict[str, list[dict[str, float]]] = {"cold": [], "again": [], "one_changed": []}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "photos")
        make(folder, asked.pictures)
        for turn in range(asked.n):
            cache = Path(place, f"cache-{turn}")
            for name, found in runs.items():
                if name == "one_changed":
                    changed = folder / CLASSES[0] / "00000.jpg"
                    picture(asked.pictures + turn, SIZES[0]).save(changed, quality=90)
                found.append(run(folder, cache, asked.side))
                last = found[-1]
                print(
                    f"{name}: {last['process_seconds']:.1f} s, of them "
                    f"{last['feature_seconds']:.1f} s for features; {last['reused']:,} reused"
                )
    figures = {
        name: {
            "seconds": summary([one["process_seconds"] for one in found]),
            "feature_seconds": summary([one["feature_seconds"] for one in found]),
            "reused": [one["reused"] for one in found],
        }
        for name, found in runs.items()
    }
    report("first_stage", {"pictures": asked.pictures, "side": asked.side, **figures})


if __name__ == "__main__":
    main()
