"""Padding in ONNX."""

from __future__ import annotations

from typing import Any

from foveal.engines.portable.graph import Nodes
from foveal.net.kind import Pads, Shape

MODES = {"reflect": "reflect", "replicate": "edge"}


def onnx_pads(pads: Pads) -> list[int]:
    """Padding in ONNX's order: before on every axis, then after on every axis."""
    return [before for before, _ in pads] + [after for _, after in pads]


def padded(nodes: Nodes[Any], x: str, sizes: Shape, pads: Pads, fill: float | str) -> str:
    """The name of a value of these sizes with its padding around it."""
    if not any(map(any, pads)):
        return x
    if fill == "circular":
        return _circular(nodes, x, sizes, pads)
    if isinstance(fill, str):
        where = nodes.whole(0, 0, *(b for b, _ in pads), 0, 0, *(a for _, a in pads))
        return nodes.node("Pad", x, where, mode=MODES[fill])
    value, where = nodes.number(fill), nodes.whole(*onnx_pads(pads))
    # Without its axes onnxruntime makes zeros part of a pooling behind them, where they never win.
    axes = nodes.whole(*range(2, 2 + len(pads)))
    return nodes.node("Pad", x, where, value, axes, mode="constant")


def _circular(nodes: Nodes[Any], x: str, sizes: Shape, pads: Pads) -> str:
    """Before the first position the last ones, after the last the first: operators have no word."""
    for axis, (n, (before, after)) in enumerate(zip(sizes, pads, strict=True), start=2):
        parts = [x]
        if before:
            parts.insert(0, sliced(nodes, x, axis, n - before, n))
        if after:
            parts.append(sliced(nodes, x, axis, 0, after))
        x = nodes.node("Concat", *parts, axis=axis) if len(parts) > 1 else x
    return x


def sliced(nodes: Nodes[Any], x: str, axis: int, start: int, stop: int) -> str:
    """Some positions of one axis."""
    ends = (nodes.whole(number) for number in (start, stop, axis))
    return nodes.node("Slice", x, *ends)
