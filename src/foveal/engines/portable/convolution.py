"""Convolution in ONNX."""

from __future__ import annotations

from foveal.engines.portable.graph import Nodes, Row
from foveal.net.kind import Kind, Pads
from foveal.net.layers import Conv


def conv(nodes: Nodes[Conv], x: str) -> str:
    windows = nodes.kind.windows(nodes.step.ins)
    return nodes.node(
        "Conv",
        x,
        *nodes.weights(),
        kernel_shape=[axis.kernel_size for axis in windows],
        strides=[axis.stride for axis in windows],
        dilations=[axis.dilation for axis in windows],
        pads=onnx_pads(nodes.step.pads),
        group=nodes.kind.groups,
    )


def onnx_pads(pads: Pads) -> list[int]:
    """Padding in ONNX's order: before on every axis, then after on every axis."""
    return [before for before, _ in pads] + [after for _, after in pads]


ROWS: dict[type[Kind], Row] = {Conv: conv}
