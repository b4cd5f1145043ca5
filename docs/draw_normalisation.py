"""Draw which values share a mean, for each normalisation: python docs/draw_normalisation.py

A block has the samples of a batch behind one another, the channels side by side and the positions
of a map below one another. Nothing is drawn by hand: blue are the values that change the one at
the corner, by the gradient that the reference engine computes for it while learning.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from foveal.engines import reference
from foveal.engines.reference import Training
from foveal.engines.weights import initial
from foveal.net.notation import parse

PICTURE = Path(__file__).parent / "pictures" / "normalisation.svg"
NETS = ("batchnorm", "layernorm", "layernorm all", "instancenorm", "groupnorm 2", "lrn 3 alpha 1")
SAMPLES, CHANNELS, POSITIONS = 3, 6, 4
OWN = (0, CHANNELS - 1, 0)
"""The corner that all three sides show."""
CELL, DEPTH = 20, 11
"""Pixels of a value's side, and how far to the right and up the next sample lies."""
WIDTH, HEIGHT, COLUMNS = 216, 168, 3
COLOURS = {"own": "#d55e00", "shared": "#0072b2", "other": "#eceff1"}
"""Told apart with any kind of colour vision (Okabe & Ito 2008)."""


def draw() -> str:
    """The picture as SVG, the same text each time."""
    rows = -(-len(NETS) // COLUMNS)
    size = COLUMNS * WIDTH + 10, rows * HEIGHT + 34
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}"'
        f' viewBox="0 0 {size[0]} {size[1]}" font-family="sans-serif" font-size="13" role="img">',
        "<title>Which values share a mean with the value at the corner</title>",
        f'<rect width="{size[0]}" height="{size[1]}" fill="#fff"/>',
    ]
    for number, text in enumerate(NETS):
        row, column = divmod(number, COLUMNS)
        lines += block(text, column * WIDTH + 30, row * HEIGHT + 60)
    lines += legend(30, rows * HEIGHT + 20)
    return "\n".join([*lines, "</svg>\n"])


def shared(text: str) -> np.ndarray:
    """Which values change the one at the corner."""
    program = parse(text).bind((CHANNELS, POSITIONS))
    x = np.random.default_rng(0).standard_normal((SAMPLES, CHANNELS, POSITIONS))
    wanted = np.zeros_like(x)
    wanted[OWN] = 1
    engine = reference.build(program, initial(program, 0))
    return np.abs(engine.backward(x, {"": wanted}, Training(0, 0)).input) > 1e-9


def block(text: str, left: float, top: float) -> Iterator[str]:
    """The three sides of a block that are seen, with the net's text above it."""
    seen = shared(text)

    def cell(index: tuple[int, int, int], corners: list[tuple[float, float]]) -> str:
        kind = "own" if index == OWN else "shared" if seen[index] else "other"
        points = " ".join(f"{x:g},{y:g}" for x, y in corners)
        return f'<polygon points="{points}" fill="{COLOURS[kind]}" stroke="#546e7a"/>'

    yield f'<text x="{left:g}" y="{top - 40:g}" font-weight="bold">{text}</text>'
    right = left + CHANNELS * CELL
    for c in range(CHANNELS):
        x = left + c * CELL
        for p in range(POSITIONS):
            y = top + p * CELL
            front = [(x, y), (x + CELL, y), (x + CELL, y + CELL), (x, y + CELL)]
            yield cell((0, c, p), front)
        for n in range(SAMPLES):
            near, far = n * DEPTH, (n + 1) * DEPTH
            above = [(x + near, top - near), (x + CELL + near, top - near)]
            above += [(x + CELL + far, top - far), (x + far, top - far)]
            yield cell((n, c, 0), above)
    for n in range(SAMPLES):
        near, far = n * DEPTH, (n + 1) * DEPTH
        for p in range(POSITIONS):
            y = top + p * CELL
            beside = [(right + near, y - near), (right + far, y - far)]
            beside += [(right + far, y + CELL - far), (right + near, y + CELL - near)]
            yield cell((n, CHANNELS - 1, p), beside)
    bottom = top + POSITIONS * CELL
    yield f'<text x="{left:g}" y="{bottom + 15:g}" fill="#546e7a">channels</text>'
    yield (
        f'<text transform="translate({left - 7:g} {bottom:g}) rotate(-90)" fill="#546e7a">'
        "positions</text>"
    )
    yield f'<text x="{right + 8:g}" y="{bottom - 2:g}" fill="#546e7a">samples</text>'


def legend(left: float, top: float) -> Iterator[str]:
    words = {"own": "this value", "shared": "changes it too", "other": "does not"}
    for number, (kind, text) in enumerate(words.items()):
        x = left + number * 150
        yield (
            f'<rect x="{x:g}" y="{top - 12:g}" width="14" height="14" fill="{COLOURS[kind]}"'
            ' stroke="#546e7a"/>'
        )
        yield f'<text x="{x + 20:g}" y="{top:g}">{text}</text>'


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
