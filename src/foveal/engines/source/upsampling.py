"""Upsampling, written for PyTorch."""

from __future__ import annotations

from foveal.engines.source.code import Piece, Rows, call, plain, quoted
from foveal.net.layers import Upsample
from foveal.net.program import Step

LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}
"""By the number of spatial axes."""


def upsampling(step: Step, shared: bool) -> tuple[Piece, ...]:
    kind = step.kind
    assert isinstance(kind, Upsample)
    factors = kind.factors(step.ins)
    if kind.mode == "linear":
        mode, corners = quoted(LINEAR[len(factors)]), kind.align_corners
        scale = plain(tuple(map(float, factors)))
        module = call("nn.Upsample", {}, scale_factor=scale, mode=mode, align_corners=corners)
        said = f"scale_factor={scale}, mode={mode}, align_corners={corners}"
        return (Piece(module, f"F.interpolate({{0}}, {said})"),)
    if all(factor & factor - 1 == 0 for factor in factors):
        scale = plain(tuple(map(float, factors)))
        module = call("nn.Upsample", {}, scale_factor=scale)
        return (Piece(module, f"F.interpolate({{0}}, scale_factor={scale})"),)
    # By any other factor PyTorch divides in float32, and may round a position down.
    return tuple(
        Piece(None, f"torch.repeat_interleave({{0}}, {factor}, {axis})", f"axis{axis}")
        for axis, factor in enumerate(factors, start=2)
        if factor > 1
    )


ROWS: Rows = {Upsample: upsampling}
