"""Train the digit reader that comes with Foveal, and say how well it reads.

    python benchmarks/train_digit_reader.py MNIST [-o digit_reader.safetensors] [--test]

MNIST is the folder of its IDX files. The net learns from each digit twice: as it was scanned, white
on black, and once more as people have it: black on white, or as a pen on paper under a lamp
would look, computed. The reader is then measured on pictures in each of these forms, and on the
built-in digits, which other people wrote. Choices are made without `--test`, on the validation
part; with it, once, on t10k.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import common
import numpy as np
from PIL import Image, ImageFilter

import foveal
from foveal import data
from foveal.data import Loaded, Samples

FINER = 3
"""Strokes are made thinner and thicker at so many times the size."""
PENS = (ImageFilter.MinFilter(3), None, None, ImageFilter.MaxFilter(3))
DIGITS = tuple("0123456789")
MARGIN = 2
"""Pixels around the built-in digits of 8x8, which have none: a share as MNIST's have."""
DARKEST_PAPER, LEAST_CONTRAST = 110, 60
"""Levels: of paper in bad light, and between paper and ink."""

Pictures = np.ndarray


def inverted(pictures: Pictures, _: np.random.Generator) -> Pictures:
    return 255 - pictures


def on_paper(pictures: Pictures, random: np.random.Generator) -> Pictures:
    """Dark digits of any pen and size, a little out of place, on paper that is lit unevenly."""
    return np.stack([_on_paper(picture[..., 0], random) for picture in pictures])[..., None]


def _on_paper(digit: np.ndarray, random: np.random.Generator) -> np.ndarray:
    height, width = digit.shape
    ink = Image.fromarray(digit).resize((FINER * width, FINER * height), Image.Resampling.BICUBIC)
    pen = PENS[random.integers(len(PENS))]
    ink = ink if pen is None else ink.filter(pen)
    scale = np.exp(random.uniform(-0.2, 0.45)) * np.exp(random.uniform(-0.1, 0.1, 2))
    move = FINER * random.uniform(-2, 2, 2)
    x, y = (np.array(ink.size) * (1 - scale) / 2 - move).tolist()
    box = (scale[0], 0, x, 0, scale[1], y)
    ink = ink.transform(ink.size, Image.Transform.AFFINE, box, Image.Resampling.BILINEAR)
    cover = np.asarray(ink.reduce(FINER), float) / 255
    paper = random.uniform(DARKEST_PAPER, 255)
    contrast = random.uniform(LEAST_CONTRAST, paper)
    slope = random.uniform(-0.15, 0.15, 2)
    down, right = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
    light = 1 + slope[0] * down + slope[1] * right
    noise = random.normal(0, random.uniform(0, 8), cover.shape)
    seen = (paper - contrast * cover) * light + noise
    return seen.round().clip(0, 255).astype(np.uint8)


FORMS: dict[str, Callable[[Pictures, np.random.Generator], Pictures]] = {
    "white on black": lambda pictures, _: pictures,
    "black on white": inverted,
    "pen on paper, computed": on_paper,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("mnist", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("digit_reader.safetensors"))
    parser.add_argument("--net", default="quick")
    parser.add_argument("--epochs", type=int, default=16, help="fewer, to try the script")
    parser.add_argument("--test", action="store_true", help="measure on t10k: once, at the end")
    given = parser.parse_args()
    opened = data.open(given.mnist)
    with tempfile.TemporaryDirectory() as folder:
        model = foveal.train(
            _written(Path(folder, "digits.npz"), opened),
            net=given.net,
            epochs=given.epochs,
            runs=folder,
            watch=common.tell_epoch,
        )
    part = opened.test if given.test and opened.test is not None else opened.validation
    measured = _measured(model, part)
    made = {
        "by": f"benchmarks/{Path(__file__).name}",
        "date": datetime.now(UTC).date().isoformat(),
        "from": {"name": opened.name, "fingerprint": opened.fingerprint},
        "part": part.part,
        "measured": measured,
    }
    digest = replace(model, about={**model.about, "made": made}).save(given.output)
    figures = {"device": model.about["device"], "recipe": model.about["recipe"], "digest": digest}
    figures |= {"part": part.part, "n": len(part), "measured": measured}
    common.report("train_digit_reader", figures)


def _written(path: Path, opened: data.Dataset) -> Path:
    """Both parts, each digit twice: as it is, and in one of the other forms."""
    random = np.random.default_rng(0)
    train, validation = (_twice(part.load(), random) for part in (opened.train, opened.validation))
    np.savez(path, x_train=train[0], y_train=train[1], x_val=validation[0], y_val=validation[1])
    return path


def _twice(loaded: Loaded, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    half = len(loaded) // 2
    others = inverted(loaded.pictures[:half], random), on_paper(loaded.pictures[half:], random)
    return np.concatenate([loaded.pictures, *others]), np.tile(loaded.labels, 2)


def _measured(model: foveal.Model, part: Samples) -> dict[str, dict[str, Any]]:
    """Accuracy, with its interval, on the same digits in each form, and on those of others."""
    random = np.random.default_rng(1)
    loaded = part.load()
    shown = {
        form: replace(loaded, pictures=make(loaded.pictures, random))
        for form, make in FORMS.items()
    }
    if model.classes == DIGITS:
        others = data.open("digits", validation=0).train.load()
        framed = np.pad(others.pictures, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)))
        for form in ("white on black", "black on white"):
            pictures = map(model.split.prepare, FORMS[form](framed, random))
            shown[f"{form}, built-in digits"] = replace(others, pictures=np.stack(list(pictures)))
    found = {}
    for form, pictures in shown.items():
        answers = model.measure(pictures, part.classes, "test")
        found[form] = {
            "n": answers.n,
            "accuracy": answers.accuracy,
            "accuracy_interval": list(answers.accuracy_interval),
        }
        print(f"{form}: {answers.accuracy:.2%} of {answers.n:,}")
    return found


if __name__ == "__main__":
    main()
