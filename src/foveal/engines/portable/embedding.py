"""Looking up vectors and measuring distances to them, in ONNX.

A runtime itself refuses a number of no embedding when it looks it up (onnxruntime on the processor
raises InvalidArgument, "indices element out of data bounds").
"""

from __future__ import annotations

import numpy as np

from foveal.engines.portable import wire
from foveal.engines.portable.graph import Nodes, Row
from foveal.net.kind import Kind
from foveal.net.layers import RBF, Embed


def embed(nodes: Nodes[Embed], x: str) -> str:
    if len(nodes.step.ins[0]) > 1:
        x = nodes.node("Squeeze", x, nodes.whole(1))
    found = nodes.node("Gather", *nodes.weights(), _checked(nodes, x), axis=0)
    axes = range(1, len(nodes.step.shape))
    return nodes.node("Transpose", found, perm=[0, len(nodes.step.shape), *axes])


def _checked(nodes: Nodes[Embed], x: str) -> str:
    """The numbers as indices; what is not whole or below 0 becomes one that lies outside.

    Gather would read -1 as the last vector, and Cast 2.5 as 2.
    """
    numbers = nodes.node("Cast", x, to=wire.INT64)
    whole = nodes.node("Equal", nodes.node("Cast", numbers, to=wire.FLOAT), x)
    positive = nodes.node("GreaterOrEqual", x, nodes.number(0))
    right = nodes.node("And", whole, positive)
    outside = nodes.numbers(np.array(nodes.kind.num_embeddings, np.int64))
    return nodes.node("Where", right, numbers, outside)


def rbf(nodes: Nodes[RBF], x: str) -> str:
    """By differences: the expanded square would lose what is small beside what is large."""
    apart = nodes.node("Sub", nodes.node("Unsqueeze", x, nodes.whole(1)), *nodes.weights())
    return nodes.node("ReduceSumSquare", apart, nodes.whole(2), keepdims=0)


ROWS: dict[type[Kind], Row] = {Embed: embed, RBF: rbf}
