"""Transposed convolution in ONNX."""

from __future__ import annotations

from foveal.engines.portable.graph import Nodes, Row
from foveal.engines.portable.padding import onnx_pads, padded
from foveal.net.kind import Kind
from foveal.net.layers import ConvTranspose


def conv_transpose(nodes: Nodes[ConvTranspose], x: str) -> str:
    """Positions that output_padding adds are cut off less, or are empty but for the bias.

    onnxruntime refuses some output_padding that the operator allows, so it is not used.
    """
    axes = nodes.kind.axes(nodes.step.ins)
    cut = tuple((axis.before, max(axis.after - axis.more, 0)) for axis in axes)
    empty = tuple((0, max(axis.more - axis.after, 0)) for axis in axes)
    weight, *bias = nodes.weights()
    lengthened = any(map(any, empty))
    y = nodes.node(
        "ConvTranspose",
        x,
        weight,
        *([] if lengthened else bias),
        kernel_shape=[axis.kernel_size for axis in axes],
        strides=[axis.stride for axis in axes],
        dilations=[axis.dilation for axis in axes],
        pads=onnx_pads(cut),
        group=nodes.kind.groups,
    )
    if not lengthened:
        return y
    y = padded(nodes, y, (), empty, 0.0)
    return nodes.node("Add", y, _column(nodes, bias[0])) if bias else y


def _column(nodes: Nodes[ConvTranspose], bias: str) -> str:
    """The bias with an axis of 1 for each axis of the map."""
    axes = len(nodes.step.shape) - 1
    return nodes.node("Reshape", bias, nodes.whole(-1, *(1,) * axes))


ROWS: dict[type[Kind], Row] = {ConvTranspose: conv_transpose}
