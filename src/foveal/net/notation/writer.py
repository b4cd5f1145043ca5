"""Net to text: one line where it fits, else a line for each named step, branches indented."""

from __future__ import annotations

from dataclasses import fields

from foveal.checks import Flag
from foveal.net.combinators import (
    Again,
    Branch,
    Branches,
    Chain,
    Each,
    Item,
    Named,
    Outputs,
    Reference,
    Repeat,
)
from foveal.net.kind import Kind
from foveal.net.net import Net

WIDTH = 100
_INDENT = "    "


def write(net: Net) -> str:
    """The text of a net; `parse` gives back an equal net.

    >>> from foveal.net.layers import Conv, ReLU
    >>> write(Net.of(Conv(32, 3, padding="same", bias=False), ReLU()))
    'conv 32 3 same no bias -> relu'
    """
    return "\n".join(_lines(net.root, WIDTH))


def write_kind(kind: Kind) -> str:
    """One layer: its word, its numbers, then what differs from the defaults."""
    parts = [kind.word]
    values = {f.name: (getattr(kind, f.name), f.default) for f in fields(kind)}
    changed = [name for name, (value, default) in values.items() if value != default]
    needed = [name for name in kind.positional if name in changed]
    leading = kind.positional[: kind.positional.index(needed[-1]) + 1] if needed else ()
    for name in (*leading, *(name for name in changed if name not in leading)):
        value = values[name][0]
        constraint = kind.constraints[name]
        text = constraint.write(value)
        if isinstance(constraint, Flag):
            parts.append(name if value else f"no {name}")
        elif name in leading or text in constraint.words:
            parts.append(text)
        else:
            parts.append(f"{name} {text}")
    return " ".join(parts)


def _flat(item: Item) -> str:
    """An item on one line."""
    match item:
        case Kind():
            return write_kind(item)
        case Chain(items):
            return " -> ".join(map(_flat, items))
        case Named(name, Chain() as body):
            return f"{name}: [{_flat(body)}]"
        case Named(name, body):
            return f"{name}: {_flat(body)}"
        case Repeat(body, times):
            return f"[{_flat(body)}]*{times}"
        case Branches(merge, parts):
            return f"{write_kind(merge)}( {_flat_branches(parts)} )"
        case Outputs(parts):
            return f"outputs( {_flat_branches(parts)} )"
        case Each(body):
            return f"each( {_flat(body)} )"
        case Reference(name):
            return f"@{name}"
        case Again(name):
            return f"again {name}"
    raise TypeError(f"cannot be written: {item!r}")


def _flat_branches(parts: tuple[Branch, ...]) -> str:
    return " | ".join(map(_flat, parts))


def _lines(chain: Chain, width: int) -> list[str]:
    """A chain as lines: unnamed layers share one while they fit."""
    flat = _flat(chain)
    if len(flat) <= width and not any(isinstance(item, Named) for item in chain.items[1:]):
        return [flat]
    lines: list[str] = []
    joinable = False
    for item in chain.items:
        text = _flat(item)
        if joinable and isinstance(item, Kind) and len(lines[-1]) + 4 + len(text) <= width:
            lines[-1] += " -> " + text
        elif len(text) <= width:
            lines.append(text)
        else:
            lines += _broken(item, width)
        joinable = isinstance(item, Kind)
    return lines


def _broken(item: Item, width: int) -> list[str]:
    """An item that is longer than a line, opened up."""
    match item:
        case Named(name, Chain() as body):
            return [f"{name}: [", *_inside(body, width), "]"]
        case Named(name, body):
            first, *rest = _broken(body, width)
            return [f"{name}: {first}", *rest]
        case Repeat(body, times):
            return ["[", *_inside(body, width), f"]*{times}"]
        case Each(body):
            return ["each(", *_inside(body, width), ")"]
        case Branches(merge, parts):
            return [f"{write_kind(merge)}(", *_branch_lines(parts, width), ")"]
        case Outputs(parts):
            return ["outputs(", *_branch_lines(parts, width), ")"]
    return [_flat(item)]


def _inside(chain: Chain, width: int) -> list[str]:
    return [_INDENT + line for line in _lines(chain, width - len(_INDENT))]


def _branch_lines(parts: tuple[Branch, ...], width: int) -> list[str]:
    lines: list[str] = []
    for number, part in enumerate(parts):
        body = _lines(part, width - 4) if isinstance(part, Chain) else _opened(part, width - 4)
        sign = "  | " if number else _INDENT
        lines += [(_INDENT if place else sign) + line for place, line in enumerate(body)]
    return lines


def _opened(part: Item, width: int) -> list[str]:
    text = _flat(part)
    return [text] if len(text) <= width else _broken(part, width)
