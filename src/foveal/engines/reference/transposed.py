"""Transposed convolution by definition: every value lays its kernel down, and they add up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from foveal.engines.reference.row import Array, Arrays, Context, Row, Weights, per_channel
from foveal.engines.reference.sliding import each
from foveal.net.kind import Kind
from foveal.net.layers import ConvTranspose


@dataclass(frozen=True)
class _Track:
    """One axis: where the kernels lie, and which positions of all they cover are kept."""

    n: int
    kernel_size: int
    stride: int
    dilation: int
    kept: range

    def written_by(self, tap: int) -> slice:
        """Where one tap of every kernel writes, counted from the first kernel's first tap."""
        first = tap * self.dilation
        return slice(first, first + (self.n - 1) * self.stride + 1, self.stride)

    @property
    def covered(self) -> int:
        """Positions that kernels cover, or that are kept beyond them."""
        last = (self.n - 1) * self.stride + (self.kernel_size - 1) * self.dilation
        return max(last + 1, self.kept.stop)


def forward(kind: ConvTranspose, xs: Arrays, weights: Weights, context: Context) -> Array:
    """y[n, o, i stride + tap dilation - before] += Σ_c weight[c, o, tap] x[n, c, i], + bias[o]"""
    tracks, x = laid(kind, xs[0]), _grouped(xs[0], kind, 1)
    w = _grouped(weights["weight"], kind, 0)
    whole = np.zeros((len(x), kind.groups, w.shape[2], *(track.covered for track in tracks)))
    for tap, writes in _taps(tracks):
        whole[writes] += np.einsum("gco,ngc...->ngo...", w[tap], x)
    y: Array = whole[_kept(tracks)].reshape(len(x), kind.out_channels, *map(_length, tracks))
    return y + per_channel(weights["bias"], y) if kind.bias else y


def backward(
    kind: ConvTranspose, xs: Arrays, y: Array, weights: Weights, dy: Array, context: Context
) -> tuple[Arrays, Weights]:
    tracks, x = laid(kind, xs[0]), _grouped(xs[0], kind, 1)
    w = _grouped(weights["weight"], kind, 0)
    whole = np.zeros((len(x), kind.groups, w.shape[2], *(track.covered for track in tracks)))
    whole[_kept(tracks)] = _grouped(dy, kind, 1)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    positions = tuple(range(3, 3 + len(tracks)))
    for tap, writes in _taps(tracks):
        dx += np.einsum("gco,ngo...->ngc...", w[tap], whole[writes])
        dw[tap] = np.einsum("ngc...,ngo...->gco...", x, whole[writes]).sum(axis=positions)
    dweights = {"weight": dw.reshape(weights["weight"].shape)}
    if kind.bias:
        dweights["bias"] = dy.sum(axis=(0, *range(2, dy.ndim)))
    return (dx.reshape(xs[0].shape),), dweights


def laid(kind: ConvTranspose, x: Array) -> list[_Track]:
    sizes = x.shape[2:]
    fields = (kind.kernel_size, kind.stride, kind.dilation, kind.padding, kind.output_padding)
    return list(map(_track, sizes, *(each(field, len(sizes)) for field in fields)))


def _track(n: int, k: int, stride: int, dilation: int, padding: Any, more: int) -> _Track:
    """`same` keeps n * stride positions, from the middle of all; an odd one is cut off after
    (`same_lower`: before).
    """
    covered = (n - 1) * stride + (k - 1) * dilation + 1 + more
    if padding == "valid":
        before, stop = 0, covered
    elif padding in ("same", "same_lower"):
        less = max(covered - n * stride, 0)
        before = less // 2 if padding == "same" else less - less // 2
        stop = before + n * stride
    else:
        before, after = each(padding, 2)
        stop = covered - after
    return _Track(n, k, stride, dilation, range(before, stop))


def _taps(tracks: list[_Track]) -> Iterator[tuple[Any, Any]]:
    for tap in product(*(range(track.kernel_size) for track in tracks)):
        writes = (track.written_by(t) for track, t in zip(tracks, tap, strict=True))
        yield (..., *tap), (..., *writes)


def _kept(tracks: list[_Track]) -> Any:
    return (..., *(slice(track.kept.start, track.kept.stop) for track in tracks))


def _length(track: _Track) -> int:
    return len(track.kept)


def _grouped(array: Array, kind: ConvTranspose, axis: int) -> Array:
    """The channels of one axis as (groups, channels of each)."""
    shape = array.shape
    each_group = shape[axis] // kind.groups
    return array.reshape(*shape[:axis], kind.groups, each_group, *shape[axis + 1 :])


ROWS: dict[type[Kind], Row] = {ConvTranspose: Row(forward, backward)}
