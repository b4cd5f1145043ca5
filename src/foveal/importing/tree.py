"""From a graph to the tree of a Net: chains, branches from fork to join, and references.

A chain is cut where one value is all that is still needed: everything after it can be said of that
value alone. Between two cuts lies one step, or branches that a merge joins. What several branches
need stands before them as steps of the chain, and is read from there as `@name`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from foveal.importing.naming import Names, owns
from foveal.importing.node import Node
from foveal.net import Net
from foveal.net.combinators import (
    MOST_DEPTH,
    Again,
    Branch,
    Branches,
    Chain,
    Item,
    Named,
    Outputs,
    Reference,
    chain,
    named,
)
from foveal.net.kind import Merge
from foveal.net.layers import Identity

DEEPEST = MOST_DEPTH // 2
"""Branches within branches, below which everything is said by references instead."""
SOME_LOOKS, LOOKS_FOR_EACH = 10_000, 16
"""At nodes, in search of branches. Published nets need two for each of theirs; a graph that is so
woven that it needs more is said by references too."""


class _Results(Merge):
    """Stands for `outputs`, while the tree grows."""

    word = "outputs"


def grow(
    nodes: Sequence[Node], start: str, results: Mapping[str, str]
) -> tuple[Net, dict[str, Node]]:
    """The net of nodes, and the node of each name of a step that owns tensors.

    The nodes stand in an order in which each comes after those it reads.
    """
    tree = _Tree(nodes, start, results)
    tree.root()  # finds out which values are referred to; those get names
    return Net(chain(*tree.root())), tree.owners()


class _Tree:
    def __init__(self, nodes: Sequence[Node], start: str, results: Mapping[str, str]) -> None:
        self.nodes = list(nodes)
        self.start, self.results = start, results
        self.shares = any(node.shares for node in nodes)
        self.referred: set[str] = set()
        self.looks = 0
        """How many nodes may still be looked at in search of branches."""
        names = Names()
        ordered = sorted(nodes, key=lambda node: not owns(node.kind))
        self.names = {node.output: names.give(node.name, node.kind.word) for node in ordered}
        self.names[start] = names.give("start", Identity.word)
        labels = Names()
        self.labels = ["" if name.isdigit() else labels.give(name, "result") for name in results]

    def owners(self) -> dict[str, Node]:
        return {self.names[node.output]: node for node in self.nodes if owns(node.kind)}

    def root(self) -> list[Item]:
        self.looks = SOME_LOOKS + LOOKS_FOR_EACH * len(self.nodes)
        begin: list[Item] = []
        if self.start in self.referred:
            begin = [named(self.names[self.start], Identity())]
        nodes, ends = self.nodes, list(self.results.values())
        if len(ends) > 1:
            nodes = [*nodes, _results(self.nodes, ends)]
            ends = [nodes[-1].output]
        items = self.chain(nodes, ends, self.start, False, 0)
        return [*begin, *items] or [Identity()]

    def chain(
        self, nodes: Sequence[Node], ends: Collection[str], current: str, known: bool, depth: int
    ) -> list[Item]:
        """Steps that make `ends`, all of them in this very chain, from the current value.

        `known` says whether that value may be referred to already.
        """
        kept = self.kept(nodes, {*ends, current} if known else set(ends), current, depth)
        items: list[Item] = []
        for part in _cut(nodes, kept, current):
            items += self.part(part, current, current in kept, depth)
            current = part[-1].output
        return items

    def kept(self, nodes: Sequence[Node], ends: set[str], current: str, depth: int) -> set[str]:
        """Values to be referred to, so that each of them and of the ends is a cut."""
        kept = ends
        while depth < DEEPEST and self.looks > 0:
            self.looks -= len(nodes)
            more: set[str] = set()
            for node, live in _living(nodes, kept, current):
                if node.output in kept:
                    more |= live - {node.output}
            if self.shares:
                more |= self.shared_elsewhere(nodes, kept, current) - kept
            if not more:
                return kept
            kept = kept | more
        return {current, *(node.output for node in nodes)}

    def shared_elsewhere(self, nodes: Sequence[Node], kept: set[str], current: str) -> set[str]:
        """Nodes inside one part whose weights another part uses: `again` must find their names."""
        parts = list(_cut(nodes, kept, current))
        at = {node.output: number for number, part in enumerate(parts) for node in part}
        inside = at.keys() - {part[-1].output for part in parts}
        return {
            node.shares
            for node in nodes
            if node.shares in inside and at[node.shares] != at[node.output]
        }

    def part(self, nodes: Sequence[Node], current: str, known: bool, depth: int) -> list[Item]:
        """One step, or the branches of a merge, after the steps that several branches need."""
        *inner, last = nodes
        if not isinstance(last.kind, Merge):
            return [*self.read(last.inputs[0], current), self.named(last, self.body(last))]
        own, shared = _parted(last.inputs, inner)
        items: list[Item] = []
        if shared:
            before = {current, *(node.output for node in shared)}
            later = [*(node for each in own for node in each), last]
            read = {value for node in later for value in (*node.inputs, node.shares)}
            items = self.chain(shared, read & before, current, known, depth)
            current, known = shared[-1].output, True
        bodies = []
        for value, each in zip(last.inputs, own, strict=True):
            if each:
                bodies.append(chain(*self.chain(each, [value], current, known, depth + 1)))
            else:
                bodies.append(chain(*(self.read(value, current) or [Identity()])))
        if isinstance(last.kind, _Results):
            return [*items, Outputs(tuple(map(_labelled, self.labels, bodies)))]
        return [*items, self.named(last, Branches(last.kind, tuple(bodies)))]

    def body(self, node: Node) -> Item:
        return Again(self.names[node.shares]) if node.shares else node.kind

    def named(self, node: Node, body: Item) -> Item:
        owner = owns(node.kind) and not node.shares
        if owner or node.output in self.referred:
            return named(self.names[node.output], body)
        return body

    def read(self, value: str, current: str) -> list[Item]:
        if value == current:
            return []
        self.referred.add(value)
        return [Reference(self.names[value])]


def _results(nodes: Sequence[Node], values: Sequence[str]) -> Node:
    """A node that reads all results; it makes a value that no other makes."""
    output = max((node.output for node in nodes), key=len, default="") + "'"
    return Node("", _Results(), tuple(values), output)


def _labelled(name: str, body: Chain) -> Branch:
    """A result with its name; one without is called by its number."""
    return Named(name, body) if name else body


def _living(
    nodes: Sequence[Node], kept: Collection[str], current: str
) -> Iterator[tuple[Node, set[str]]]:
    """After each node the values that later ones read, without those that are kept."""
    last = {value: place for place, node in enumerate(nodes) for value in node.inputs}
    live = {current} - set(kept)
    for place, node in enumerate(nodes):
        if node.output not in kept:
            live.add(node.output)
        live -= {value for value in node.inputs if last[value] == place}
        yield node, live


def _cut(nodes: Sequence[Node], kept: Collection[str], current: str) -> Iterator[list[Node]]:
    """The parts of a chain: each ends where its last value is all that is still needed."""
    part: list[Node] = []
    for node, live in _living(nodes, kept, current):
        part.append(node)
        if live <= {node.output}:
            yield part
            part = []


def _parted(values: Sequence[str], nodes: Sequence[Node]) -> tuple[list[list[Node]], list[Node]]:
    """The nodes that only one of the values needs, for each value; and those that several need."""
    several = len(values)
    needs: dict[str, int] = {}
    for number, value in enumerate(values):
        needs[value] = several if value in needs else number
    parts: list[list[Node]] = [[] for _ in range(several + 1)]
    for node in reversed(nodes):
        number = needs[node.output]
        parts[number].append(node)
        for value in (*node.inputs, node.shares):
            needs[value] = number if needs.get(value, number) == number else several
    *own, shared = (part[::-1] for part in parts)
    return own, shared
