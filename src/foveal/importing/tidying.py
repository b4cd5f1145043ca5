"""What an importer leaves out or joins, so that a net reads as it was meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from foveal.net.kind import Merge
from foveal.net.layers import (
    Concat,
    Flatten,
    GlobalAvgPool,
    GlobalLpPool,
    GlobalMaxPool,
    GlobalMinPool,
    GlobalSumPool,
    Identity,
)

if TYPE_CHECKING:
    from foveal.importing.graph import Node

_GLOBAL_POOLS = (GlobalAvgPool, GlobalMaxPool, GlobalMinPool, GlobalSumPool, GlobalLpPool)


def tidy(
    nodes: Sequence[Node], start: str, results: Mapping[str, str]
) -> tuple[list[Node], dict[str, str]]:
    """The nodes that results need, depth first, without those that do nothing; and the results."""
    nodes, results = _without_idle(nodes, results)
    nodes = _flattened(_in_order(_nested(nodes), start, results), results)
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
    known: dict[tuple[str, ...], str] = {}
    made = []
    for node in nodes:
        if isinstance(node.kind, Concat):
            values = node.inputs
            for count in range(len(values) - 1, 1, -1):
                if values[:count] in known:
                    node = replace(node, inputs=(known[values[:count]], *values[count:]))
                    break
            known.setdefault(values, node.output)
        made.append(node)
    return made


def _in_order(nodes: Sequence[Node], start: str, results: Mapping[str, str]) -> list[Node]:
    """What results need, each branch of a merge as a whole before the next."""
    made = {node.output: node for node in nodes}
    ordered: dict[str, Node] = {}
    waiting = [(value, False) for value in reversed(results.values())]
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


def _flattened(nodes: Sequence[Node], results: Mapping[str, str]) -> list[Node]:
    """A global pool that keeps its axes, only to be flattened, does not keep them."""
    made = {node.output: node for node in nodes}
    readers: dict[str, int] = {}
    for value in (*(value for node in nodes for value in node.inputs), *results.values()):
        readers[value] = readers.get(value, 0) + 1
    gone = set()
    for node in nodes:
        before = made.get(node.inputs[0])
        if isinstance(node.kind, Flatten) and before and readers[before.output] == 1:
            kind = before.kind
            if isinstance(kind, _GLOBAL_POOLS) and kind.keep:
                pooled = replace(before, kind=replace(kind, keep=False), output=node.output)
                made[node.output] = pooled
                gone.add(before.output)
    return [made[node.output] for node in nodes if node.output not in gone]


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
