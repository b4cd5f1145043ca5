"""The graph while it is being written: nodes and arrays, with names that cannot meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar, cast

import numpy as np

from foveal.engines.portable import wire
from foveal.net.kind import Kind
from foveal.net.program import Step

K = TypeVar("K", bound=Kind)
Row = Callable[..., str]
"""What the engine knows of a kind: `row(nodes, *names)` writes its nodes.

It gets what to write with, a `Nodes`, and the names of the values the step reads; it returns the
name of the value the step makes.
"""


class Graph:
    """Nodes in the order they run, and the arrays they use."""

    def __init__(self) -> None:
        self.nodes: list[wire.Message] = []
        self.numbers: dict[str, np.ndarray] = {}
        """Arrays that belong to the graph itself, such as sizes; the weights are not among them."""


class Nodes(Generic[K]):
    """Writes the nodes of one step.

    A tensor is called by its path, `conv1.weight`, and a value `conv1/Conv`. No path has a slash,
    so the two never meet.
    """

    def __init__(self, graph: Graph, step: Step) -> None:
        self.step = step
        self.kind = cast(K, step.kind)
        self._graph = graph
        self._count: dict[str, int] = {}

    def node(self, op: str, *inputs: str, **attributes: wire.Attribute) -> str:
        """Write one operation; the name of the value it makes."""
        name = self._name(op)
        self._graph.nodes.append(wire.node(name, op, inputs, name, attributes))
        return name

    def weights(self) -> list[str]:
        """The names of the step's tensors, in the order of its kind."""
        return list(self.step.tensor_paths().values())

    def numbers(self, array: np.ndarray) -> str:
        """The name of an array of float32 or int64 that the operations of this step need."""
        name = self._name("numbers")
        self._graph.numbers[name] = array
        return name

    def number(self, value: float) -> str:
        """The name of one number of float32."""
        return self.numbers(np.array(value, np.float32))

    def whole(self, *numbers: int) -> str:
        """The name of a list of whole numbers."""
        return self.numbers(np.array(numbers, np.int64))

    def _name(self, what: str) -> str:
        self._count[what] = count = self._count.get(what, 0) + 1
        return f"{self.step.path}/{what}{count if count > 1 else ''}"


def pass_on(nodes: Nodes[Kind], x: str) -> str:
    """The row of kinds that do nothing when the net predicts: no node."""
    return x
