"""Draw the picture of filters.md: python docs/draw_filters.py

The scene is computed, so that it needs no licence.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from foveal import filtering

PICTURES = Path(__file__).parent / "pictures"
SIZE = (480, 360)
"""Width and height of the scene."""
_FINER = 3
"""Drawn that much larger, then reduced: smooth edges."""
SIDE = 132
"""Pixels of a tile; with so few, and so few colours, the sheet stays below 150 kB."""
COLOURS = 48


def scene(seed: int = 7) -> Image.Image:
    """A lake at dusk in flat colours, with all that filters find: lines, curves, corners, grass."""
    width, height = (side * _FINER for side in SIZE)
    picture = Image.new("RGB", (width, height), (242, 198, 148))
    pen = ImageDraw.Draw(picture)
    _sun(pen, (0.74 * width, 0.27 * height), 0.1 * height)
    random = np.random.default_rng(seed)
    for base, rough, colour in (
        (0.50, 0.10, (126, 120, 146)),
        (0.58, 0.07, (92, 99, 117)),
        (0.66, 0.04, (62, 84, 80)),
    ):
        pen.polygon(_ridge(width, height, base, rough, random), colour)
    _lake(pen, width, height)
    _meadow(picture, height, random)
    pen = ImageDraw.Draw(picture)
    _house(pen, 0.09 * width, 0.80 * height, 0.26 * width)
    _fence(pen, width, height)
    _sign(pen, 0.70 * width, 0.83 * height, 0.2 * width)
    return picture.resize(SIZE, Image.Resampling.LANCZOS)


def _sun(pen: ImageDraw.ImageDraw, at: tuple[float, float], radius: float) -> None:
    for share, colour in ((2.4, (248, 212, 160)), (1.7, (251, 225, 178)), (1.0, (255, 247, 218))):
        pen.ellipse(_around(at, share * radius), colour)


def _around(at: tuple[float, float], radius: float) -> tuple[float, float, float, float]:
    return at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius


def _ridge(
    width: int, height: int, base: float, rough: float, random: np.random.Generator
) -> list[tuple[float, float]]:
    """A line of hills: waves of ever higher pitch and lower height."""
    x = np.linspace(0, 1, 160)
    line = sum(
        rough / pitch * np.sin(2 * np.pi * (pitch * x + random.random()))
        for pitch in (1, 2, 3, 5, 9, 17)
    )
    points = [(a * width, (base + b) * height) for a, b in zip(x, line, strict=True)]
    return [*points, (width, height), (0, height)]


def _lake(pen: ImageDraw.ImageDraw, width: int, height: int) -> None:
    for row in range(int(0.68 * height), int(0.79 * height)):
        share = (row / height - 0.68) / 0.11
        wave = 10 * np.sin(row**1.2 / 9)
        colour = tuple(
            int(a + (b - a) * share + wave) for a, b in ((214, 96), (178, 118), (150, 148))
        )
        pen.line([(0.36 * width - 90 * share, row), (width, row)], colour)


def _meadow(picture: Image.Image, height: int, random: np.random.Generator) -> None:
    """Grass: short strokes, darker towards the viewer."""
    pen = ImageDraw.Draw(picture)
    top = 0.78 * height
    pen.rectangle((0, top, picture.width, height), (88, 112, 58))
    for y in np.sort(random.uniform(top, height * 1.02, 1500)):
        x, length = random.uniform(0, picture.width), 6 + 26 * (y - top) / (height - top)
        shade = random.uniform(0.82, 1.14)
        colour = tuple(int(c * shade) for c in (86, 116, 56))
        pen.line([(x, y), (x + random.normal(0, 4), y - length)], colour, width=3)


def _house(pen: ImageDraw.ImageDraw, left: float, floor: float, width: float) -> None:
    wall, roof = 0.52 * width, 0.36 * width
    right, top = left + width, floor - wall
    pen.rectangle((left, top, right, floor), (232, 222, 202))
    pen.polygon(
        [(left - 0.07 * width, top), ((left + right) / 2, top - roof), (right + 0.07 * width, top)],
        (150, 62, 48),
    )
    chimney = (right - 0.26 * width, top - 0.36 * width, right - 0.15 * width, top - 0.12 * width)
    pen.rectangle(chimney, (112, 60, 52))
    pen.rectangle(
        (left + 0.42 * width, floor - 0.34 * width, left + 0.60 * width, floor), (84, 56, 44)
    )
    pen.pieslice(
        (left + 0.42 * width, floor - 0.43 * width, left + 0.60 * width, floor - 0.25 * width),
        180, 360, (84, 56, 44),
    )  # fmt: skip
    for start in (0.10, 0.72):
        box = (
            left + start * width,
            top + 0.10 * width,
            left + (start + 0.18) * width,
            top + 0.30 * width,
        )
        pen.rectangle(box, (52, 66, 84))
        middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        for line in (
            [(middle[0], box[1]), (middle[0], box[3])],
            [(box[0], middle[1]), (box[2], middle[1])],
        ):
            pen.line(line, (246, 240, 224), width=5)


def _fence(pen: ImageDraw.ImageDraw, width: int, height: int) -> None:
    white = (240, 238, 230)
    for y in (0.83, 0.88):
        pen.line([(0.38 * width, y * height), (0.68 * width, y * height)], white, width=9)
    for post in np.arange(0.39, 0.68, 0.026):
        x = post * width
        pen.polygon(
            [(x, 0.79 * height), (x + 9, 0.775 * height), (x + 18, 0.79 * height),
             (x + 18, 0.93 * height), (x, 0.93 * height)],
            white,
        )  # fmt: skip


def _sign(pen: ImageDraw.ImageDraw, left: float, middle: float, width: float) -> None:
    tall = 0.42 * width
    pen.rectangle(
        (left + 0.46 * width, middle, left + 0.54 * width, middle + 0.62 * width), (92, 70, 54)
    )
    board = (left, middle - tall / 2, left + width, middle + tall / 2)
    pen.rounded_rectangle(board, 0.06 * width, (246, 232, 186), (92, 70, 54), 8)
    font = ImageFont.load_default(int(0.3 * width))
    pen.text((left + width / 2, middle), "LAKE", (60, 48, 40), font, anchor="mm")


def draw() -> Image.Image:
    """The scene through every filter, in few colours."""
    filters = [filtering.given(name) for name in filtering.choose(filtering.ALL)]
    title = f"lake.png through {len(filters)} filters"
    page, _ = filtering.sheet(np.asarray(scene()), filters, title, side=SIDE)
    return page.quantize(COLOURS, kmeans=2, dither=Image.Dither.NONE)


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    draw().save(PICTURES / "filters.png", optimize=True)


if __name__ == "__main__":
    main()
