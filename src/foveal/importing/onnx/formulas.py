"""Layers that exporters write out as formulas: found in the graph, and put in their place.

Before operator set 17 there was no layer norm, before 20 no GELU; files of those years say them in
five to nine nodes each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import pi, sqrt

import numpy as np

from foveal.importing.onnx.file import Attribute, File, Node

Formula = str | float | tuple[object, ...]
"""A word stands for any value, and for the same everywhere; a number for itself; a tuple for an
operator of formulas. What is added or multiplied may stand either way round."""

X = "x"
_EITHER_WAY = ("Add", "Mul")
_ERF = ("Add", ("Erf", ("Div", X, sqrt(2))), 1.0)
_ERF_BY_PRODUCT = ("Add", ("Erf", ("Mul", X, 1 / sqrt(2))), 1.0)
_CUBE = ("Add", X, ("Mul", ("Pow", X, 3.0), 0.044715))
_TANH = ("Add", ("Tanh", ("Mul", _CUBE, sqrt(2 / pi))), 1.0)
_LESS_MEAN = ("Sub", X, ("ReduceMean", X))
_VARIANCE = ("ReduceMean", ("Pow", _LESS_MEAN, 2.0))


def _halves(weight: Formula) -> Iterator[Formula]:
    """x times half a weight, in the orders in which exporters multiply."""
    yield ("Mul", ("Mul", X, weight), 0.5)
    yield ("Mul", ("Mul", X, 0.5), weight)
    yield ("Mul", X, ("Mul", weight, 0.5))


FORMULAS: tuple[tuple[Formula, str, Mapping[str, Attribute]], ...] = (
    *((formula, "Gelu", {}) for weight in (_ERF, _ERF_BY_PRODUCT) for formula in _halves(weight)),
    *((formula, "Gelu", {"approximate": "tanh"}) for formula in _halves(_TANH)),
    (("Div", _LESS_MEAN, ("Sqrt", ("Add", _VARIANCE, "eps"))), "LayerNormalization", {}),
)
"""Each formula with the operator that it is, and its options; `eps` is one."""
_LAST = {formula[0] for formula, _, _ in FORMULAS if isinstance(formula, tuple)}


def put_together(opened: File) -> tuple[Node, ...]:
    """The nodes of a file, those of a formula as one, where nothing else reads within it."""
    return _Search(opened).nodes()


class _Search:
    def __init__(self, opened: File) -> None:
        self.opened = opened
        self.made = {name: node for node in opened.nodes for name in node.outputs}
        self.readers = Counter(name for node in opened.nodes for name in node.inputs)

    def nodes(self) -> tuple[Node, ...]:
        found: dict[int, Node] = {}
        gone: set[int] = set()
        for node in self.opened.nodes:
            one = self._one(node) if node.op in _LAST else None
            if one:
                found[id(node)], inner = one
                gone |= inner
        kept = (node for node in self.opened.nodes if id(node) not in gone - found.keys())
        return tuple(found.get(id(node), node) for node in kept)

    def _one(self, node: Node) -> tuple[Node, set[int]] | None:
        """What a formula that ends with this node is, and the nodes that it is made of."""
        for formula, op, options in FORMULAS:
            for words, within in self._matches(node.outputs[0], formula, {}):
                if self._is_alone(within, node):
                    said = dict(options)
                    if "eps" in words:
                        said["epsilon"] = float(self._number(words["eps"]) or 0.0)
                    one = replace(node, op=op, inputs=(words[X],), attributes=said)
                    return one, {id(each) for each in within}
        return None

    def _matches(
        self, name: str, formula: Formula, words: Mapping[str, str]
    ) -> Iterator[tuple[dict[str, str], list[Node]]]:
        """Every way to read a value as a formula: what its words stand for, and its nodes."""
        if isinstance(formula, str):
            if words.get(formula, name) == name:
                yield {**words, formula: name}, []
            return
        if isinstance(formula, float):
            number = self._number(name)
            if number is not None and np.isclose(number, formula, rtol=1e-5, atol=0):
                yield dict(words), []
            return
        node = self.made.get(name)
        op, *parts = formula
        if (
            node is None
            or node.op != op
            or len(node.inputs) < len(parts)
            or not _is_over_last(node)
        ):
            return
        inputs = node.inputs[: len(parts)]
        orders = (inputs, inputs[::-1]) if op in _EITHER_WAY else (inputs,)
        for order in orders:
            yield from self._all(order, parts, words, [node])

    def _all(
        self,
        names: tuple[str, ...],
        parts: list[object],
        words: Mapping[str, str],
        within: list[Node],
    ) -> Iterator[tuple[dict[str, str], list[Node]]]:
        if not names:
            yield dict(words), within
            return
        part = parts[0]
        assert isinstance(part, str | float | tuple)
        for more, nodes in self._matches(names[0], part, words):
            yield from self._all(names[1:], parts[1:], more, [*within, *nodes])

    def _is_alone(self, within: list[Node], last: Node) -> bool:
        """Whether only the last node of a formula is read outside of it."""
        inside = {id(node): node for node in within}.values()
        reads = Counter(name for node in inside for name in node.inputs)
        names = [name for node in inside if node is not last for name in node.outputs]
        return all(self.readers[name] == reads[name] for name in names) and not set(names) & set(
            self.opened.outputs
        )

    def _number(self, name: str) -> float | None:
        """The only number of an array that is known from the beginning."""
        array: object = self.opened.arrays.get(name)
        node = self.made.get(name)
        if node and node.op == "Constant":
            array = node.attributes.get("value", node.attributes.get("value_float"))
        known = np.asarray(array) if isinstance(array, np.ndarray | float) else np.zeros(0)
        return float(known.reshape(-1)[0]) if known.size == 1 else None


def _is_over_last(node: Node) -> bool:
    """Of a mean, that it is over the last axis, which stays."""
    keeps = node.attributes.get("keepdims", 1)
    return node.op != "ReduceMean" or (node.attributes.get("axes") == (-1,) and keeps == 1)
