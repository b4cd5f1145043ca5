"""What an importer leaves out or joins, so that a net reads as it was meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from foveal.importing.node import Node
from foveal.net.kind import Kind, Merge
from foveal.net.layers import (
    Concat,
    Flatten,
    GlobalAvgPool,
    GlobalLpPool,
    GlobalMaxPool,
    GlobalMinPool,
    GlobalSumPool,
    HardSigmoid,
    HardSwish,
    Identity,
    Multiply,
    Normalise,
    Scale,
    Sigmoid,
    SiLU,
)

_GLOBAL_POOLS = (GlobalAvgPool, GlobalMaxPool, GlobalMinPool, GlobalSumPool, GlobalLpPool)
_GATES: Mapping[Kind, Kind] = {Sigmoid(): SiLU(), HardSigmoid(): HardSwish()}
"""What weighs its own input, and the activation that is."""


def tidy(
    nodes: Sequence[Node], start: str, results: Mapping[str, str]
) -> tuple[list[Node], dict[str, str]]:
    """The nodes that results need, depth first, without those that do nothing; and the results."""
    nodes, results = _without_idle(nodes, results)
    nodes = _joined(_in_order(_gated(_nested(nodes)), start, results), results)
    return _with_owners(nodes), dict(results)


def _without_idle(
    nodes: Sequence[Node], results: Mapping[str, str]
) -> tuple[list[Node], dict[str, str]]:
    """Identities, and merges of one value, are another name for what they read."""
    same: dict[str, str] = {}
    kept = []
    for node in nodes:
        inputs = tuple(same.get(value, value) for value in node.inputs)
        if isinstance(node.kind, Identity) or (isinstance(node.kind, Merge) and len(inputs) == 1):
            same[node.output] = inputs[0]
        else:
            kept.append(replace(node, inputs=inputs))
    return kept, {name: same.get(value, value) for name, value in results.items()}


def _nested(nodes: Sequence[Node]) -> list[Node]:
    """Concatenations that begin with all of an earlier one read its value instead.

    So DenseNet, whose layers each concatenate everything before them, becomes a chain of blocks.
    """
    numbers: dict[tuple[int, str], int] = {}
    """Of beginnings: by that of one value less, and this value."""
    whole: dict[int, str] = {}
    """What is made of a beginning that is all there is, by its number."""
    made = []
    for node in nodes:
        if isinstance(node.kind, Concat):
            number, inputs = 0, node.inputs
            for count, value in enumerate(node.inputs, 1):
                number = numbers.setdefault((number, value), len(numbers) + 1)
                if number in whole and count < len(node.inputs):
                    inputs = (whole[number], *node.inputs[count:])
            whole.setdefault(number, node.output)
            node = replace(node, inputs=inputs)
        made.append(node)
    return made


def _gated(nodes: Sequence[Node]) -> list[Node]:
    """What is multiplied by its own sigmoid is one layer."""
    gates = {node.output: node for node in nodes if node.kind in _GATES}
    made = []
    for node in nodes:
        if isinstance(node.kind, Multiply) and len(node.inputs) == 2:
            for value, gate in (node.inputs, node.inputs[::-1]):
                if gate in gates and gates[gate].inputs == (value,):
                    node = replace(node, kind=_GATES[gates[gate].kind], inputs=(value,))
                    break
        made.append(node)
    return made


def _in_order(nodes: Sequence[Node], start: str, results: Mapping[str, str]) -> list[Node]:
    """What results need, each branch of a merge as a whole before the next."""
    made = {node.output: node for node in nodes}
    ordered: dict[str, Node] = {}
    waiting = [(value, False) for value in reversed(list(results.values()))]
    while waiting:
        value, visited = waiting.pop()
        if value == start or value in ordered:
            continue
        node = made[value]
        if visited:
            ordered[value] = node
        else:
            waiting.append((value, True))
            waiting += [(needed, False) for needed in reversed(node.inputs)]
    return list(ordered.values())


def _joined(nodes: Sequence[Node], results: Mapping[str, str]) -> list[Node]:
    """Pairs that are one layer, where nothing else reads the value between them."""
    made = {node.output: node for node in nodes}
    readers = Counter([*(value for node in nodes for value in node.inputs), *results.values()])
    for node in nodes:
        before = made.get(node.inputs[0])
        if before is None or readers[before.output] > 1 or node.shares or before.shares:
            continue
        for join in _JOINS:
            if one := join(before, node):
                made[node.output] = replace(one, inputs=before.inputs, output=node.output)
                del made[before.output]
                break
    return list(made.values())


def _pooled(before: Node, node: Node) -> Node | None:
    """A global pool that keeps its axes, only to be flattened, need not keep them."""
    kind = before.kind
    if not isinstance(node.kind, Flatten) or not isinstance(kind, _GLOBAL_POOLS):
        return None
    return replace(before, kind=replace(kind, keep=False)) if kind.keep else None


def _scaled(before: Node, node: Node) -> Node | None:
    """A factor for each channel, and a number that is added to it: weight * x + bias."""
    alone = "weight" not in node.called and (node.tensors.get("weight", np.zeros(1)) == 1).all()
    if before.kind != Scale() or node.kind != Scale(bias=True) or not alone:
        return None
    called = {
        "weight": before.called.get("weight", f"{before.name}.weight"),
        "bias": node.called.get("bias", f"{node.name}.bias"),
    }
    tensors = {**before.tensors, "bias": node.tensors["bias"]}
    return replace(before, kind=node.kind, tensors=tensors, called=called)


def _normalised(before: Node, node: Node) -> Node | None:
    """A mean that is taken away, and a deviation that the rest is divided by."""
    first, second = before.kind, node.kind
    if not isinstance(first, Normalise) or not isinstance(second, Normalise):
        return None
    if set(first.std) != {1.0} or any(second.mean):
        return None
    return replace(before, kind=Normalise(first.mean, second.std))


_JOINS = (_pooled, _scaled, _normalised)


def _with_owners(nodes: Sequence[Node]) -> list[Node]:
    """Tensors belong to the first node that is left of those that share them."""
    owners: dict[str, str] = {}
    made = []
    for node in nodes:
        first = node.shares or node.output
        if first in owners:
            node = replace(node, shares=owners[first])
        else:
            owners[first] = node.output
            node = replace(node, shares="")
        made.append(node)
    return made
