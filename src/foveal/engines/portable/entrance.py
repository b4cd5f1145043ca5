"""The entrance of a net in ONNX: bytes to numbers, and cutting pictures of any size to size."""

from __future__ import annotations

import numpy as np

from foveal.engines.portable import wire
from foveal.engines.portable.graph import Nodes, Row, pass_on
from foveal.net.kind import Kind, per_axis
from foveal.net.layers import Crop, Expect, Identity, Input, Normalise, Resize


def input_(nodes: Nodes[Input], x: str) -> str:
    if nodes.kind.dtype == "float":
        return x
    axes = range(1, len(nodes.step.shape))
    channels_first = nodes.node("Transpose", x, perm=[0, len(nodes.step.shape), *axes])
    return nodes.node("Cast", channels_first, to=wire.FLOAT)


def resize(nodes: Nodes[Resize], x: str) -> str:
    axes = _spatial_axes(nodes)
    size = nodes.kind.size
    resized = nodes.node(
        "Resize",
        x,
        "",
        "",
        nodes.whole(*size) if isinstance(size, tuple) else _in_proportion(nodes, x, size),
        axes=axes,
        mode="linear",
        antialias=1,
        coordinate_transformation_mode="half_pixel",
        exclude_outside=1,  # the weights of what lies in the picture sum to 1
    )
    return nodes.node("Round", resized)


def _in_proportion(nodes: Nodes[Resize], x: str, size: int) -> str:
    """The new sizes, the shorter one given: floor((2 n size + short) / (2 short))."""
    sizes = nodes.node("Shape", x, start=2)
    short = nodes.node("ReduceMin", sizes)
    numerator = nodes.node("Add", nodes.node("Mul", sizes, nodes.whole(2 * size)), short)
    return nodes.node("Div", numerator, nodes.node("Mul", short, nodes.whole(2)))


def crop(nodes: Nodes[Crop], x: str) -> str:
    axes = _spatial_axes(nodes)
    size = nodes.whole(*per_axis(nodes.kind, "size", nodes.kind.size, len(axes)))
    spare = nodes.node("Sub", nodes.node("Shape", x, start=2), size)
    start = nodes.node("Div", spare, nodes.whole(2))
    return nodes.node("Slice", x, start, nodes.node("Add", start, size), nodes.whole(*axes))


def normalise(nodes: Nodes[Normalise], x: str) -> str:
    centred = nodes.node("Sub", x, _per_channel(nodes, nodes.kind.mean))
    return nodes.node("Div", centred, _per_channel(nodes, nodes.kind.std))


def _per_channel(nodes: Nodes[Normalise], values: tuple[float, ...]) -> str:
    axes = (1,) * (len(nodes.step.shape) - 1)
    return nodes.numbers(np.array(values, np.float32).reshape(-1, *axes))


def _spatial_axes(nodes: Nodes[Resize] | Nodes[Crop]) -> list[int]:
    return list(range(2, 1 + len(nodes.step.shape)))


ROWS: dict[type[Kind], Row] = {
    Input: input_,
    Resize: resize,
    Crop: crop,
    Normalise: normalise,
    Expect: pass_on,
    Identity: pass_on,
}
