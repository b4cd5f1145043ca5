"""From what Pillow decoded to uint8 grey or RGB: depth, transparency, inks and orientation.

The rules are the same in training and in prediction, and none depends on other pictures:

- Transparency is laid over white.
- 16-bit grey: 0 is black and the largest value of the depth is white (65535, or 4095 where the
  TIFF says 12 bits), whatever the picture holds. Signed 16-bit starts at -32768.
- 32-bit and float grey states no range. It is taken to end at the smallest of 1 (float only),
  255 and 65535 that holds its values; beyond that, or below 0, at its own extremes.
- CMYK becomes (1 - ink)(1 - black); colour profiles are not applied.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BACKGROUND = (255, 255, 255)
GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16L", "I;16B", "I;16N"})
_SIXTEEN = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
_WIDE = _SIXTEEN | {"I", "F"}
_WITH_ALPHA = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
_BITS_PER_SAMPLE, _SAMPLE_FORMAT, _SIGNED = 258, 339, 2  # TIFF 6.0, tags and value

Pixels = NDArray[np.uint8]


def is_grey(picture: Image.Image) -> bool:
    """Whether one channel says everything; a palette counts as grey if all its colours are."""
    if picture.mode not in ("P", "PA"):
        return picture.mode in GREY_MODES
    if picture.palette is None or picture.palette.mode != "RGB":
        return False
    colours = np.frombuffer(bytes(picture.palette.palette), np.uint8)
    colours = colours[: colours.size // 3 * 3].reshape(-1, 3)
    return bool((colours == colours[:, :1]).all())


def to_pixels(picture: Image.Image, channels: int) -> Pixels:
    """The decoded picture as uint8 H,W,C with C = `channels`, 1 (grey) or 3 (RGB)."""
    if picture.mode in _WIDE:
        grey = _eight_bits(picture)
        return np.repeat(grey[:, :, None], channels, axis=2)
    if picture.mode in _WITH_ALPHA or "transparency" in picture.info:
        picture = _on_background(picture)
    elif picture.mode == "CMYK":
        picture = _as_inks(picture).convert("RGB")
    pixels = np.array(picture.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(*pixels.shape[:2], channels)


def turn_upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo an EXIF orientation (1-8), so that the first row is the top of what was seen."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def scale_unstated(values: NDArray[Any], extremes: tuple[float, float] | None = None) -> Pixels:
    """Values whose range nothing states as 0-255, by the rule at the top of this module.

    `extremes` are the smallest and the largest value, if not only these values count.
    """
    if values.dtype.kind == "f":
        values = np.where(np.isfinite(values), values, 0)
    low, high = extremes or (float(values.min()), float(values.max()))
    ends = (1, 255, 65535) if values.dtype.kind == "f" else (255, 65535)
    end = next((end for end in ends if low >= 0 and high <= end), None)
    if end is not None:
        low, high = 0.0, float(end)
    span = (high - low) or 1.0
    scaled = np.rint((values.astype(np.float64) - low) * (255 / span))
    return np.clip(scaled, 0, 255).astype(np.uint8)


def scale_depth(values: NDArray[Any], largest: int) -> Pixels:
    """Whole numbers 0-`largest` as 0-255, rounded to the nearest."""
    scaled = (values.astype(np.int64) * 255 + largest // 2) // largest
    return np.clip(scaled, 0, 255).astype(np.uint8)


def _eight_bits(picture: Image.Image) -> Pixels:
    values = np.asarray(picture)
    if picture.mode in _SIXTEEN:
        bits = _tiff_tag(picture, _BITS_PER_SAMPLE) or 16
        return scale_depth(values, 2**bits - 1)
    if picture.mode == "I" and picture.format in ("PNG", "PPM"):  # always 16 bits wide
        return scale_depth(values, 65535)
    if picture.mode == "I" and _tiff_tag(picture, _BITS_PER_SAMPLE) == 16:
        signed = _tiff_tag(picture, _SAMPLE_FORMAT) == _SIGNED
        return scale_depth(values.astype(np.int64) + (32768 if signed else 0), 65535)
    return scale_unstated(values)


def _tiff_tag(picture: Image.Image, tag: int) -> int | None:
    values = getattr(picture, "tag_v2", {}).get(tag)
    first = values[0] if isinstance(values, tuple) and values else values
    return first if isinstance(first, int) else None


def _on_background(picture: Image.Image) -> Image.Image:
    straight = {"La": "LA", "RGBa": "RGBA"}.get(picture.mode, picture.mode)
    seen = picture.convert(straight).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", seen.size, (*BACKGROUND, 255)), seen)


def _as_inks(picture: Image.Image) -> Image.Image:
    """CMYK with 255 as full ink.

    Adobe's JPEGs store the inks inverted and say so with a marker. Pillow inverts every CMYK
    JPEG; where the marker is missing, that has to be undone (as libvips and ImageMagick do).
    """
    if picture.format in ("JPEG", "MPO") and "adobe" not in picture.info:
        return Image.fromarray(255 - np.asarray(picture), "CMYK")
    return picture
