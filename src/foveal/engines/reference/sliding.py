"""Where a sliding kernel lies, derived from its fields and the arriving array alone.

The arithmetic of `net` has formulas for the same facts. Here they are counted, so that agreement
of the two is proof.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, product
from typing import Any

import numpy as np

from foveal.engines.reference.row import Array


@dataclass(frozen=True)
class Track:
    """A kernel sliding along one axis of n positions."""

    n: int
    before: int
    after: int
    beyond: int
    """Positions after picture and padding that only a window of `ceil` reads."""
    kernel_size: int
    dilation: int
    starts: range
    """Where the first tap lies, at every place where the last one fits too."""

    def read_by(self, tap: int) -> slice:
        """The padded positions that one tap reads, in order."""
        reads = [start + tap * self.dilation for start in self.starts]
        return slice(reads[0], reads[-1] + 1, self.starts.step)


@dataclass(frozen=True)
class Slide:
    """A kernel sliding over all spatial axes of (N, C, ...)."""

    tracks: tuple[Track, ...]

    @property
    def output(self) -> tuple[int, ...]:
        return tuple(len(track.starts) for track in self.tracks)

    def taps(self) -> Iterator[tuple[Any, Any]]:
        """Each tap in row-major order: the index of its weight, and that of all it reads."""
        for tap in product(*(range(track.kernel_size) for track in self.tracks)):
            reads = (track.read_by(t) for track, t in zip(self.tracks, tap, strict=True))
            yield (..., *tap), (..., *reads)

    @property
    def margins(self) -> tuple[tuple[int, int], ...]:
        return tuple((track.before, track.after) for track in self.tracks)

    def pad(self, x: Array, value: float) -> Array:
        margins = [(track.before, track.after + track.beyond) for track in self.tracks]
        return np.pad(x, [(0, 0), (0, 0), *margins], constant_values=value)

    def unpad(self, padded: Array) -> Array:
        kept: Any = (..., *(slice(t.before, t.before + t.n) for t in self.tracks))
        x: Array = padded[kept]
        return x


def slide(
    x: Array, kernel_size: Any, stride: Any, padding: Any, dilation: Any = 1, ceil: bool = False
) -> Slide:
    """How a kernel with these fields slides over x."""
    sizes = x.shape[2:]
    fields = [each(field, len(sizes)) for field in (kernel_size, stride, padding, dilation)]
    axes = zip(sizes, *fields, strict=True)
    return Slide(tuple(_track(n, k, s, p, d, ceil) for n, k, s, p, d in axes))


def _track(n: int, kernel_size: int, stride: int, padding: Any, dilation: int, ceil: bool) -> Track:
    span = dilation * (kernel_size - 1) + 1
    before, after = _margins(padding, n, span, stride)
    starts = _starts(before + n + after, span, stride)
    beyond = 0
    if ceil and starts[-1] + span < before + n + after and starts[-1] + stride < before + n:
        # One window more: it begins in the picture, and reads further than anything lies.
        starts = range(0, starts[-1] + stride + 1, stride)
        beyond = starts[-1] + span - (before + n + after)
    return Track(n, before, after, beyond, kernel_size, dilation, starts)


def _starts(n: int, span: int, stride: int) -> range:
    return range(0, n - span + 1, stride)


def _margins(padding: Any, n: int, span: int, stride: int) -> tuple[int, int]:
    """Before and after; an odd position of `same` and `preserve` after, of `same_lower` before.

    `same` is the least that gives ⌈n / stride⌉ outputs, `preserve` lets the n-th window end with
    the last position, `causal` lets no output see ahead.
    """
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return span - 1, 0
    if padding == "preserve":
        # 2 p = n (s - 1) + f - s: the last window then ends with the last position.
        total = (n - 1) * stride + span - n
        return total // 2, total - total // 2
    if padding in ("same", "same_lower"):
        wanted = math.ceil(n / stride)
        total = next(t for t in count() if len(_starts(n + t, span, stride)) == wanted)
        less, rest = total // 2, total - total // 2
        return (less, rest) if padding == "same" else (rest, less)
    before, after = each(padding, 2)
    return before, after


def each(value: Any, axes: int) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,) * axes
