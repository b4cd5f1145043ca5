"""Draw what is dropped together: python docs/draw_regularisation.py

Each panel is a batch of four samples of three maps, all ones, and what a net of one layer makes of
it in a step of a training. Grey is what the reference engine made 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from foveal.engines import reference
from foveal.engines.reference import Training
from foveal.net.notation import parse

PICTURE = Path(__file__).parent / "pictures" / "regularisation.svg"
NETS = ("dropout 0.5", "dropout 0.5 spatial", "droppath 0.5")
STEP = Training(seed=0, step=2)
SAMPLES, MAPS, SIDE = 4, 3, 4
CELL, GAP = 14, 10
"""Pixels of a value, and between maps."""
PANEL = MAPS * (SIDE * CELL + GAP) + 44
WIDTH, HEIGHT = len(NETS) * PANEL + 60, SAMPLES * (SIDE * CELL + GAP) + 70
COLOURS = {"kept": "#0072b2", "dropped": "#eceff1", "note": "#546e7a"}


def draw() -> str:
    """The picture as SVG, the same text each time."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"'
        f' viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13" role="img">',
        "<title>What dropout, spatial dropout and stochastic depth drop together</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for sample in range(SAMPLES):
        middle = 46 + sample * (SIDE * CELL + GAP) + SIDE * CELL // 2
        lines.append(note(10, middle, f"sample {sample}"))
    for number, text in enumerate(NETS):
        lines += panel(text, 80 + number * PANEL)
    lines += legend(80, HEIGHT - 14)
    return "\n".join([*lines, "</svg>\n"])


def panel(text: str, left: int) -> Iterator[str]:
    """A batch behind one layer."""
    x = np.ones((SAMPLES, MAPS, SIDE, SIDE))
    made = reference.build(parse(text).bind(x.shape[1:]), {}).run(x, STEP)[""]
    yield f'<text x="{left}" y="18" font-weight="bold">{text}</text>'
    for channel in range(MAPS):
        yield note(left + channel * (SIDE * CELL + GAP), 36, f"map {channel}")
    for sample, channel, row, column in np.ndindex(made.shape):
        across = left + channel * (SIDE * CELL + GAP) + column * CELL
        down = 42 + sample * (SIDE * CELL + GAP) + row * CELL
        colour = COLOURS["kept" if made[sample, channel, row, column] else "dropped"]
        yield (
            f'<rect x="{across}" y="{down}" width="{CELL}" height="{CELL}" fill="{colour}"'
            ' stroke="#90a4ae"/>'
        )


def legend(left: int, down: int) -> Iterator[str]:
    for place, (colour, text) in enumerate({"kept": "kept, and doubled", "dropped": "0"}.items()):
        across = left + place * 160
        yield (
            f'<rect x="{across}" y="{down - 11}" width="{CELL}" height="{CELL}"'
            f' fill="{COLOURS[colour]}" stroke="#90a4ae"/>'
        )
        yield f'<text x="{across + CELL + 6}" y="{down}">{text}</text>'


def note(across: int, down: int, text: str) -> str:
    return f'<text x="{across}" y="{down}" font-size="11" fill="{COLOURS["note"]}">{text}</text>'


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
