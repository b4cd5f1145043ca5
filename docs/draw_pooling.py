"""Draw what pooling makes of 16 numbers: python docs/draw_pooling.py

Each map is what the reference engine computes for a net of one layer. A cell has the colour of
the window it was made of; where windows overlap, only the first and the last are coloured.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from foveal.engines import reference
from foveal.net.notation import parse

PICTURE = Path(__file__).parent / "pictures" / "pooling.svg"
GRID = np.arange(1.0, 17.0).reshape(4, 4)
WORDS = ("maxpool", "avgpool", "minpool", "sumpool")
STRIDES = (2, 1)
SIZE = 2
"""Of the window, in positions."""
CELL, GAP, HEAD, FOOT = 38, 34, 58, 12
"""Pixels of a cell's side, between maps, above the first row, and below the last."""
COLOURS = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7")
"""Told apart with any kind of colour vision (Okabe & Ito 2008)."""
PLAIN = "#eceff1"


def draw() -> str:
    """The picture as SVG, the same text each time."""
    side = len(GRID) * CELL
    maps = [place(column) for column in range(len(WORDS) + 1)]
    width, height = maps[-1] + 3 * CELL + GAP, HEAD + len(STRIDES) * (side + GAP) - GAP + FOOT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13" role="img">',
        "<title>Largest value, mean, smallest value and sum of the windows of a 4x4 map</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *(said(x, HEAD - 28, word, bold=True) for x, word in zip(maps[1:], WORDS, strict=True)),
    ]
    for row, stride in enumerate(STRIDES):
        top = HEAD + row * (side + GAP)
        windows = (len(GRID) - SIZE) // stride + 1
        colours = window_colours(windows)
        lines.append(said(maps[0], top - 8, f"window {SIZE}, stride {stride}"))
        lines += cells(GRID, maps[0], top, {})
        lines += (frame(maps[0], top, stride, at, colour) for at, colour in colours.items())
        lines += numbers(GRID, maps[0], top)
        for left, word in zip(maps[1:], WORDS, strict=True):
            made = pooled(f"{word} {SIZE} stride {stride}")
            lines.append(said(left, top - 8, f"{len(made)}x{len(made)}"))
            lines += [*cells(made, left, top, colours), *numbers(made, left, top)]
    return "\n".join([*lines, "</svg>\n"])


def place(column: int) -> int:
    """Where a map begins: the picture has four cells, what is made of it three at most."""
    return GAP // 2 if not column else 2 * GAP + len(GRID) * CELL + (column - 1) * (3 * CELL + GAP)


def pooled(net: str) -> np.ndarray:
    program = parse(net).bind((1, *GRID.shape))
    made: np.ndarray = reference.build(program, {}).run(GRID[None, None])[""][0, 0]
    return made


def window_colours(windows: int) -> dict[tuple[int, int], str]:
    """Of all windows where they stand side by side, else of the first and the last."""
    if windows * SIZE <= len(GRID):
        places = [(row, column) for row in range(windows) for column in range(windows)]
    else:
        places = [(0, 0), (windows - 1, windows - 1)]
    return dict(zip(places, COLOURS, strict=False))


def cells(
    values: np.ndarray, left: int, top: int, colours: dict[tuple[int, int], str]
) -> Iterator[str]:
    for row, column in np.ndindex(values.shape[0], values.shape[1]):
        x, y = left + column * CELL, top + row * CELL
        colour = colours.get((row, column), PLAIN)
        yield (
            f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="{colour}"'
            ' stroke="#546e7a"/>'
        )


def numbers(values: np.ndarray, left: int, top: int) -> Iterator[str]:
    for (row, column), value in np.ndenumerate(values):
        x, y = left + column * CELL + CELL // 2, top + row * CELL + CELL // 2 + 5
        yield f'<text x="{x}" y="{y}" text-anchor="middle">{value:g}</text>'


def frame(left: int, top: int, stride: int, at: tuple[int, int], colour: str) -> str:
    """A window, drawn within its cells so that neighbours do not hide each other."""
    x, y = left + at[1] * stride * CELL + 3, top + at[0] * stride * CELL + 3
    side = SIZE * CELL - 6
    return (
        f'<rect x="{x}" y="{y}" width="{side}" height="{side}" fill="{colour}"'
        f' fill-opacity="0.35" stroke="{colour}" stroke-width="3"/>'
    )


def said(x: int, y: int, text: str, *, bold: bool = False) -> str:
    style = ' font-weight="bold"' if bold else ' fill="#546e7a"'
    return f'<text x="{x}" y="{y}"{style}>{text}</text>'


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
