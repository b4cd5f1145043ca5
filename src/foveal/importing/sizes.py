"""Sizes as Foveal writes them."""

from __future__ import annotations

from collections.abc import Sequence


def alike(sizes: int | Sequence[int]) -> int | tuple[int, ...]:
    """One number where all axes are alike."""
    if isinstance(sizes, int):
        return sizes
    return sizes[0] if len(set(sizes)) == 1 else tuple(sizes)
