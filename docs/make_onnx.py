"""Write the tables of the page on ONNX: python docs/make_onnx.py

They come from what the tests know: a layer of each kind written out, and the node tests of the
`onnx` package run. A table stands between `<!-- begin NAME -->` and `<!-- end NAME -->`.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx

PAGE = Path(__file__).parent / "onnx.md"
sys.path.append(str(PAGE.parent.parent / "tests"))

from support.kinds import EXAMPLES, PRECISION  # noqa: E402
from support.nodes import running, scope  # noqa: E402
from support.nodes.cases import SEVERAL, nodes  # noqa: E402
from support.steps import Drawn, draw_step, example_step  # noqa: E402

from foveal.engines import portable  # noqa: E402
from foveal.net.layers import KINDS  # noqa: E402

DRAWN = 100
"""Random layers of each kind, beside its examples: so that every operator it may need is seen."""


def kinds() -> Iterator[str]:
    """The operators that each kind becomes."""
    yield "| layer | operators | depending on its fields also | in float32 within |"
    yield "|---|---|---|---|"
    for kind in KINDS:
        random = np.random.default_rng(0)
        steps = [example_step(layer, ins) for layer, ins, _ in EXAMPLES[kind]]
        steps += [draw_step(kind, random) for _ in range(DRAWN)]
        used = [_operators(step) for step in steps]
        always = set.intersection(*map(set, used))
        every = dict.fromkeys(op for ops in used for op in ops)
        first = [op for op in every if op in always]
        also = [op for op in every if op not in always]
        cells = (f"`{kind.word}`", _words(first) or _none(also), _words(also))
        yield f"| {' | '.join(cells)} | {PRECISION.get(kind, 2e-7):.0e} |".replace("|  |", "| |")


def _operators(drawn: Drawn) -> list[str]:
    """Of one step of a net, in the order they run."""
    weights = drawn.weights(np.random.default_rng(0))
    graph = onnx.load_from_string(portable.write(drawn.program, weights, fold=False)).graph
    prefix = f"{drawn.step.path}/"
    return [node.op_type for node in graph.node if node.output[0].startswith(prefix)]


def _none(also: list[str]) -> str:
    return "" if also else "none: it passes on what arrives"


def _words(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def counts() -> Iterator[str]:
    """How many node tests pass, fail and are left out."""
    made = running.failures()
    failed = sum(map(bool, made.values()))
    yield f"| node tests of onnx {version('onnx')} | {len(nodes())} |"
    yield "|---|---|"
    yield f"| passed by all three engines | {len(made) - failed} |"
    yield f"| failed | {failed} |"
    yield f"| left out | {len(nodes()) - len(made)} |"


def passed() -> Iterator[str]:
    """By operator, how many pass."""
    yield "| operator | tests | passed | left out |"
    yield "|---|---|---|---|"
    all_of, made = Counter(node.op for node in nodes()), running.failures()
    run = Counter(node.op for node in nodes() if node.name in made)
    good = Counter(node.op for node in nodes() if node.name in made and not made[node.name])
    for op in sorted(running.IMPORTERS):
        left_out = all_of[op] - run[op] or ""
        yield f"| `{op}` | {all_of[op]} | {good[op]} | {left_out} |".replace("|  |", "| |")


def operators() -> Iterator[str]:
    """Operators without a layer, by the reason."""
    yield "| reason | tests | operators |"
    yield "|---|---|---|"
    all_of = Counter(node.op for node in nodes())
    for reason, ops in scope.OPERATORS.items():
        found = [op for op in ops.split() if op in all_of]
        cells = "names with `_expanded`" if ops == SEVERAL else _words(found)
        yield f"| {reason} | {sum(all_of[op] for op in found)} | {cells} |"


def tests() -> Iterator[str]:
    """Tests of operators that have a layer, left out by the reason."""
    yield "| reason | tests |"
    yield "|---|---|"
    for reason, names in scope.TESTS.items():
        yield f"| {reason} | {_words(names.split())} |"


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "kinds": kinds,
    "counts": counts,
    "passed": passed,
    "operators": operators,
    "tests": tests,
}


def filled() -> str:
    """The page with its tables as code and tests have them now."""
    content = PAGE.read_text(encoding="utf-8")
    for name, rows in TABLES.items():
        table = "\n".join(rows())
        place = re.compile(rf"(?<=<!-- begin {name} -->\n).*?(?=<!-- end {name} -->)", re.S)
        content = place.sub(lambda found, table=table: f"{table}\n", content)  # type: ignore[misc]
    return content


if __name__ == "__main__":
    PAGE.write_text(filled(), encoding="utf-8")
