"""From a folder of a camera's JPEGs to bytes of 224 pixels: python benchmarks/decode.py

The pictures are made here: soft areas of colour with the grain of a sensor. Pillow decodes each in
full and resizes it, in as many threads as there are cores; Foveal reads the folder as `foveal
train` does, once with an empty cache and once again. Each measurement is a process of its own that
may use so many cores, and they take turns. The files lie in the system's own cache for all.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from common import cores, on_cores, photograph, report, summary
from PIL import Image

from foveal import data
from foveal.model.prepared import load_kept
from foveal.model.preprocessing import split
from foveal.net import Net
from foveal.run import trunk

SIDE = 224


def pillow(folder: Path) -> int:
    """Every picture in full, its shorter side to 224 pixels, and the middle of that."""

    def one(path: Path) -> np.ndarray:
        with Image.open(path) as picture:
            whole = picture.convert("RGB")
        scale = SIDE / min(whole.size)
        width, height = (round(scale * size) for size in whole.size)
        small = whole.resize((width, height), Image.Resampling.BILINEAR)
        left, top = (width - SIDE) // 2, (height - SIDE) // 2
        return np.asarray(small.crop((left, top, left + SIDE, top + SIDE)))

    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with ThreadPoolExecutor(threads) as pool:
        return len(np.stack(list(pool.map(one, sorted(folder.rglob("*.jpg"))))))


def foveal(folder: Path) -> int:
    """The same pictures as `foveal train` reads them."""
    samples = data.open(folder, validation=0).train
    ready = split(Net.of(*trunk.geometry(SIDE)), (3, SIDE, SIDE))
    pictures = load_kept(ready, samples).pictures
    return len(pictures[:])


KINDS = {"pillow": pillow, "foveal, first": foveal, "foveal, again": foveal}
"""In this order: the second time Foveal finds what the first left in its cache."""


def seconds(read: Callable[[Path], int], folder: Path, cache: Path) -> float:
    """Of one reading of the folder, in this process, after one of two pictures to warm up."""
    os.environ["FOVEAL_CACHE"] = str(cache)
    read(folder.with_name("two"))
    began = time.perf_counter()
    read(folder)
    return time.perf_counter() - began


def make(folder: Path, count: int, size: tuple[int, int]) -> None:
    """So many photographs of two classes."""
    for number in range(count):
        place = folder / f"class{number % 2}"
        place.mkdir(parents=True, exist_ok=True)
        photograph(place / f"{number:04}.jpg", *size, seed=number)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=5, help="processes of each kind")
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--small", action="store_true", help="small pictures, to try the script")
    asked = parser.parse_args()
    size = (400, 300) if asked.small else (4000, 3000)
    allowed = cores()
    figures = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder, cache = Path(temporary, "pictures"), Path(temporary, "cache")
        make(folder, asked.pictures, size)
        make(folder.with_name("two"), 2, (400, 300))
        for count in sorted({1, len(allowed)}) if allowed else [0]:
            rates: dict[str, list[float]] = {name: [] for name in KINDS}
            for _ in range(asked.n):
                shutil.rmtree(cache, ignore_errors=True)
                for name, read in KINDS.items():
                    took = on_cores(allowed[:count], seconds, read, folder, cache)
                    rates[name].append(asked.pictures / took)
            figures[f"cores: {count or 'all'}"] = tell(rates, count)
    report("decode", {"pictures": asked.pictures, "size": list(size), "per_second": figures})


def tell(rates: dict[str, list[float]], count: int) -> dict[str, Any]:
    """A line for each kind, and its figures."""
    found = {name: summary(each) for name, each in rates.items()}
    for name, each in rates.items():
        ratios = [one / other for one, other in zip(each, rates["pillow"], strict=True)]
        found[name]["times_pillow"] = summary(ratios)
        print(
            f"{count or 'all'} cores, {name:<18} {found[name]['median']:9,.1f} pictures/s, "
            f"{found[name]['times_pillow']['median']:.2f} times Pillow",
            flush=True,
        )
    return found


if __name__ == "__main__":
    main()
