"""Expressions as text, laid out as `ruff format` lays them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from foveal.engines.source.code import Call, Chain, Expression, Number, Parameter, Repeated, Value

WIDTH = 100
INDENT = 4
FEW = 3
"""So many equal or growing elements are written one by one."""


@dataclass(frozen=True)
class Bracket:
    """Text with parts that go to lines of their own where one line is too short."""

    opening: str
    parts: tuple[Text, ...]
    closing: str


Text = str | Bracket


def lines(text: Text, indent: int, before: str = "", after: str = "") -> list[str]:
    """The lines of a text with something before and after it."""
    margin = " " * indent
    whole = f"{margin}{before}{flat(text)}{after}"
    if isinstance(text, str) or len(whole) <= WIDTH or not text.parts:
        return [whole]
    first, last = f"{margin}{before}{text.opening}", f"{margin}{text.closing}{after}"
    together = f"{margin}{' ' * INDENT}{', '.join(map(flat, text.parts))}"
    if len(together) <= WIDTH:
        return [first, together, last]
    made = [first]
    for part in text.parts:
        made += lines(part, indent + INDENT, after=",")
    return [*made, last]


def flat(text: Text) -> str:
    if isinstance(text, str):
        return text
    return f"{text.opening}{', '.join(map(flat, text.parts))}{text.closing}"


def written(expression: Expression) -> Text:
    """An expression as text.

    Raises:  ValueError for a chain that only a class can be
    """
    match expression:
        case str():
            return expression
        case Number(value) if isinstance(value, tuple):
            return Bracket("(", tuple(map(number, value)), ",)" if len(value) == 1 else ")")
        case Number(value):
            return number(value)
        case Parameter(name):
            return name
        case Call(name, arguments, after):
            given = tuple(keyworded(word, written(value)) for word, value in arguments)
            return Bracket(f"{name}(", given, f"){after}")
        case Repeated(element, count):
            if isinstance(count, Number) and isinstance(count.value, int) and count.value <= FEW:
                return Bracket("nn.Sequential(", (written(element),) * count.value, ")")
            return _many(flat(written(element)), "_", f"range({flat(written(count))})")
        case Chain(entries) if not entries:
            return "nn.Identity()"
        case Chain(entries) if expression.is_straight:
            modules = [entry.module for entry in entries if entry.module is not None]
            if entries[0].place[0].isdigit():
                return _row(modules)
            named = zip((entry.place[0] for entry in entries), map(written, modules), strict=True)
            return Bracket("chain(", tuple(keyworded(*pair) for pair in named), ")")
    raise ValueError(expression)


def number(value: Value) -> str:
    """A number as it is written in code.

    >>> number(1e-6), number(0.5), number(3)
    ('1e-6', '0.5', '3')
    """
    return repr(value).replace("e-0", "e-")


def keyworded(word: str, text: Text) -> Text:
    if not word:
        return text
    if isinstance(text, str):
        return f"{word}={text}"
    return Bracket(f"{word}={text.opening}", text.parts, text.closing)


def _row(modules: Sequence[Expression]) -> Text:
    """Elements one after another; a number that grows evenly is counted."""
    growing = _growing(modules)
    if growing is not None:
        return _many(*growing)
    return Bracket("nn.Sequential(", tuple(map(written, modules)), ")")


def _growing(modules: Sequence[Expression]) -> tuple[str, str, str] | None:
    """The element, its number and the range, if more than a few elements differ in one number."""
    calls = [module for module in modules if isinstance(module, Call)]
    if len(calls) <= FEW or len(calls) < len(modules) or len({call.name for call in calls}) > 1:
        return None
    columns = list(zip(*(call.arguments for call in calls), strict=True))
    moving = [n for n, column in enumerate(columns) if len(set(column)) > 1]
    if len(moving) != 1:
        return None
    values = [v.value for _, v in columns[moving[0]] if isinstance(v, Number)]
    whole = [value for value in values if isinstance(value, int)]
    if len(whole) < len(calls) or len({b - a for a, b in pairwise(whole)}) > 1:
        return None
    step = whole[1] - whole[0]
    _, varied = calls[0].arguments[moving[0]]
    name = varied.role if isinstance(varied, Number) and varied.role else "n"
    arguments = list(calls[0].arguments)
    arguments[moving[0]] = ("", name)
    element = flat(written(Call(calls[0].name, tuple(arguments))))
    return element, name, f"range({whole[0]}, {whole[-1] + step}, {step})"


def _many(element: str, name: str, numbers: str) -> Text:
    return Bracket("nn.Sequential(", (f"*({element} for {name} in {numbers})",), ")")
