"""Padding in PyTorch."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from foveal.net.kind import Pads


def flat_pads(pads: Pads) -> list[int]:
    """Padding as `torch.nn.functional.pad` takes it: last axis first."""
    return [side for axis in reversed(pads) for side in axis]


def padded(x: Tensor, pads: Pads, fill: float | str = 0.0) -> Tensor:
    """(N, C, ...) with its padding around it."""
    if not any(map(any, pads)):
        return x
    if isinstance(fill, str):
        return F.pad(x, flat_pads(pads), mode=fill)
    return F.pad(x, flat_pads(pads), value=fill)
