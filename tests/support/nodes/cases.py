"""The node tests that the installed `onnx` package generates."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import onnx
from onnx.backend.test.case.test_case import TestCase
from onnx.backend.test.loader import load_model_tests

Array = np.ndarray[Any, Any]
SEVERAL = "(several)"
"""Stands for the operator of a test whose graph has not one node."""


@dataclass(frozen=True)
class Node:
    """One node with what it reads and what it must make."""

    name: str
    """Of the test, without `test_`."""
    op: str
    said: Mapping[str, Any]
    """Its attributes."""
    reads: tuple[Any, ...]
    """Its inputs in order; None for one that is left out."""
    makes: tuple[Any, ...]
    rtol: float
    atol: float

    @property
    def x(self) -> Array:
        """What is computed on."""
        return self.read(0)

    def read(self, index: int) -> Array:
        """An input that must be there."""
        assert self.has(index), f"{self.name} has no input {index}"
        return np.asarray(self.reads[index])

    def has(self, index: int) -> bool:
        return index < len(self.reads) and self.reads[index] is not None

    def number(self, name: str, default: float) -> str:
        """An attribute, or what the standard says it is, in our notation."""
        return written(self.said.get(name, default))

    def axis(self, default: int) -> int:
        """The attribute `axis`, counted from the front."""
        axis: int = self.said.get("axis", default)
        return axis % self.x.ndim


def written(number: float) -> str:
    """A number in our notation, with all its digits."""
    return repr(float(number))


@lru_cache(maxsize=1)
def nodes() -> tuple[Node, ...]:
    """Every node test there is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package divides by zero to have infinities
        found = load_model_tests(kind="node")
    return tuple(map(_node, found))


def _node(case: TestCase) -> Node:
    name = case.name.removeprefix("test_")
    assert case.model is not None
    assert case.data_sets is not None
    graph = case.model.graph
    if len(graph.node) != 1:
        return Node(name, SEVERAL, {}, (), (), case.rtol, case.atol)
    (node,), (data,) = graph.node, case.data_sets
    given = dict(zip((value.name for value in graph.input), data[0], strict=True))
    said = {made.name: onnx.helper.get_attribute_value(made) for made in node.attribute}
    reads = tuple(given.get(value) for value in node.input)
    return Node(name, node.op_type, said, reads, tuple(data[1]), case.rtol, case.atol)
