"""Fully connected layers and flattening, written for PyTorch."""

from __future__ import annotations

from foveal.engines.source.code import Piece, Rows, call
from foveal.engines.source.filters import work
from foveal.net.layers import Dense, Flatten
from foveal.net.program import Step


def dense(step: Step, shared: bool) -> tuple[Piece, ...]:
    kind = step.kind
    assert isinstance(kind, Dense)
    worked = work(kind, kind.out_features)
    module = call(
        "WorkedOnLinear" if worked else "nn.Linear",
        {"in_features": step.ins[0][0], "out_features": kind.out_features},
        bias=None if kind.bias else False,
        **worked,
        after=".requires_grad_(False)" if kind.frozen else "",
    )
    return (Piece(module),)


def flatten(step: Step, shared: bool) -> tuple[Piece, ...]:
    return (Piece(call("nn.Flatten", {}), "torch.flatten({0}, 1)"),)


ROWS: Rows = {Dense: dense, Flatten: flatten}
