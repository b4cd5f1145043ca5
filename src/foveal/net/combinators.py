"""How layer kinds are put together: chains, repeats, branches, names and references.

Combinators exist only in the tree; `bind` turns them into a flat list of steps.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from foveal.checks import LARGEST
from foveal.errors import SpecError
from foveal.net.kind import Kind, Merge

MOST_DEPTH = 64
MOST_STEPS = 100_000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Combinator:
    """A node of the tree that holds other nodes."""

    word: ClassVar[str]


@dataclass(frozen=True)
class Chain(Combinator):
    """Steps one after another."""

    items: tuple[Item, ...]

    word: ClassVar[str] = "chain"

    def __post_init__(self) -> None:
        if not self.items:
            raise SpecError("a chain needs at least one step", fix="write identity for a short way")
        for item in self.items:
            if isinstance(item, Chain) or not isinstance(item, Kind | Combinator):
                raise SpecError(
                    f"a chain holds layers and combinators, not {item!r}",
                    fix="build chains with foveal.net.chain(), which joins chains within chains",
                )
            if isinstance(item, Merge):
                raise SpecError(f"needs branches: {item.word}( … | … )", where=item.word)
        _check_size(self)
        seen: set[str] = set()
        for name in (name for name, _ in self.labelled() if name):
            if name in seen:
                raise SpecError(
                    f"two steps of one chain are called '{name}'",
                    fix="another name for one of them (unnamed steps are called kind and number)",
                )
            seen.add(name)

    def labelled(self) -> Iterator[tuple[str, Body]]:
        """Each item without its name, beside its written or automatic one; references have none."""
        count: dict[str, int] = {}
        for item in self.items:
            body = item.body if isinstance(item, Named) else item
            word = _word(body)
            count[word] = count.get(word, 0) + 1
            if isinstance(item, Named):
                yield item.name, body
            else:
                yield "" if isinstance(item, Reference) else f"{word}{count[word]}", body


@dataclass(frozen=True)
class Named(Combinator):
    """A name for one step or one group."""

    name: str
    body: Body

    word: ClassVar[str] = "name"

    def __post_init__(self) -> None:
        _check_name(self.name)
        if isinstance(self.body, Named):
            raise SpecError(
                f"is already called {self.body.name}", where=self.name, fix="keep one of the names"
            )


@dataclass(frozen=True)
class Repeat(Combinator):
    """The same chain several times, each time with weights of its own."""

    body: Chain
    times: int

    word: ClassVar[str] = "repeat"

    def __post_init__(self) -> None:
        _check_chain(self.word, self.body)
        if type(self.times) is not int or not 0 <= self.times <= LARGEST:
            raise SpecError(f"must be a whole number from 0, not {self.times!r}", where="repeat")
        if _count(self) > MOST_STEPS:
            raise _too_many(_count(self))


@dataclass(frozen=True)
class Branches(Combinator):
    """Several chains that read the same value, joined by a merging kind."""

    merge: Merge
    branches: tuple[Branch, ...]

    word: ClassVar[str] = "branches"

    def __post_init__(self) -> None:
        if not isinstance(self.merge, Merge):
            raise SpecError(
                f"does not join branches: {self.merge!r}", where=self.word, fix="Add() or Concat()"
            )
        object.__setattr__(self, "branches", _checked(self.merge.word, self.branches))


@dataclass(frozen=True)
class Outputs(Combinator):
    """Several named results of the same value."""

    branches: tuple[Branch, ...]

    word: ClassVar[str] = "outputs"

    def __post_init__(self) -> None:
        object.__setattr__(self, "branches", _checked(self.word, self.branches))


@dataclass(frozen=True)
class Each(Combinator):
    """One chain with one set of weights, applied to each of several results."""

    body: Chain

    word: ClassVar[str] = "each"

    def __post_init__(self) -> None:
        _check_chain(self.word, self.body)


@dataclass(frozen=True)
class Reference(Combinator):
    """The value of an earlier named step: `@name`."""

    name: str

    word: ClassVar[str] = "reference"

    def __post_init__(self) -> None:
        _check_name(self.name)


@dataclass(frozen=True)
class Again(Combinator):
    """An earlier named step or group once more, with the same weights."""

    name: str

    word: ClassVar[str] = "again"

    def __post_init__(self) -> None:
        _check_name(self.name)


Body = Kind | Chain | Repeat | Branches | Outputs | Each | Reference | Again
Item = Body | Named
Branch = Chain | Named


def chain(*items: Item) -> Chain:
    """A chain; unnamed chains among the items dissolve into it.

    >>> from foveal.net.layers import Conv, ReLU
    >>> chain(chain(Conv(8, 3), ReLU()), Conv(8, 3)) == chain(Conv(8, 3), ReLU(), Conv(8, 3))
    True
    """
    flat: list[Item] = []
    for item in items:
        flat += item.items if isinstance(item, Chain) else [item]
    return Chain(tuple(flat))


def named(name: str, *items: Item) -> Named:
    """A name for one step, or for the group of several."""
    if len(items) == 1 and not isinstance(items[0], Named):
        return Named(name, items[0])
    return Named(name, chain(*items))


def repeat(times: int, *items: Item) -> Repeat:
    """The items several times, each with weights of its own."""
    return Repeat(chain(*items), times)


def branches(merge: Merge, *parts: Item) -> Branches:
    """Parallel branches joined by a merging kind: `branches(Add(), Identity(), chain(…))`."""
    return Branches(merge, tuple(map(branch, parts)))


def branch(part: Item) -> Branch:
    """A branch is a chain, or a named chain; a named step alone is a chain of one."""
    if isinstance(part, Chain) and len(part.items) == 1:
        part = part.items[0]
    if isinstance(part, Chain) or (isinstance(part, Named) and isinstance(part.body, Chain)):
        return part
    return chain(part)


def branch_labels(parts: tuple[Branch, ...]) -> list[tuple[str, Chain]]:
    """Each branch's chain, beside its name or its number."""
    labels: list[tuple[str, Chain]] = []
    for number, part in enumerate(parts):
        if isinstance(part, Named) and isinstance(part.body, Chain):
            labels.append((part.name, part.body))
        elif isinstance(part, Chain):
            labels.append((str(number), part))
    return labels


def children(node: Item) -> tuple[Item, ...]:
    """The nodes directly inside a node."""
    match node:
        case Chain(items):
            return items
        case Named(body=body):
            return (body,)
        case Repeat(body=body) | Each(body=body):
            return (body,)
        case Branches(branches=parts) | Outputs(branches=parts):
            return parts
        case _:
            return ()


def _word(body: Item) -> str:
    if isinstance(body, Branches):
        return body.merge.word
    return body.word


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SpecError(
            f"must be letters, digits and underscores, not {name!r}",
            where="name",
            fix="start with a letter; no dots or spaces",
        )


def _check_chain(word: str, body: object) -> None:
    if not isinstance(body, Chain):
        raise SpecError(f"holds a chain, not {body!r}", where=word, fix="chain(…)")


def _checked(word: str, parts: tuple[Item, ...]) -> tuple[Branch, ...]:
    """Branches in their one form, with different names."""
    if not parts:
        raise SpecError("needs branches", where=word, fix=f"{word}( … | … )")
    made = tuple(branch(part) for part in parts)
    names = [name for name, _ in branch_labels(made)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise SpecError(f"two branches are called {sorted(twice)[0]}", where=word)
    return made


def _check_size(node: Item) -> None:
    depth = _depth(node)
    if depth > MOST_DEPTH:
        raise SpecError(f"is nested more than {MOST_DEPTH} deep", where="net")
    count = _count(node)
    if count > MOST_STEPS:
        raise _too_many(count)


def _too_many(count: int) -> SpecError:
    return SpecError(f"has {count:,} steps, more than {MOST_STEPS:,}", where="net")


def _depth(node: Item) -> int:
    below = children(node)
    nested = 0 if isinstance(node, Chain | Named | Kind) else 1
    return nested + max(map(_depth, below), default=0)


def _count(node: Item) -> int:
    if isinstance(node, Kind):
        return 1
    inner = sum(map(_count, children(node)))
    if isinstance(node, Repeat):
        return inner * node.times
    return inner + (not isinstance(node, Chain | Named))
