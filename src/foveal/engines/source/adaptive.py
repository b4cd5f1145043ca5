"""Adaptive pooling, written for PyTorch."""

from __future__ import annotations

from foveal.engines.source.code import Piece, Row, Rows, call, plain
from foveal.net.layers import AdaptiveAvgPool, AdaptiveMaxPool
from foveal.net.program import Step


def pooling(word: str) -> Row:
    def row(step: Step, shared: bool) -> tuple[Piece, ...]:
        axes, size = len(step.shape) - 1, plain(step.shape[1:])
        module = call(f"nn.Adaptive{word.capitalize()}Pool{axes}d", {"output_size": size})
        return (Piece(module, f"F.adaptive_{word}_pool{axes}d({{0}}, {size})"),)

    return row


ROWS: Rows = {AdaptiveMaxPool: pooling("max"), AdaptiveAvgPool: pooling("avg")}
