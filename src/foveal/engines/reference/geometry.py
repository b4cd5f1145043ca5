"""Resizing and cropping pictures, for the entrance of a net and for whoever prepares data.

`resize` and `crop` take one picture as programs hold it, (H, W, C) or (H, W).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from foveal.errors import ShapeError
from foveal.net.layers import Crop, Resize

Size = int | tuple[int, ...]
INPUTS, COLUMNS = 48, 512
"""Rows and columns read together: about as many as the cache of a core holds as float32."""


def resize(picture: np.ndarray, size: Size, dtype: DTypeLike = np.float32) -> np.ndarray:
    """A picture at a new size: bilinear, antialiased, rounded to whole levels once.

    Use it for what a net with `resize` sees: one number is the new shorter side, the other
    follows in proportion (rounded half up); a pair fixes both.

    Shape:   (H, W, C) or (H, W) -> (H', W', C) or (H', W'), levels 0 … 255 in `dtype`
    Raises:  ShapeError if it is not a picture
    Source:  the definition of the kind `Resize`, met exactly in float64; in float32 a large
             picture may have a value within 1e-3 of a half rounded the other way

    >>> resize(np.array([[0, 100]], np.uint8), (1, 4)).tolist()
    [[0.0, 25.0, 75.0, 100.0]]
    """
    _check_picture("resize", picture, size)
    sizes = resized_sizes(picture.shape[:2], Resize(size).size)
    y: np.ndarray = picture
    # Rows lie whole in memory, so they go first, unless that would only make more of them.
    for axis in (0, 1) if sizes[0] <= len(picture) else (1, 0):
        y = _along(y, axis, sizes[axis], np.dtype(dtype))
    y = np.ascontiguousarray(y)
    rows, columns = map(_sums, picture.shape, sizes)
    total = np.outer(rows, columns).astype(dtype).reshape(*sizes, *(1,) * (y.ndim - 2))
    levels: np.ndarray = np.clip(np.rint(y / total), 0, 255)
    return levels


def crop(picture: np.ndarray, size: Size) -> np.ndarray:
    """The middle of a picture; an odd pixel is cut off at the end.

    Use it after `resize`, for what a net with `crop` sees.

    Shape:   (H, W, C) or (H, W) -> (size, size, C) or (size, size), a view
    Raises:  ShapeError if it is not a picture, or smaller than the crop

    >>> crop(np.array([[1, 2, 3, 4]]), (1, 2)).tolist()
    [[2, 3]]
    """
    _check_picture("crop", picture, size)
    (top, height), (left, width) = crop_starts(picture.shape[:2], Crop(size).size, "crop")
    return picture[top : top + height, left : left + width]


def resized_sizes(sizes: tuple[int, ...], size: Size) -> tuple[int, ...]:
    """The sizes after `resize`: ⌊n size / shorter + ½⌋ unless given one by one."""
    if isinstance(size, tuple):
        return size
    return tuple(floor(Fraction(n * size, min(sizes)) + Fraction(1, 2)) for n in sizes)


def crop_starts(sizes: tuple[int, ...], size: Size, where: str) -> list[tuple[int, int]]:
    """Where the middle begins on each axis, and how long it is; ShapeError if it is too long."""
    wanted = size if isinstance(size, tuple) else (size,) * len(sizes)
    if any(n < m for n, m in zip(sizes, wanted, strict=True)):
        raise ShapeError(
            "the picture is smaller than the crop",
            where=where,
            arrives="x".join(map(str, sizes)),
            expected="x".join(map(str, wanted)) + " or more",
            fix="resize before it, or crop less",
        )
    return [((n - m) // 2, m) for n, m in zip(sizes, wanted, strict=True)]


def triangle(n: int, m: int, i: NDArray[np.integer], o: NDArray[np.integer]) -> NDArray[np.float64]:
    """How much the inputs i of n weigh in the outputs o of m, (len(o), len(i)), as whole numbers.

    max(0, 1 - |i + ½ - (o + ½) n / m| / s) with s = max(1, n / m), times 2 m s.
    """
    distance = np.abs((2 * i + 1) * m - (2 * o[:, None] + 1) * n)
    weights: NDArray[np.float64] = np.maximum(0.0, 2 * max(n, m) - distance)
    return weights


@dataclass(frozen=True)
class _Band:
    """Neighbouring outputs, and the inputs that weigh anything in them."""

    outputs: slice
    inputs: slice
    weights: NDArray[np.float64]


@lru_cache(maxsize=64)
def _bands(n: int, m: int) -> tuple[_Band, ...]:
    """The triangles of m outputs, cut where they overlap on about `INPUTS` of the n inputs."""
    bands, s, width = [], max(1, n / m), max(1, INPUTS * m // n)
    for first in range(0, m, width):
        last = min(first + width, m) - 1
        start = max(0, floor((first + 0.5) * n / m - s))
        stop = min(n, ceil((last + 0.5) * n / m + s))
        weights = triangle(n, m, np.arange(start, stop), np.arange(first, last + 1))
        bands.append(_Band(slice(first, last + 1), slice(start, stop), weights))
    return tuple(bands)


def _along(picture: np.ndarray, axis: int, m: int, dtype: np.dtype[Any]) -> np.ndarray:
    """Sums of the picture weighted by triangles along one axis."""
    x = picture.swapaxes(0, axis)
    flat = x.reshape(len(x), -1)
    y = np.empty((m, flat.shape[1]), dtype)
    for band in _bands(len(x), m):
        weights = band.weights.astype(dtype)
        for left in range(0, flat.shape[1], COLUMNS):
            some = slice(left, left + COLUMNS)
            np.matmul(weights, flat[band.inputs, some].astype(dtype), out=y[band.outputs, some])
    return y.reshape(m, *x.shape[1:]).swapaxes(0, axis)


def _sums(n: int, m: int) -> NDArray[np.float64]:
    """What all weights of each output add up to."""
    return np.concatenate([band.weights.sum(axis=1) for band in _bands(n, m)])


def _check_picture(where: str, picture: np.ndarray, size: Size) -> None:
    if picture.ndim not in (2, 3) or 0 in picture.shape or picture.dtype.kind not in "uif":
        raise ShapeError(
            f"is not a picture but an array of {picture.dtype}",
            where=where,
            arrives="x".join(map(str, picture.shape)),
            expected="(H, W, C) or (H, W) of real numbers",
        )
    if isinstance(size, tuple) and len(size) != 2:
        raise ShapeError(
            f"size gives {len(size)} numbers, but a picture has 2 axes",
            where=where,
            fix="give size as one number or as (H, W)",
        )
