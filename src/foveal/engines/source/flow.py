"""A chain as the body of a class: the modules it keeps, and what `forward` does with them."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from foveal.engines.source.code import Chain, Entry, Expression
from foveal.engines.source.layout import WIDTH, Bracket, Text, lines, written
from foveal.engines.source.names import unused
from foveal.net.kind import Shape, shape_text

_NUMBER = re.compile(r"\{(\d+)\}")
_CALLED = re.compile(r'[\w.\[\]"]*')
BODY = 8
"""Spaces before what is inside a method."""
Tree = dict[str, "Tree | Expression"]


@dataclass
class _Statement:
    """A value of a chain, and the expression that makes it."""

    value: int
    text: str
    """With the numbers of the values that it reads in braces."""
    reads: tuple[int, ...]
    entry: Entry


def kept(chain: Chain) -> list[str]:
    """The lines of `__init__` that make what the chain keeps."""
    made: list[str] = []
    for name, module in _tree(chain).items():
        made += lines(_contained(module), BODY, before=f"self.{name} = ")
    return made


def run(chain: Chain, taken: set[str], arriving: Shape | None) -> list[str]:
    """The lines of `forward`; with what arrives also the shape of what is made where it changes."""
    shapes, shape = arriving is not None, arriving
    statements = _fused(chain, _statements(chain), shapes)
    last: dict[int, int] = {}
    for number, statement in enumerate(statements):
        last.update(dict.fromkeys(statement.reads, number))
    end = len(statements)
    last.update({value: end for _, value in chain.results})
    names, holds = {0: "x"}, {"x": 0}
    made: list[str] = []
    alone = chain.results[0][1] if len(chain.results) == 1 and not chain.results[0][0] else None
    for number, statement in enumerate(statements):
        value = statement.value
        text = _NUMBER.sub(lambda found: names[int(found[1])], statement.text)
        note = ""
        if shapes and statement.entry.shape != shape:
            note = f"  # {shape_text(statement.entry.shape)}"
        shape = statement.entry.shape
        if value == alone and number == end - 1:
            made += _line("return ", text, note)
            return made
        free = last.get(holds["x"], -1) <= number
        name = "x"
        if not free or last[value] > number + 1:
            name = _variable(statement.entry.name, taken | set(names.values()) | {"x"})
        names[value] = name
        holds[name] = value
        made += _line(f"{name} = ", text, note)
    if alone is not None:
        return [*made, f"{' ' * BODY}return {names[alone]}"]
    results = tuple(f'"{name}": {names[value]}' for name, value in chain.results)
    return [*made, *lines(Bracket("{", results, "}"), BODY, before="return ")]


def _line(before: str, text: str, note: str) -> list[str]:
    """A statement, on several lines if it is too long; the comment goes where there is room."""
    whole = f"{' ' * BODY}{before}{text}"
    if len(whole) <= WIDTH:
        return [whole + note if len(whole + note) <= WIDTH else whole]
    for sign in ("+", "*"):
        first, *others = _split(text, f" {sign} ")
        if others:
            made = [f"{before}(", f"    {first}", *(f"    {sign} {each}" for each in others), ")"]
            return [f"{' ' * BODY}{line}" for line in made]
    return lines(_bracketed(text), BODY, before=before)


def _bracketed(text: str) -> Text:
    """A call, or a list, as text that can be laid out."""
    opened = text.find("(")
    is_call = _CALLED.fullmatch(text[:opened]) and text.endswith(")")
    if is_call and _closing(text, opened) == len(text) - 1:
        inner = tuple(map(_bracketed, _split(text[opened + 1 : -1], ", ")))
        return Bracket(text[: opened + 1], inner, ")")
    if text.startswith("["):
        return Bracket("[", tuple(_split(text[1:-1], ", ")), "]")
    return text


def _split(text: str, separator: str) -> Iterator[str]:
    """The parts of a text between separators that stand in no brackets."""
    depth, start = 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0 and text.startswith(separator, place):
            yield text[start:place]
            start = place + len(separator)
    yield text[start:]


def _closing(text: str, opened: int) -> int:
    depth = 0
    for place in range(opened, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place
    return -1


def _statements(chain: Chain) -> Iterator[_Statement]:
    """A statement for each entry whose value matters."""
    wanted = {value for _, value in chain.results}
    for value in range(len(chain.entries), 0, -1):
        if value in wanted:
            wanted.update(chain.entries[value - 1].reads)
    tree = _tree(chain)
    for value, entry in enumerate(chain.entries, start=1):
        if value in wanted:
            arguments = [f"{{{number}}}" for number in entry.reads]
            if entry.function:
                text = entry.function.format(*arguments)
            else:
                text = f"self{_access(entry.place, tree)}({', '.join(arguments)})"
            yield _Statement(value, text, entry.reads, entry)


def _fused(chain: Chain, statements: Iterable[_Statement], shapes: bool) -> list[_Statement]:
    """Statements in one where that reads well: `F.relu(self.conv1(x))`, `self.a(x) + self.b(x)`."""
    every = list(statements)
    uses = Counter(value for statement in every for value in statement.reads)
    uses.update(value for _, value in chain.results)
    made: list[_Statement] = []
    for statement in every:
        first = len(made)
        while first and _joins(made[first - 1], statement) and uses[made[first - 1].value] == 1:
            first -= 1
        joined = statement
        for before in made[first:]:
            joined = _nested(before, joined)
        note = f"  # {shape_text(statement.entry.shape)}" if shapes else ""
        if BODY + len("return ") + len(joined.text) + len(note) <= WIDTH:
            del made[first:]
            statement = joined
        made.append(statement)
    return made


def _joins(before: _Statement, after: _Statement) -> bool:
    """Whether one statement may stand in the place of what the next one reads."""
    if before.value not in after.entry.reads:
        return False
    return len(after.entry.reads) > 1 or (after.entry.follows and not before.entry.closes)


def _nested(inner: _Statement, outer: _Statement) -> _Statement:
    """One statement in the place of what another reads, in parentheses where it must."""
    place = f"{{{inner.value}}}"
    before, after = outer.text.split(place)
    is_argument = before.endswith(("(", "[", ", ")) and after.startswith((")", "]", ","))
    bare = is_argument or outer.text == place or isinstance(_bracketed(inner.text), Bracket)
    text = f"{before}{inner.text if bare else f'({inner.text})'}{after}"
    reads = tuple(value for value in outer.reads if value != inner.value)
    return _Statement(outer.value, text, (*inner.reads, *reads), outer.entry)


def _variable(name: str, taken: set[str]) -> str:
    made = name.strip("_") or "value"
    if made[0].isdigit() or keyword.iskeyword(made):
        made = f"value_{made}"
    return unused(made, taken)


def _tree(chain: Chain) -> Tree:
    """What is kept, by name; what lies deeper in containers."""
    made: Tree = {}
    for entry in chain.entries:
        if entry.function or entry.module is None:
            continue
        at = made
        *above, name = entry.place
        for part in above:
            below = at.setdefault(part, {})
            assert isinstance(below, dict)
            at = below
        at[name] = entry.module
    return made


def _contained(module: Tree | Expression) -> Text:
    if not isinstance(module, dict):
        return written(module)
    parts = {name: _contained(part) for name, part in module.items()}
    if _is_list(module):
        ordered = tuple(parts[str(number)] for number in range(len(parts)))
        return Bracket("nn.ModuleList(", (Bracket("[", ordered, "]"),), ")")
    pairs = tuple(_pair(name, part) for name, part in parts.items())
    return Bracket("nn.ModuleDict(", (Bracket("{", pairs, "}"),), ")")


def _pair(name: str, part: Text) -> Text:
    if isinstance(part, str):
        return f'"{name}": {part}'
    return Bracket(f'"{name}": {part.opening}', part.parts, part.closing)


def _is_list(tree: Tree) -> bool:
    return set(tree) == {str(number) for number in range(len(tree))}


def _access(place: tuple[str, ...], tree: Tree) -> str:
    name, *below = place
    text, at = f".{name}", tree[name]
    for part in below:
        assert isinstance(at, dict)
        text += f"[{part}]" if _is_list(at) else f'["{part}"]'
        at = at[part]
    return text
