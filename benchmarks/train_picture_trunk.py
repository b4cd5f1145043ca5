"""Train a small net on pictures in colour, for others to begin with.

    python benchmarks/train_picture_trunk.py DATA [-o picture_trunk.safetensors]
    foveal cache add picture_trunk.safetensors

DATA is CIFAR-10's binary version (`data_batch_1.bin` …), or anything that `foveal train` reads. The
net is trained at 64 pixels, from which on `foveal train` takes a model in the cache for a trunk of
photographs. Weights are not part of the project: CIFAR-10's authors state no licence.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import common
import numpy as np

import foveal

SHAPE = (3, 32, 32)
"""Of CIFAR-10's pictures; a byte with the label stands before each."""
NAMES = "batches.meta.txt"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("picture_trunk.safetensors"))
    parser.add_argument("--net", default="quick", help="a name of the zoo, a file, or notation")
    parser.add_argument("--size", type=int, default=64, help="side of the pictures in pixels")
    parser.add_argument("--epochs", type=int, help="default: by the number of pictures")
    given = parser.parse_args()
    changes = {} if given.epochs is None else {"epochs": given.epochs}
    with tempfile.TemporaryDirectory() as folder:
        binary = any(given.data.glob("data_batch_*.bin"))
        model = foveal.train(
            _cifar10(given.data, Path(folder, "cifar10.npz")) if binary else given.data,
            net=given.net,
            size=given.size,
            pretrained="none",
            runs=folder,
            watch=common.tell_epoch,
            **changes,
        )
    about = {**model.about, "made": {"by": f"benchmarks/{Path(__file__).name}"}}
    digest = replace(model, about=about).save(given.output)
    facts = {name: about[name] for name in ("data", "device", "metrics", "recipe")}
    common.report("train_picture_trunk", {**facts, "digest": digest})


def _cifar10(folder: Path, target: Path) -> Path:
    """CIFAR-10's binary files as arrays, with the names of its classes."""
    names = np.array((folder / NAMES).read_text(encoding="utf-8").split())
    arrays = {}
    for part, files in (("train", "data_batch_*.bin"), ("test", "test_batch.bin")):
        rows = np.concatenate([_rows(path) for path in sorted(folder.glob(files))])
        arrays[f"x_{part}"] = rows[:, 1:].reshape(-1, *SHAPE).transpose(0, 2, 3, 1)
        arrays[f"y_{part}"] = names[rows[:, 0]]
    np.savez(target, **arrays)
    return target


def _rows(path: Path) -> np.ndarray:
    return np.fromfile(path, np.uint8).reshape(-1, 1 + int(np.prod(SHAPE)))


if __name__ == "__main__":
    main()
