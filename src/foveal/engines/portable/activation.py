"""Activations in ONNX."""

from __future__ import annotations

from foveal.engines.portable.graph import Nodes, Row
from foveal.net.kind import Kind
from foveal.net.layers import ReLU, Sigmoid, Softmax, Tanh


def relu(nodes: Nodes[ReLU], x: str) -> str:
    return nodes.node("Relu", x)


def tanh(nodes: Nodes[Tanh], x: str) -> str:
    return nodes.node("Tanh", x)


def sigmoid(nodes: Nodes[Sigmoid], x: str) -> str:
    return nodes.node("Sigmoid", x)


def softmax(nodes: Nodes[Softmax], x: str) -> str:
    return nodes.node("Softmax", x, axis=1)


ROWS: dict[type[Kind], Row] = {ReLU: relu, Tanh: tanh, Sigmoid: sigmoid, Softmax: softmax}
