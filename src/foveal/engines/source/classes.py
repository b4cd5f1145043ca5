"""Layers that stand at several places, written once: as a class, given what differs."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Set
from dataclasses import dataclass

from foveal.engines.source.code import (
    Call,
    Chain,
    Expression,
    Number,
    Origin,
    Parameter,
    Repeated,
    Value,
    parts,
    rebuilt,
)
from foveal.engines.source.merge import PARALLEL
from foveal.engines.source.names import camel, unused
from foveal.net.combinators import Again, Each, Outputs, Repeat
from foveal.net.layers import WORDS

FEWEST = 3
"""Layers of which a class is made when they stand somewhere else too."""
AUTOMATIC = {*WORDS, *(kind.word for kind in (Again, Each, Outputs, Repeat))}
"""Words of names that nobody has given."""
Column = tuple[Number | Parameter, ...]
"""A number at every place where the same layers stand."""
MERGES = {"Add": "Residual", "Concat": "Branches", "Multiply": "Gate"}
"""What branches are called that have no name of their own."""


@dataclass(frozen=True)
class Class:
    """A module that is written as a class."""

    name: str
    parameters: tuple[tuple[str, tuple[Value, ...]], ...]
    """Name and the values it has at the places where it is used, as far as they are numbers."""
    body: Chain | Call
    count: int


def factored(main: Chain, taken: Set[str]) -> tuple[Chain, list[Class]]:
    """The same chain with classes for what stands in it more than once, the inner ones first.

    The largest repeated part becomes a class before the parts that it is made of.
    """
    classes: list[Class] = []
    while True:
        roots: list[Expression] = [main, *(made.body for made in classes)]
        found = _most(roots)
        if found is None:
            return main, classes[::-1]
        made, changed = _factor(roots, found, taken | {each.name for each in classes})
        head, *bodies = changed
        assert isinstance(head, Chain)
        main = head
        for number, body in enumerate(bodies):
            old = classes[number]
            assert isinstance(body, Chain | Call)
            classes[number] = Class(old.name, old.parameters, body, old.count)
        classes.append(made)


def is_class(expression: Expression) -> bool:
    """Whether a chain can only be a class: its layers do not simply follow each other."""
    return (
        isinstance(expression, Chain) and bool(expression.entries) and (not expression.is_straight)
    )


def skeleton(expression: Expression) -> Hashable:
    """What two expressions have in common that differ in numbers alone."""
    match expression:
        case Number() | Parameter():
            return "#"
        case Call(name, arguments, after):
            return name, after, tuple((word, skeleton(value)) for word, value in arguments)
        case Chain(entries, results):
            return results, tuple(
                (
                    entry.place,
                    entry.reads,
                    entry.function or (entry.module is not None and skeleton(entry.module)),
                )
                for entry in entries
            )
        case Repeated(element, _):
            return "repeated", skeleton(element)
    return expression


def _most(roots: list[Expression]) -> Hashable | None:
    """The skeleton to make a class of next; None if there is none."""
    counts: Counter[Hashable] = Counter()
    sizes: dict[Hashable, int] = {}
    needed: set[Hashable] = set()
    for root in roots:
        for expression, times in _inside(root, 1):
            found = skeleton(expression)
            counts[found] += times
            sizes[found] = _size(expression)
            if is_class(expression):
                needed.add(found)
    several = {key for key, count in counts.items() if count > 1 and sizes[key] >= FEWEST}
    wanted = [key for key in counts if key in several | needed]
    return max(wanted, key=sizes.__getitem__, default=None)


def _inside(expression: Expression, times: int) -> Iterator[tuple[Expression, int]]:
    """What could be a class below an expression, and how often it is written."""
    often = 2 if isinstance(expression, Repeated) and expression.count != Number(1) else 1
    for part in parts(expression):
        if isinstance(part, Chain) and not _is_row(part):
            yield part, times * often
        if isinstance(part, Call) and part.name in PARALLEL.values():
            yield part, times * often
        yield from _inside(part, times * often)


def _is_row(chain: Chain) -> bool:
    """Elements of a repeat, which have numbers instead of names."""
    return all(entry.place[0].isdigit() for entry in chain.entries)


def _size(expression: Expression) -> int:
    """How many layers are written."""
    if isinstance(expression, Chain):
        return sum(
            _size(e.module) if e.module and not e.function else 1 for e in expression.entries
        )
    inside = sum(map(_size, parts(expression)))
    return max(inside, 1) if isinstance(expression, Call) else inside


def _factor(
    roots: list[Expression], wanted: Hashable, taken: Set[str]
) -> tuple[Class, list[Expression]]:
    """A class for all parts with a skeleton, and everything with calls of it instead."""
    places = [e for root in roots for e, _ in _inside(root, 1) if skeleton(e) == wanted]
    first = places[0]
    assert isinstance(first, Chain | Call)
    columns = list(zip(*map(_numbers, places), strict=True))
    varying = list(dict.fromkeys(filter(_varies, columns)))
    names = _parameter_names([number.role for number in _numbers(first)], columns, varying)
    name = unused(_class_name(first, [_origin(place) for place in places]), taken)

    named = iter(
        Parameter(names[column], names[column]) if column in names else column[0]
        for column in columns
    )
    body = _renumbered(first, named)
    assert isinstance(body, Chain | Call)
    values = tuple(
        (names[column], tuple(n.value for n in column if isinstance(n, Number)))
        for column in varying
    )
    firsts = [columns.index(column) for column in varying]

    def called(expression: Expression) -> Expression:
        candidate = isinstance(expression, Chain) and not _is_row(expression)
        candidate |= isinstance(expression, Call) and expression.name in PARALLEL.values()
        if not candidate or skeleton(expression) != wanted:
            return rebuilt(expression, called)
        numbers = list(_numbers(expression))
        given = [_as(numbers[n], names[c]) for n, c in zip(firsts, varying, strict=True)]
        return Call(name, tuple(("", number) for number in given), origin=_origin(expression))

    return Class(name, values, body, len(places)), [rebuilt(root, called) for root in roots]


def _varies(column: Column) -> bool:
    """Whether a class has to be given a number; always if it is one that a class was given."""
    return len(set(column)) > 1 or isinstance(column[0], Parameter)


def _as(number: Number | Parameter, role: str) -> Number | Parameter:
    if isinstance(number, Number):
        return Number(number.value, role)
    return Parameter(number.name, role)


def _numbers(expression: Expression) -> Iterator[Number | Parameter]:
    if isinstance(expression, Number | Parameter):
        yield expression
    else:
        for part in parts(expression):
            yield from _numbers(part)


def _renumbered(expression: Expression, numbers: Iterator[Number | Parameter]) -> Expression:
    if isinstance(expression, Number | Parameter):
        return next(numbers)
    return rebuilt(expression, lambda part: _renumbered(part, numbers))


def _parameter_names(
    roles: list[str], columns: list[Column], varying: list[Column]
) -> dict[Column, str]:
    """What each number is called that differs, by what it is called where it is used."""
    said: dict[Column, list[str]] = defaultdict(list)
    for role, column in zip(roles, columns, strict=True):
        said[column].append(role)
    words = [_word(said[column]) for column in varying]
    numbered: Counter[str] = Counter()
    names = {}
    for column, word in zip(varying, words, strict=True):
        numbered[word] += 1
        names[column] = f"{word}{numbered[word]}" if words.count(word) > 1 else word
    return names


def _word(roles: list[str]) -> str:
    """What a number is called that has these roles."""
    both = {"in_channels", "out_channels"} <= set(roles)
    if both or "channels" in roles:
        return "channels"
    for word in ("in_channels", "out_channels"):
        if word in roles:
            return word
    return {"num_features": "channels"}.get(roles[0], roles[0]) or "number"


def _origin(expression: Expression) -> Origin | None:
    return expression.origin if isinstance(expression, Chain | Call) else None


def _class_name(expression: Chain | Call, origins: list[Origin | None]) -> str:
    """The name that all places have in common, else what the layers are."""
    words = {_given_name(origin) for origin in origins if origin is not None}
    if len(words) == 1 and (word := words.pop()):
        return camel(word)
    return MERGES.get(expression.name, "Block") if isinstance(expression, Call) else "Block"


def _given_name(origin: Origin) -> str:
    """The last name of a path that somebody has given, without its number."""
    kind = "branch" if origin.is_branch else "block" if origin.path[-1].isdigit() else ""
    for name in reversed(origin.path):
        word = re.sub(r"\d.*$", "", name)
        if word and word not in AUTOMATIC:
            return word if kind in ("", word) else f"{word}_{kind}"
    return kind
