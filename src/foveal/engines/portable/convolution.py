"""Convolution in ONNX, with the weights as they are used."""

from __future__ import annotations

from foveal.engines.portable.graph import Nodes, Row
from foveal.engines.portable.padding import onnx_pads, padded
from foveal.net.kind import Kind
from foveal.net.layers import Conv, Depthwise


def conv(nodes: Nodes[Conv], x: str) -> str:
    return _conv(nodes, x, nodes.kind.groups)


def depthwise(nodes: Nodes[Depthwise], x: str) -> str:
    return _conv(nodes, x, nodes.step.ins[0][0])


def _conv(nodes: Nodes[Conv] | Nodes[Depthwise], x: str, groups: int) -> str:
    windows, pads, fill = nodes.kind.windows(nodes.step.ins), nodes.step.pads, nodes.kind.fill
    if fill != 0:
        x = padded(nodes, x, nodes.step.ins[0][1:], pads, fill)
        pads = ((0, 0),) * len(pads)
    return nodes.node(
        "Conv",
        x,
        *nodes.weights(),
        kernel_shape=[axis.kernel_size for axis in windows],
        strides=[axis.stride for axis in windows],
        dilations=[axis.dilation for axis in windows],
        pads=onnx_pads(pads),
        group=groups,
    )


ROWS: dict[type[Kind], Row] = {Conv: conv, Depthwise: depthwise}
