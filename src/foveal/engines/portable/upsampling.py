"""Upsampling in ONNX."""

from __future__ import annotations

import numpy as np

from foveal.engines.portable.graph import Nodes, Row
from foveal.net.kind import Kind
from foveal.net.layers import Upsample


def upsample(nodes: Nodes[Upsample], x: str) -> str:
    factors = nodes.kind.factors(nodes.step.ins)
    if nodes.kind.mode == "nearest":
        return _resized(nodes, x, factors, "asymmetric", mode="nearest", nearest_mode="floor")
    where = "align_corners" if nodes.kind.align_corners else "half_pixel"
    if len(factors) > 1:
        return _resized(nodes, x, factors, where, mode="linear")
    # Lines are only sure to be drawn in two and three axes.
    wide = nodes.node("Unsqueeze", x, nodes.whole(2))
    y = _resized(nodes, wide, (1, *factors), where, mode="linear")
    return nodes.node("Squeeze", y, nodes.whole(2))


def _resized(
    nodes: Nodes[Upsample], x: str, factors: tuple[int, ...], where: str, **more: str
) -> str:
    scales = nodes.numbers(np.array((1, 1, *factors), np.float32))
    return nodes.node("Resize", x, "", scales, coordinate_transformation_mode=where, **more)


ROWS: dict[type[Kind], Row] = {Upsample: upsample}
