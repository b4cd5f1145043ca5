"""Transposed convolution in ONNX."""

from __future__ import annotations

from foveal.engines.portable.graph import Nodes, Row
from foveal.engines.portable.padding import onnx_pads
from foveal.net.kind import Kind
from foveal.net.layers import ConvTranspose


def conv_transpose(nodes: Nodes[ConvTranspose], x: str) -> str:
    axes = nodes.kind.axes(nodes.step.ins)
    return nodes.node(
        "ConvTranspose",
        x,
        *nodes.weights(),
        kernel_shape=[axis.kernel_size for axis in axes],
        strides=[axis.stride for axis in axes],
        dilations=[axis.dilation for axis in axes],
        pads=onnx_pads(nodes.step.pads),
        output_padding=[axis.more for axis in axes],
        group=nodes.kind.groups,
    )


ROWS: dict[type[Kind], Row] = {ConvTranspose: conv_transpose}
