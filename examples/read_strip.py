"""Read a number: a net that knows single digits slides over a strip of them.

    python examples/read_strip.py [--small]

The net learns the built-in digits and, as a class of their own, what lies between two digits. It
sees 8x8 pixels; the strip is as wide as it likes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.datasets import load_digits

import foveal

SIDE = 8
NOTHING = "between"
NET = "[conv 48 3 no bias -> bn -> relu]*2 -> dropout 0.3 -> flatten -> dense 11"


def windows(digits: np.ndarray, labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Every digit in its place, and twice as many windows that lie between two of them."""
    random = np.random.default_rng(seed)
    between = []
    for _ in range(2 * len(digits)):
        pair = strip(digits[random.integers(len(digits), size=2)], random.integers(0, 6, 1))
        left = random.integers(2, pair.shape[1] - SIDE - 1)
        between.append(pair[:, left : left + SIDE])
    return np.concatenate([digits, between]), np.concatenate([labels, np.full(len(between), 10)])


def strip(digits: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Digits in a row, with black columns between them."""
    parts = [digits[0]]
    for digit, gap in zip(digits[1:], gaps, strict=True):
        parts += [np.zeros((SIDE, gap), np.uint8), digit]
    return np.concatenate(parts, axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="two epochs: quick, and worse")
    small = parser.parse_args().small
    digits, labels = load_digits(return_X_y=True)
    pictures = (digits.reshape(-1, SIDE, SIDE) * 255 / 16).astype(np.uint8)
    kept, learned = slice(None, 300), slice(300, None)
    x, y = windows(pictures[learned], labels[learned], seed=0)
    names = np.array([*map(str, range(10)), NOTHING])
    with TemporaryDirectory() as folder:
        np.savez(Path(folder, "windows.npz"), x=x, y=names[y])
        epochs = 2 if small else 20
        runs = Path(folder, "runs")
        model = foveal.train(Path(folder, "windows.npz"), net=NET, epochs=epochs, runs=runs)

    random, right, numbers = np.random.default_rng(1), 0, 50
    for _ in range(numbers):
        chosen = random.integers(300, size=6)
        picture = strip(pictures[kept][chosen], random.integers(0, 6, 5))
        number = "".join(map(str, labels[kept][chosen]))
        read = "".join(find.label for find in model.slide(picture).found(nothing=NOTHING))
        right += read == number
        print(f"{picture.shape[1]:3} pixels wide: {number} read as {read}")
    print(f"{right} of {numbers} numbers of 6 digits are read without a mistake")


if __name__ == "__main__":
    main()
