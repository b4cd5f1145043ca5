"""A model whose answers are known: it tells light pictures from dark ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from support.picture_files import idx

from foveal.model import Model
from foveal.net.notation import parse

CLASSES = ("dark", "light")
STEEPNESS = 5.0


def light_or_dark(side: int = 8, channels: int = 1, about: dict | None = None) -> Model:
    """Softmax of ±5 times the mean level, which goes from -1 to 1."""
    net = parse(
        f"input uint8 -> resize {side} -> crop {side} -> normalise -> globalavgpool"
        " -> scores: dense 2 -> softmax"
    )
    row = np.full((1, channels), STEEPNESS / channels, np.float32)
    weights = {
        "scores.weight": np.concatenate([-row, row]),
        "scores.bias": np.zeros(2, np.float32),
    }
    return Model(net, (channels, side, side), weights, CLASSES, about=about or {})


def light_probability(level: float) -> float:
    """What the model gives `light` for a picture of one level."""
    return 1 / (1 + np.exp(-2 * STEEPNESS * (level / 127.5 - 1)))


def shade(level: int, noise: int = 20, seed: int = 0, size: tuple[int, int] = (8, 8)) -> np.ndarray:
    """A grey picture around one level."""
    random = np.random.default_rng((seed, level))
    made = level + random.integers(-noise, noise + 1, size)
    return made.clip(0, 255).astype(np.uint8)


def write_shades(folder: Path, level: int, count: int, seed: int = 0) -> list[Path]:
    """So many PNG files of pictures around one level."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        Image.fromarray(shade(level, seed=seed * 1000 + number)).save(path)
    return paths


def idx_shades(folder: Path) -> Path:
    """Forty training and ten test pictures, dark and light, under the names of MNIST's files."""
    folder.mkdir()
    for part, count in (("train", 40), ("t10k", 10)):
        labels = np.arange(count) % 2
        pictures = [shade(60 + 130 * int(label), seed=i) for i, label in enumerate(labels)]
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx(np.stack(pictures)))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))
    return folder


def shades(root: Path, each: int = 12) -> Path:
    """A folder of dark and one of light pictures."""
    write_shades(root / "dark", 60, each, seed=1)
    write_shades(root / "light", 190, each, seed=2)
    return root
