"""A contact sheet: one picture through many filters, each with its kernel and its values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from foveal.filtering.layer import Filter, apply
from foveal.filtering.levels import Levels, to_levels
from foveal.net.kernels import Rows

Colour = tuple[int, int, int]

SIDE = 176
"""Pixels of the longer side of a picture on the sheet."""
SATURATED = 0.01
"""Share of the values of `signed` that may be cut: a single bright edge would dim all others."""
_NARROWEST = 132  # a tile holds the longest name
_MARGIN, _GAP, _HEAD, _LABEL = 28, 18, 64, 50
_ICON = 30
_PAPER: Colour = (250, 250, 248)
_INK: Colour = (28, 30, 34)
_FAINT: Colour = (112, 116, 122)
_HAIRLINE: Colour = (216, 216, 212)
# Two ends of a scale that all eyes tell apart, after ColorBrewer's PuOr.
_NEGATIVE: Colour = (84, 39, 136)
_POSITIVE: Colour = (230, 97, 1)
_ZERO: Colour = (238, 238, 235)


def sheet(
    picture: NDArray[np.uint8],
    filters: Sequence[Filter],
    title: str,
    rule: str | None = None,
    side: int = SIDE,
) -> tuple[Image.Image, list[Levels]]:
    """Draw a picture through filters side by side, and say what became of the values of each.

    A large picture is reduced first and then filtered, so that lines one pixel wide are still
    seen; a small one is filtered, then enlarged without smoothing. `rule` is for all filters;
    without it each has its own.

    Shape:   (H, W, C) -> a picture of up to 8 tiles in a row
    Raises:  ShapeError if what is filtered is too small for a kernel or its padding
    """
    small = _reduced(picture, side)
    made = [to_levels(apply(each, small), rule or each.rule, SATURATED) for each in filters]
    factor = max(1, side // max(small.shape[:2]))
    width = max(small.shape[1] * factor, _NARROWEST)
    height = small.shape[0] * factor
    columns = min(len(filters), 8 if len(filters) > 16 else 4)
    rows = -(-len(filters) // columns)
    page = Image.new(
        "RGB",
        (
            2 * _MARGIN + columns * (width + _GAP) - _GAP,
            _HEAD + rows * (height + _LABEL + _GAP) - _GAP + _MARGIN,
        ),
        _PAPER,
    )
    _head(page, title, picture, small)
    for number, (each, levels) in enumerate(zip(filters, made, strict=True)):
        row, column = divmod(number, columns)
        left = _MARGIN + column * (width + _GAP)
        top = _HEAD + row * (height + _LABEL + _GAP)
        _tile(page, (left, top), (width, height), levels.pixels, factor)
        _label(page, (left, top + height + 9), each, levels)
    return page, made


def as_image(pixels: NDArray[np.uint8]) -> Image.Image:
    """Levels as a picture of Pillow's: grey if they have one channel."""
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def _reduced(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    image = as_image(picture)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    pixels = np.asarray(image)
    return pixels.reshape(*pixels.shape[:2], picture.shape[2])


def _head(
    page: Image.Image, title: str, picture: NDArray[np.uint8], small: NDArray[np.uint8]
) -> None:
    pen = ImageDraw.Draw(page)
    pen.text((_MARGIN, 30), title, _INK, _font(19), anchor="ls")
    height, width = picture.shape[:2]
    sizes = f"{width} x {height} pixels"
    if small.shape != picture.shape:
        sizes += f", filtered at {small.shape[1]} x {small.shape[0]}"
    pen.text((_MARGIN, 49), sizes, _FAINT, _font(12), anchor="ls")
    right = page.width - _MARGIN
    for text, colour in (("positive", _POSITIVE), ("negative", _NEGATIVE)):
        right -= round(pen.textlength(text, _font(12)))
        if right - 90 < _MARGIN + pen.textlength(sizes, _font(12)):
            return
        pen.text((right, 49), text, _FAINT, _font(12), anchor="ls")
        pen.rectangle((right - 17, 39, right - 7, 49), colour)
        right -= 34


def _tile(
    page: Image.Image,
    at: tuple[int, int],
    size: tuple[int, int],
    pixels: NDArray[np.uint8],
    factor: int,
) -> None:
    """The picture in the middle of its place, with a hairline around it."""
    image = as_image(pixels)
    image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    left, top = at[0] + (size[0] - image.width) // 2, at[1] + (size[1] - image.height) // 2
    frame = (left - 1, top - 1, left + image.width, top + image.height)
    ImageDraw.Draw(page).rectangle(frame, outline=_HAIRLINE)
    page.paste(image, (left, top))


def _label(page: Image.Image, at: tuple[int, int], chosen: Filter, levels: Levels) -> None:
    left, top = at
    page.paste(_drawing(chosen.rows), (left, top))
    pen = ImageDraw.Draw(page)
    pen.text((left + _ICON + 8, top + 12), chosen.name, _INK, _font(14), anchor="ls")
    values = f"{levels.low:.0f} to {levels.high:.0f}"
    pen.text((left + _ICON + 8, top + 28), values, _FAINT, _font(11), anchor="ls")


def _drawing(rows: Rows) -> Image.Image:
    """A kernel as a small picture: the stronger its number, the stronger the colour."""
    largest = max(abs(number) for row in rows for number in row) or 1.0
    cells = [[_shade(number / largest) for number in row] for row in rows]
    image = Image.fromarray(np.array(cells, np.uint8))
    cell = max(1, _ICON // max(image.size))
    image = image.resize((image.width * cell, image.height * cell), Image.Resampling.NEAREST)
    drawing = Image.new("RGB", (_ICON, _ICON), _PAPER)
    drawing.paste(image, ((_ICON - image.width) // 2, (_ICON - image.height) // 2))
    return drawing


def _shade(share: float) -> Colour:
    """Of a number from -1 to 1; small ones are lifted so that they are seen."""
    end, amount = (_POSITIVE if share > 0 else _NEGATIVE), abs(share) ** 0.6
    red, green, blue = (round(z + (e - z) * amount) for z, e in zip(_ZERO, end, strict=True))
    return red, green, blue


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
