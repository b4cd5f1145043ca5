"""Padding for the oracles, from a kind's fields and the arriving tensor alone."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F


def margins(kind: Any, x: torch.Tensor, stride: Any, dilation: Any = 1) -> list[int]:
    """Padding for `F.pad`, last axis first; `same` by the formula TensorFlow documents."""
    made: list[int] = []
    fields = (kind.kernel_size, stride, dilation, kind.padding)
    for n, k, s, d, p in zip(x.shape[2:], *(each(f, x.ndim - 2) for f in fields), strict=True):
        span = (k - 1) * d + 1
        match p:
            case "valid":
                p = 0
            case "same" | "same_lower":
                total = max(span - (n % s or s), 0)
                sides = (total // 2, total - total // 2)
                p = sides if p == "same" else sides[::-1]
            case "preserve":
                half, odd = divmod(n * (s - 1) + span - s, 2)
                p = (half, half + odd)
            case "causal":
                p = (span - 1, 0)
        made = [*each(p, 2), *made]
    return made


def filled(kind: Any, x: torch.Tensor) -> torch.Tensor:
    """What arrives with the padding of a kind around it."""
    sides = margins(kind, x, kind.stride, kind.dilation)
    if not any(sides):
        return x
    if isinstance(kind.fill, str):
        return F.pad(x, sides, mode=kind.fill)
    return F.pad(x, sides, value=kind.fill)


def each(value: Any, count: int) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,) * count
