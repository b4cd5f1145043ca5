"""From the tree of a net to the parts of its drawing: one function for each combinator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from foveal.net.arithmetic import Arithmetic, Row
from foveal.net.combinators import (
    Again,
    Body,
    Branch,
    Branches,
    Chain,
    Each,
    Item,
    Named,
    Outputs,
    Reference,
    Repeat,
    branch_labels,
    children,
)
from foveal.net.drawing.parts import Card, Part, below, beside, card, framed, line
from foveal.net.drawing.words import between, elided, family, is_automatic, shapes, short, told
from foveal.net.kind import Kind, shape_text
from foveal.net.layers import Identity
from foveal.net.program import Program, Step

PLAIN = "#fff"
MOST_BRANCHES, SHOWN = 8, 4
"""Of more branches than this, so many are drawn, and the last."""


@dataclass(frozen=True)
class Turns:
    """Where the first and the last of what is drawn once lie in the program."""

    first: str = ""
    last: str = ""

    def at(self, first: str, last: str | None = None) -> Turns:
        return Turns(_join(self.first, first), _join(self.last, first if last is None else last))


@dataclass(frozen=True)
class _Entry:
    """An item of a chain, with what is drawn together with it."""

    labels: tuple[str, ...]
    body: Body
    name: str
    """A written name that says more than the kind does; else empty."""
    followers: tuple[tuple[str, Kind], ...] = ()


_Known = dict[str, Part]


@dataclass
class Layout:
    """The parts of a net, and the references between them."""

    program: Program
    arithmetic: Arithmetic
    links: list[tuple[Part, Part]] = field(default_factory=list)
    """From what is referred to, to where that is read."""

    def __post_init__(self) -> None:
        self.steps: dict[str, Step] = {step.path: step for step in self.program.steps}
        self.rows: dict[str, Row] = {row.name: row for row in self.arithmetic.rows}
        self.wanted: frozenset[str] = frozenset()
        self.totals: dict[str, int] = {}
        self.names: dict[str, dict[str, None]] = {}
        for row in self.arithmetic.rows:
            path = ""
            for name in row.name.split("."):
                self.names.setdefault(path, {})[name] = None
                path = _join(path, name)
                self.totals[path] = self.totals.get(path, 0) + row.parameters

    def parts(self, root: Chain) -> list[Part]:
        """What stands one below the other in the drawing."""
        self.wanted = frozenset(_targets(root))
        return self.chain(root, Turns(), {})

    def chain(self, chain: Chain, turns: Turns, around: _Known) -> list[Part]:
        known = dict(around)
        parts: list[Part] = []
        for entry in self.entries(chain):
            made = self.entry(entry, turns, known)
            parts += made
            for label in entry.labels:
                known[label] = parts[-1] if parts else line()
            for label, _ in entry.followers:
                known[label] = parts[-1]
        return parts

    def entries(self, chain: Chain) -> Iterator[_Entry]:
        """The items of a chain, with activations taken to their layers and equal groups together.

        What is referred to ends a box, so that the line from it begins where it should.
        """
        items = [
            (label, body, isinstance(item, Named) and not is_automatic(label, _word(body)))
            for (label, body), item in zip(chain.labelled(), chain.items, strict=True)
        ]
        place = 0
        while place < len(items):
            label, body, written = items[place]
            labels = [label]
            followers: list[tuple[str, Kind]] = []
            place += 1
            if _is_folded(body):
                while place < len(items) and items[place][1:] == (body, written):
                    if self.wanted.intersection((labels[-1], items[place][0])):
                        break
                    labels.append(items[place][0])
                    place += 1
            if isinstance(body, Kind | Branches) and len(labels) == 1:
                inner = isinstance(body, Kind) or not written
                while inner and place < len(items):
                    after, kind, named = items[place]
                    last = followers[-1][0] if followers else label
                    if named or last in self.wanted or not _follows(kind):
                        break
                    assert isinstance(kind, Kind)
                    followers.append((after, kind))
                    place += 1
            name = _listed(labels) if written else ""
            yield _Entry(tuple(labels), body, name, tuple(followers))

    def entry(self, entry: _Entry, turns: Turns, known: _Known) -> list[Part]:
        """The parts of one item; none where nothing is computed."""
        body, labels = entry.body, entry.labels
        here = turns.at(labels[0], labels[-1])
        if len(labels) > 1:
            return [self.folded(entry, turns, known)]
        match body:
            case Kind():
                return [self.layer(body, entry, turns)]
            case Chain():
                return [self.group(entry.name, body, here, known)]
            case Repeat(inner, times):
                return self.repeat(entry.name, inner, times, here, known)
            case Branches():
                bare = replace(entry, name="")
                part = self.branches(body, bare, turns, known)
                return [framed(entry.name, self.cost(here), part)] if entry.name else [part]
            case Outputs(parts):
                part = self.outputs(parts, here, known)
                return [framed(entry.name, self.cost(here), part)] if entry.name else [part]
            case Each(inner):
                return [self.each(entry.name, inner, here, known)]
            case Reference(name):
                return [self.link(f"@{name}", entry.name, (), known[name], reads=False)]
            case Again(name):
                made = [self.steps[path] for path in self.below([here.first])]
                return [self.link(f"again {name}", entry.name, made, known[name], reads=True)]
        raise TypeError(f"cannot be drawn: {body!r}")

    def layer(self, kind: Kind, entry: _Entry, turns: Turns) -> Part:
        """The box of a layer and of what follows it."""
        followers = entry.followers
        if isinstance(kind, Identity) and not entry.name and not followers:
            step = self.steps[turns.at(entry.labels[0]).first]
            tip = told(step, self.rows[step.path])
            return card(Card("", ("identity",), "", tip))
        return card(self.card(kind, entry, turns))

    def card(self, kind: Kind, entry: _Entry, turns: Turns) -> Card:
        places = [turns.at(label) for label in (entry.labels[0], *(n for n, _ in entry.followers))]
        first = [self.steps[place.first] for place in places]
        last = [self.steps[place.last] for place in places]
        named = f"{entry.name}: " if entry.name else ""
        lines = []
        if entry.followers:
            said = (short(step.kind, len(step.shape) - 1) for step in first[1:])
            lines.append(elided(" · ".join(said)))
        cost = between(*(f"{_parameters(steps):,}" for steps in (first, last)))
        made = shapes(first[-1].shape, last[-1].shape)
        lines.append(made if cost == "0" else f"{made} · {cost}")
        tip = "\n".join(told(step, self.rows[step.path]) for step in first)
        title = elided(named + short(kind, len(first[0].ins[0]) - 1))
        return Card(title, tuple(lines), family(kind).fill, tip, first[-1].shape)

    def group(self, name: str, chain: Chain, here: Turns, known: _Known) -> Part:
        """A chain with a name: a frame, or the name in the box if it is all in one box."""
        entries = list(self.entries(chain))
        body = entries[0].body
        if len(entries) == 1 and isinstance(body, Kind) and not entries[0].name:
            only = replace(entries[0], name=name)
            return self.layer(body, only, here)
        part = below(self.chain(chain, here, known))
        return framed(name, self.cost(here), part) if name else part

    def repeat(self, name: str, body: Chain, times: int, here: Turns, known: _Known) -> list[Part]:
        if times == 0:
            return []
        parts = self.chain(body, here.at("0", str(times - 1)), known)
        if times == 1 and not name:
            return parts
        title = f"{name} ×{times}" if times > 1 else name
        return [framed(title.strip(), self.cost(here), below(parts))]

    def folded(self, entry: _Entry, turns: Turns, known: _Known) -> Part:
        """Equal groups one after another, drawn once."""
        here = turns.at(entry.labels[0], entry.labels[-1])
        bare = replace(entry, name="")
        match entry.body:
            case Branches():
                part = self.branches(entry.body, bare, turns, known, last=entry.labels[-1])
            case Chain():
                part = below(self.chain(entry.body, here, known))
            case Repeat(body, times):
                part = below(self.repeat("", body, times, here, known))
            case _:
                raise TypeError(f"is not drawn together: {entry.body!r}")
        total = sum(self.totals.get(_join(turns.first, label), 0) for label in entry.labels)
        title = f"{entry.name} ×{len(entry.labels)}".strip()
        return framed(title, _cost(total), part)

    def branches(
        self, body: Branches, entry: _Entry, turns: Turns, known: _Known, last: str | None = None
    ) -> Part:
        here = turns.at(entry.labels[0], last)
        parts = self.sides(body.branches, here, known)
        return beside(parts, card(self.card(body.merge, entry, turns)))

    def sides(self, branches: tuple[Branch, ...], here: Turns, known: _Known) -> list[Part]:
        """The branches side by side; of many, some are only told where the pointer rests."""
        labels = branch_labels(branches)
        left_out = labels[SHOWN:-1] if len(labels) > MOST_BRANCHES else []
        sides = []
        for number, (label, chain) in enumerate(labels):
            if number == SHOWN and left_out:
                sides.append(self.more([here.at(name).first for name, _ in left_out]))
            if (label, chain) not in left_out:
                name = label if isinstance(branches[number], Named) else ""
                sides.append(self.group(name, chain, here.at(label), known))
        return sides

    def more(self, paths: Sequence[str]) -> Part:
        """A box for branches that have no room."""
        tip = "\n".join(told(self.steps[row], self.rows[row]) for row in self.below(paths))
        return card(Card(f"{len(paths)} more", ("branches like these",), PLAIN, tip))

    def outputs(self, branches: tuple[Branch, ...], here: Turns, known: _Known) -> Part:
        """Several results, each with its name below it."""
        labels = branch_labels(branches)
        parts = [below(self.chain(chain, here.at(label), known)) for label, chain in labels]
        ends = [card(Card(label, (), PLAIN, f"the result {label}")) for label, _ in labels]
        return beside(parts, None, ends)

    def each(self, name: str, body: Chain, here: Turns, known: _Known) -> Part:
        """One chain for several results."""
        names = list(self.names.get(here.first, {})) or [""]
        part = below(self.chain(body, here.at(names[0], names[-1]), known))
        title = f"{name}: each" if name else "each"
        return framed(title, f"of {', '.join(names)}", part)

    def link(
        self, title: str, name: str, made: Sequence[Step], source: Part, *, reads: bool
    ) -> Part:
        """A small box that stands for what was made elsewhere."""
        tip = "\n".join(told(step, self.rows[step.path]) for step in made)
        lines = (shape_text(made[-1].shape),) if made else ()
        title = f"{name}: {title}" if name else title
        part = card(Card(elided(title), lines, PLAIN, tip, dashed=True), reads=reads)
        self.links.append((source, part))
        return part

    def below(self, paths: Sequence[str]) -> list[str]:
        """The paths of all steps in some groups."""
        starts = tuple(f"{path}." for path in paths)
        return [path for path in self.steps if f"{path}.".startswith(starts)]

    def cost(self, here: Turns) -> str:
        return _cost(self.totals.get(here.first, 0))


def _parameters(steps: Sequence[Step]) -> int:
    """Those that the steps use, shared or not."""
    return sum(tensor.size for step in steps for tensor in step.tensors if tensor.trained)


def _cost(total: int) -> str:
    return f"{total:,} parameters" if total else ""


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name


def _word(body: Body) -> str:
    return body.merge.word if isinstance(body, Branches) else body.word


def _follows(body: Body) -> bool:
    return isinstance(body, Kind) and family(body).follows


def _is_folded(body: Body) -> bool:
    """Whether equal ones in a row may be drawn once: they are large, and each reads the last."""
    return isinstance(body, Chain | Repeat | Branches) and not any(_targets(body))


def _targets(node: Item) -> Iterator[str]:
    """The names that a tree refers to."""
    if isinstance(node, Reference | Again):
        yield node.name
    for child in children(node):
        yield from _targets(child)


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels) if len(labels) < 4 else f"{labels[0]} … {labels[-1]}"
