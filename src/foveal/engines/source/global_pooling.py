"""Pooling over the whole picture, written for PyTorch."""

from __future__ import annotations

from foveal.engines.source.code import Piece, Rows, call
from foveal.net.layers import (
    GlobalAvgPool,
    GlobalLpPool,
    GlobalMaxPool,
    GlobalMinPool,
    GlobalSumPool,
)
from foveal.net.program import Step


def mean(step: Step, shared: bool) -> tuple[Piece, ...]:
    return _reduced(step, "avg", f"torch.mean({{0}}, {_axes(step)})")


def largest(step: Step, shared: bool) -> tuple[Piece, ...]:
    """By PyTorch's pooling, which gives the gradient to one of equal values, not to all."""
    pooled = f"F.adaptive_max_pool{len(_axes(step))}d({{0}}, 1)"
    if _keeps(step):
        return (Piece(call(f"nn.AdaptiveMaxPool{len(_axes(step))}d", {"output_size": 1}), pooled),)
    return _reduced(step, "max", f"torch.flatten({pooled}, 1)")


def smallest(step: Step, shared: bool) -> tuple[Piece, ...]:
    pooled = f"-F.adaptive_max_pool{len(_axes(step))}d(-{{0}}, 1)"
    return (Piece(None, pooled if _keeps(step) else f"torch.flatten({pooled}, 1)"),)


def total(step: Step, shared: bool) -> tuple[Piece, ...]:
    keep = ", keepdim=True" if _keeps(step) else ""
    return (Piece(None, f"torch.sum({{0}}, {_axes(step)}{keep})"),)


def norm(step: Step, shared: bool) -> tuple[Piece, ...]:
    assert isinstance(step.kind, GlobalLpPool)
    flat = f"p_norm(torch.flatten({{0}}, 2), {step.kind.p})"
    if not _keeps(step):
        return (Piece(None, flat),)
    axes = ", ".join(["..."] + ["None"] * len(_axes(step)))
    return (Piece(None, f"{flat}[{axes}]"),)


def _reduced(step: Step, word: str, function: str) -> tuple[Piece, ...]:
    """One piece as a function, two as modules: pooling to one position, and flattening."""
    axes = len(_axes(step))
    pool = call(f"nn.Adaptive{word.capitalize()}Pool{axes}d", {"output_size": 1})
    if _keeps(step):
        return (Piece(pool, f"F.adaptive_{word}_pool{axes}d({{0}}, 1)"),)
    return Piece(pool, function, "pool"), Piece(call("nn.Flatten", {}), "{0}")


def _axes(step: Step) -> tuple[int, ...]:
    return tuple(range(2, 1 + len(step.ins[0])))


def _keeps(step: Step) -> bool:
    return len(step.shape) > 1


ROWS: Rows = {
    GlobalMaxPool: largest,
    GlobalMinPool: smallest,
    GlobalAvgPool: mean,
    GlobalSumPool: total,
    GlobalLpPool: norm,
}
