"""Every equation that the table of formulas and the articles' symbols write down is true."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator

import pytest
from support.kinds import ALL_EXAMPLES
from support.nets import random_net

from foveal.net import Net
from foveal.net.arithmetic import arithmetic
from foveal.net.kind import Merge, Shape
from foveal.net.program import Program
from foveal.net.symbols import symbols

SEEDS = range(200)
OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
FUNCTIONS: dict[str, Callable[[float], float]] = {"floor": math.floor, "ceil": math.ceil}
UNITS = re.compile(r" (bytes|outputs|channels|beyond)\b|\(shared with .*\)| if fully .*")


def value(text: str) -> float | None:
    """What an expression of numbers comes to; None if it is words, symbols or a shape."""
    for written, meant in (("⌊", "floor("), ("⌋", ")"), ("⌈", "ceil("), ("⌉", ")"), (",", "")):
        text = text.replace(written, meant)
    text = re.sub(r" x ", " * ", UNITS.sub("", text)).strip()
    text = re.sub(r"(\d)\(", r"\1 * (", text)
    if not text or re.search(r"[^\d\s.+*/()-]", re.sub(r"\b(floor|ceil)\b", "", text)):
        return None
    return _worked(ast.parse(text, mode="eval").body)


def _worked(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.BinOp(left, sign, right):
            return OPERATORS[type(sign)](_worked(left), _worked(right))
        case ast.Call(ast.Name(name), [argument]):
            return FUNCTIONS[name](_worked(argument))
    raise ValueError(ast.unparse(node))


def false_equations(program: Program) -> list[str]:
    return [line for line in _equations(program) if len(set(_values(line))) > 1]


def _equations(program: Program) -> Iterator[str]:
    for line in symbols(program).splitlines():
        yield from [line] if line.startswith("learnable") else line.split(", ")
    for row in arithmetic(program).rows:
        made = dict(row.formulas)
        made["sharing"] = made.pop("sharing", "").partition(" instead of ")[2]
        if row.kind == "Multiply":  # of shapes
            del made["output"]
        for formula in made.values():
            yield from re.split(r", (?!\d{3}\b)", formula)


def _values(line: str) -> list[float]:
    found = map(value, line.split(" = "))
    return [number for number in found if number is not None]


def test_what_is_false_is_found() -> None:
    assert _values("n[1] = ⌊(n[0] + 2p - f)/s + 1⌋ = ⌊(39 + 0 - 3)/2 + 1⌋ = 19") == [19, 19]
    assert _values("2(3 beyond - 1) = 2,000 bytes = 3x4") == [4, 2000]
    assert _values("floor((5 - 2) / 2) + 1 = 3") == [2, 3]
    assert _values("l[1] = (f x f + 1) x n_c[1] = (2 x 2 + 1) x 6 = 26 (shared with c)") == [30, 26]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_nets_say_nothing_false(seed: int) -> None:
    net, shape = random_net(seed)
    assert false_equations(net.bind(shape)) == []


@pytest.mark.parametrize(
    ("net", "shape"),
    [(Net.of(kind), ins[0]) for kind, ins, _ in ALL_EXAMPLES if not isinstance(kind, Merge)],
)
def test_examples_of_every_kind_say_nothing_false(net: Net, shape: Shape) -> None:
    assert false_equations(net.bind(shape)) == []
