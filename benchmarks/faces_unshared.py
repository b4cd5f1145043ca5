"""Shared against unshared weights on faces, at equal numbers of parameters.

    python benchmarks/faces_unshared.py FOLDER [-n 5]

FOLDER holds `training/`, `test/` and their `*_frames_keypoints.csv`: pictures of faces with 68
points each. Every face is cut out by its points, so that eyes and chins lie at the same place; the
nets say where the points are. Afterwards the same is asked of faces that were moved by up to four
pixels. The error is the mean distance of the points from the truth, as a share of the distance of
the eyes.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import common
import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from foveal.engines.pytorch import module
from foveal.net.notation import parse

SIDE, MARGIN, MOVED = 32, 0.15, 4
FINER = 4
"""A face is cut out so much larger and then reduced, so that every pixel of it counts."""
EPOCHS, BATCH, RATE = 200, 20, 2e-3
START = "conv 16 5 -> relu -> maxpool 2"
NETS = {
    "shared": f"{START} -> conv 30 3 -> relu -> maxpool 2 -> flatten -> dense 136",
    "unshared": f"{START} -> local 6 3 -> relu -> maxpool 2 -> flatten -> dense 136",
}
LEFT_EYE, RIGHT_EYE = slice(36, 42), slice(42, 48)
"""Places of their points among the 68."""


def faces(folder: Path, part: str) -> Iterator[tuple[Image.Image, np.ndarray]]:
    with (folder / f"{part}_frames_keypoints.csv").open(encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        for name, *numbers in rows:
            points = np.array(numbers, float).reshape(-1, 2)
            yield Image.open(folder / part / name).convert("L"), points


def cut(picture: Image.Image, points: np.ndarray, by: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A face as SIDE x SIDE numbers around 0, moved `by` pixels, and its points in that square."""
    low, high = points.min(0), points.max(0)
    side = (1 + 2 * MARGIN) * (high - low).max()
    corner = (low + high) / 2 - side / 2 - by * side / SIDE
    box = (*corner, *(corner + side))
    large = (FINER * SIDE, FINER * SIDE)
    face = picture.transform(large, Image.Transform.EXTENT, box, Image.Resampling.BILINEAR)
    return np.asarray(face.reduce(FINER)) / 127.5 - 1, (points - corner) * SIDE / side


def tensors(folder: Path, part: str, moved: int) -> tuple[torch.Tensor, torch.Tensor]:
    random = np.random.default_rng(0)
    made = [cut(*face, random.integers(-moved, moved + 1, 2)) for face in faces(folder, part)]
    x, y = (np.stack(arrays).astype(np.float32) for arrays in zip(*made, strict=True))
    return torch.from_numpy(x)[:, None], torch.from_numpy(y)


def trained(net: str, x: torch.Tensor, y: torch.Tensor, seed: int, epochs: int) -> torch.nn.Module:
    made = module(parse(net).bind((1, SIDE, SIDE)), seed)
    optimiser = torch.optim.AdamW(made.parameters(), RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, RATE, total_steps=epochs * -(-len(x) // BATCH)
    )
    source = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for chosen in torch.randperm(len(x), generator=source).split(BATCH):
            loss = F.smooth_l1_loss(made(x[chosen])[""], target(y[chosen]))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return made.eval()


def target(points: torch.Tensor) -> torch.Tensor:
    return (points / SIDE * 2 - 1).flatten(1)


@torch.no_grad()
def error(net: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Mean distance over all points and faces, as a share of the distance of the eyes."""
    points = (net(x)[""].reshape(y.shape) + 1) / 2 * SIDE
    eyes = (y[:, LEFT_EYE].mean(1) - y[:, RIGHT_EYE].mean(1)).norm(dim=1)
    return float(((points - y).norm(dim=2).mean(1) / eyes).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("-n", type=int, default=5, help="seeds")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="fewer, to try the script")
    given = parser.parse_args()
    parts = {
        f"{part}, {'moved' if moved else 'centred'}": tensors(given.folder, part, moved)
        for part in ("training", "test")
        for moved in (0, MOVED)
    }
    figures = {}
    for name, net in NETS.items():
        size = sum(t.size for t in parse(net).bind((1, SIDE, SIDE)).tensors().values())
        print(f"{name}: {net}, {size:,} parameters")
        for place in ("centred", "moved"):
            x, y = parts[f"training, {place}"]
            errors = [
                error(trained(net, x, y, seed, given.epochs), *parts[f"test, {place}"])
                for seed in range(given.n)
            ]
            figures[f"{name}, {place}"] = common.summary(errors)
            print(f"  {place}: {np.mean(errors):.2%} of the distance of the eyes", errors)
    common.report("faces_unshared", {"errors": figures})


if __name__ == "__main__":
    main()
