"""Draw what `benchmarks/classical.py` makes of one digit: python docs/draw_deskew.py

The digit is one of scikit-learn's, in a frame as wide as MNIST's. The functions are those of the
benchmark.
"""

from __future__ import annotations

import math
import runpy
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from foveal.data.digits import enlarge

PAGES = Path(__file__).parent
PICTURE = PAGES / "pictures" / "deskew.svg"
FEATURES = runpy.run_path(str(PAGES.parent / "benchmarks" / "digit_features.py"))
CELLS, DIRECTIONS = FEATURES["CELLS"], FEATURES["DIRECTIONS"]
DIGIT = 757
"""A four that leans to the right."""
INNER, FRAME = 20, 4
"""Pixels of the digit's side, and around it: 28 in all, as in MNIST."""
SIDE = INNER + 2 * FRAME
LEVELS = 16
PIXEL, GAP, HEAD, FOOT = 9, 28, 34, 12
"""Of the drawing: a pixel's side, between the three parts, above and below them."""
STROKE, AXIS = "#0072b2", "#d55e00"
"""Told apart with any kind of colour vision (Okabe & Ito 2008)."""


def draw() -> str:
    """The picture as SVG, the same text each time."""
    frame = ((FRAME, FRAME), (FRAME, FRAME))
    digit = np.pad(enlarge(load_digits().images[DIGIT : DIGIT + 1], INNER)[0, :, :, 0], frame)
    written = digit[None].astype(np.float64) / 255
    upright = FEATURES["deskew"](written)
    features = FEATURES["gradients"](upright)[0].reshape(DIRECTIONS, CELLS, CELLS)
    part = SIDE * PIXEL
    lefts = [GAP // 2 + k * (part + GAP) for k in range(3)]
    width, height = lefts[2] + part + GAP // 2, HEAD + part + FOOT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13" role="img">',
        "<title>A leaning four, the same upright, and the directions of its gradients</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *heading(lefts[0], "as written"),
        *pixels(written[0], lefts[0]),
        *axis(written, lefts[0]),
        *heading(lefts[1], "deskewed"),
        *pixels(upright[0], lefts[1]),
        *axis(upright, lefts[1]),
        *heading(lefts[2], f"gradients: {CELLS}x{CELLS} cells, {DIRECTIONS} directions"),
        *rays(features, lefts[2]),
    ]
    return "\n".join([*lines, "</svg>\n"])


def heading(left: int, text: str) -> Iterator[str]:
    """The words above a part, and its border."""
    side = SIDE * PIXEL
    yield f'<text x="{left}" y="{HEAD - 12}">{text}</text>'
    yield (
        f'<rect x="{left}" y="{HEAD}" width="{side}" height="{side}" fill="#fff" stroke="#90a4ae"/>'
    )


def pixels(picture: np.ndarray, left: int) -> Iterator[str]:
    """The ink as it would be on paper; what is white is left out."""
    for (row, column), value in np.ndenumerate(np.rint(picture * (LEVELS - 1)).astype(int)):
        if value:
            grey = 255 - value * 255 // (LEVELS - 1)
            x, y = left + column * PIXEL, HEAD + row * PIXEL
            yield (
                f'<rect x="{x}" y="{y}" width="{PIXEL}" height="{PIXEL}"'
                f' fill="#{grey:02x}{grey:02x}{grey:02x}"/>'
            )


def axis(pictures: np.ndarray, left: int) -> Iterator[str]:
    """The straight line through the stroke."""
    (middle,), (slant,) = FEATURES["lean"](pictures)
    centre = pictures[0].sum(0) @ np.arange(SIDE) / pictures.sum()
    ends = []
    for row in (0, SIDE - 1):
        column = centre + slant * (row - middle)
        ends += [left + (column + 0.5) * PIXEL, HEAD + (row + 0.5) * PIXEL]
    x1, y1, x2, y2 = (f"{end:.1f}" for end in ends)
    yield f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{AXIS}" stroke-width="3"/>'


def rays(features: np.ndarray, left: int) -> Iterator[str]:
    """From the centre of each cell a stroke in each direction, as long as the feature is large."""
    cell = SIDE * PIXEL / CELLS
    longest = 0.48 * cell / float(features.max())
    for k in range(1, CELLS):
        at = k * cell
        yield (
            f'<path d="M{left + at:g} {HEAD}v{SIDE * PIXEL}M{left} {HEAD + at:g}h{SIDE * PIXEL}"'
            ' stroke="#eceff1"/>'
        )
    for (direction, row, column), value in np.ndenumerate(features):
        angle, length = 2 * math.pi * direction / DIRECTIONS, longest * float(value)
        if length >= 1:
            x, y = left + (column + 0.5) * cell, HEAD + (row + 0.5) * cell
            dx, dy = length * math.cos(angle), length * math.sin(angle)
            yield f'<path d="M{x:g} {y:g}l{dx:.1f} {dy:.1f}" stroke="{STROKE}" stroke-width="2"/>'


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
