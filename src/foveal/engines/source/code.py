"""What written PyTorch is made of before it is text: calls, their numbers, and chains of layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

Value: TypeAlias = int | float | tuple[int, ...] | tuple[float, ...]


@dataclass(frozen=True)
class Number:
    """A number, or several, that may differ where else the same layers stand."""

    value: Value
    role: str = field(default="", compare=False)
    """What it is called where it is used: `in_channels`."""


@dataclass(frozen=True)
class Parameter:
    """A number that a class is given when it is made."""

    name: str
    role: str = field(default="", compare=False)


@dataclass(frozen=True)
class Origin:
    """The group of the net that a call or a chain is."""

    path: tuple[str, ...]
    is_branch: bool
    arriving: tuple[int, ...]
    leaving: tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """`nn.Conv2d(3, 8, 5, padding=2)`: what is called, and each argument with its keyword."""

    name: str
    arguments: tuple[tuple[str, Expression], ...] = ()
    """An empty keyword where the place says what it is."""
    after: str = ""
    """What is called on the result, such as `.requires_grad_(False)`."""
    origin: Origin | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Entry:
    """One layer of a chain: a module that is kept, a function, or both to choose from."""

    place: tuple[str, ...]
    """Where its module lies in the tree of modules, from the chain's own."""
    module: Expression | None
    function: str
    """`F.relu({0})`, where nothing has to be kept."""
    reads: tuple[int, ...]
    """Values of the chain: 0 is what arrives, n what its n-th entry made."""
    shape: tuple[int, ...] = field(compare=False)
    name: str = field(compare=False)
    """What a variable with its value may be called."""
    follows: bool = False
    """Is written around the call before it, as `F.relu(self.conv1(x))`."""
    closes: bool = False
    """Nothing is written around it."""


@dataclass(frozen=True)
class Chain:
    """Layers in the order they run: what becomes an `nn.Sequential` or a class."""

    entries: tuple[Entry, ...]
    results: tuple[tuple[str, int], ...]
    """Name and value of each result; a single result has the empty name."""
    origin: Origin | None = field(default=None, compare=False)

    @property
    def is_straight(self) -> bool:
        """Whether every entry reads the one before it, and can be a module under its own name."""
        places = {entry.place for entry in self.entries}
        return (
            self.results == (("", len(self.entries)),)
            and len(places) == len(self.entries)  # `again` calls a module that is there
            and all(
                entry.reads == (number,) and entry.module is not None and len(entry.place) == 1
                for number, entry in enumerate(self.entries)
            )
        )


@dataclass(frozen=True)
class Repeated:
    """The same layers several times, each time with weights of their own."""

    element: Expression
    count: Number | Parameter


Expression: TypeAlias = Number | Parameter | str | Call | Chain | Repeated
"""A string stands as it is written: `False`, `"reflect"`."""


@dataclass(frozen=True)
class Piece:
    """A call that a step is written as; a step may need several, such as padding before it."""

    module: Call | None
    function: str = ""
    suffix: str = ""
    """Behind the name of the step where this is not the layer itself: `pad`."""


Row: TypeAlias = Callable[..., tuple[Piece, ...]]
"""(step, shared) -> its pieces, in the order they run; `shared` if other steps use its weights too,
on what may have another size. None for what does nothing."""
Rows: TypeAlias = Mapping[type, Row]


def call(
    name: str, positional: Mapping[str, Value], /, *, after: str = "", **options: object
) -> Call:
    """A call with its arguments by their names; options that are None are left out.

    >>> call("nn.Conv2d", {"in_channels": 3, "out_channels": 8}, bias=False).arguments[2]
    ('bias', 'False')
    """
    arguments: list[tuple[str, Expression]] = [
        ("", Number(value, role)) for role, value in positional.items()
    ]
    for keyword, value in options.items():
        if value is None:
            continue
        if isinstance(value, bool):
            arguments.append((keyword, str(value)))
        elif isinstance(value, str):
            arguments.append((keyword, value))
        elif isinstance(value, int | float | tuple):
            arguments.append((keyword, Number(value, keyword)))
    return Call(name, tuple(arguments), after)


def plain(value: Value) -> Value:
    """One number for sizes that are the same along all axes."""
    if isinstance(value, tuple) and value and len(set(value)) == 1:
        return value[0]
    return value


def option(value: Value, default: Value) -> Value | None:
    """A value, or None where it is what PyTorch takes when nothing is said."""
    return None if plain(value) == default else plain(value)


def quoted(word: str) -> str:
    return f'"{word}"'


def parts(expression: Expression) -> Iterator[Expression]:
    """The expressions directly inside one; of a chain the modules that are kept."""
    match expression:
        case Call(arguments=arguments):
            yield from (value for _, value in arguments)
        case Chain(entries=entries):
            yield from (entry.module for entry in entries if entry.module and not entry.function)
        case Repeated(element, count):
            yield element
            yield count


def rebuilt(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The same expression with what is directly inside it changed, in the order of `parts`."""
    match expression:
        case Call(arguments=arguments):
            return replace(expression, arguments=tuple((k, change(v)) for k, v in arguments))
        case Chain(entries=entries):
            return replace(expression, entries=tuple(map_modules(entries, change)))
        case Repeated(element, count):
            made = change(element)
            number = change(count)
            assert isinstance(number, Number | Parameter)
            return Repeated(made, number)
    return expression


def map_modules(
    entries: Iterable[Entry], change: Callable[[Expression], Expression]
) -> Iterator[Entry]:
    for entry in entries:
        kept = entry.module is not None and not entry.function
        yield replace(entry, module=change(entry.module)) if kept and entry.module else entry
