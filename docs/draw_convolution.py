"""Draw how a convolution slides, and what its padding is: python docs/draw_convolution.py

Every number is computed by the reference engine from a net, every window is that of a bound net.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from foveal.engines import reference
from foveal.net.notation import parse

PICTURE = Path(__file__).parent / "pictures" / "convolution.svg"
SQUARE = [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
FILTER = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
FILLS = ("fill 0", "fill 9", "replicate", "reflect", "circular")
WORDS = ("valid", "same", "same_lower", "causal", "preserve")
LINE, KERNEL, STRIDE = 5, 4, 2
CELL = 30
"""Pixels of a side of a cell."""
WIDTH, HEIGHT = 860, 500
COLOURS = {"picture": "#e3f2fd", "seen": "#90caf9", "padding": "#fff3e0", "made": "#e8f5e9"}


def draw() -> str:
    """The picture as SVG, the same text each time."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"'
        f' viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13" role="img">',
        "<title>A filter slides over a picture; what padding holds, and where it is put</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *sliding(20, 30),
        *fills(480, 30),
        *words(20, 235),
    ]
    return "\n".join([*lines, "</svg>\n"])


def sliding(left: int, top: int) -> Iterator[str]:
    """The articles' picture and filter, and one of the nine sums."""
    net = parse("conv 1 3 no bias").bind((1, 5, 5))
    weights = {"conv1.weight": np.array([[FILTER]])}
    made = reference.build(net, weights).run(np.array([[SQUARE]]))[""][0, 0]
    yield text(left, top - 10, "conv 1 3 at row 1, column 1", bold=True)
    for row, column in np.ndindex(5, 5):
        seen = 1 <= row <= 3 and 1 <= column <= 3
        number = SQUARE[row][column]
        yield from cell(left, top, row, column, number, "seen" if seen else "picture")
        if seen:
            yield small(left + column * CELL + 17, top + (row + 1) * CELL - 3,
                        f"×{FILTER[row - 1][column - 1]}")  # fmt: skip
    yield text(left + 5 * CELL + 12, top + 80, "→")
    for row, column in np.ndindex(3, 3):
        colour = "seen" if (row, column) == (1, 1) else "made"
        place = left + 5 * CELL + 38
        yield from cell(place, top + CELL, row, column, int(made[row, column]), colour)
    yield text(left + 5 * CELL + 38, top + 4 * CELL + 20, "each a sum of nine products", grey=True)


def fills(left: int, top: int) -> Iterator[str]:
    """Five positions and two at either end, in each of the ways to fill them."""
    x = np.arange(1.0, 6)[None, None]
    yield text(left, top - 10, "pad 2, in its five ways", bold=True)
    for row, fill in enumerate(FILLS):
        padded = reference.build(parse(f"pad 2 {fill}").bind((1, 5)), {}).run(x)[""][0, 0]
        yield text(left, top + row * (CELL + 4) + 18, fill)
        for column, number in enumerate(padded):
            colour = "picture" if 2 <= column < 7 else "padding"
            yield from cell(left + 90, top + row * 4, row, column, int(number), colour)


def words(left: int, top: int) -> Iterator[str]:
    """Where the words put padding on a line of five, and what each window reads."""
    title = f"padding by words: {LINE} positions, conv 1 {KERNEL} stride {STRIDE}"
    yield text(left, top - 2, title, bold=True)
    for row, word in enumerate(WORDS):
        axis = parse(f"conv 1 {KERNEL} stride {STRIDE} {word}").bind((1, LINE)).steps[0]
        (window,) = axis.kind.windows(axis.ins)
        down = top + 12 + row * 51
        yield text(left, down + 17, word)
        begin = left + 96 + (4 - window.before) * CELL
        for position in range(window.before + LINE + window.after):
            inside = window.before <= position < window.before + LINE
            number = str(position - window.before + 1) if inside else ""
            yield from cell(begin, down, 0, position, number, "picture" if inside else "padding")
        for output in range(window.output):
            start = begin + output * window.stride * CELL
            height = down + CELL + 5 + 4 * (output % 3)
            yield (
                f'<path d="M{start + 3} {height}h{window.span * CELL - 6}" stroke="#1565c0"'
                ' stroke-width="2.5"/>'
            )
        sides = f"{window.before} before, {window.after} after: {LINE} → {window.output}"
        yield text(left + 96 + 15 * CELL, down + 17, sides, grey=True)


def cell(
    left: float, top: float, row: int, column: int, number: object, colour: str
) -> Iterator[str]:
    x, y = left + column * CELL, top + row * CELL
    yield (
        f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="{COLOURS[colour]}"'
        ' stroke="#90a4ae"/>'
    )
    if number != "":
        yield f'<text x="{x + CELL / 2:g}" y="{y + 20}" text-anchor="middle">{number}</text>'


def text(x: float, y: float, words: str, *, bold: bool = False, grey: bool = False) -> str:
    style = ' font-weight="bold"' * bold + ' fill="#546e7a"' * grey
    return f'<text x="{x}" y="{y}"{style}>{words}</text>'


def small(x: float, y: float, words: str) -> str:
    return f'<text x="{x}" y="{y}" font-size="9" fill="#0d47a1">{words}</text>'


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
