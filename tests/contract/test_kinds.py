"""What every layer kind promises; a new kind is tested by being in KINDS."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from functools import cache
from pathlib import Path

import pytest
from support.kinds import GENERATORS
from support.nets import random_net

from foveal import engines
from foveal.checks import Flag
from foveal.errors import NotationError, SpecError
from foveal.net import Net
from foveal.net.combinators import Branches, chain, children
from foveal.net.kind import Kind, Merge
from foveal.net.layers import KINDS
from foveal.net.notation import parse, write
from foveal.net.notation.writer import write_kind

PROJECT = Path(__file__).resolve().parents[2]
SECTIONS = ["Shape:", "Params:", "Raises:", "Source:", ">>> "]
MANY = range(500)


@cache
def examples() -> dict[type[Kind], list[Kind]]:
    """Layers of every kind from the random nets."""
    found: dict[type[Kind], list[Kind]] = {kind: [] for kind in KINDS}

    def walk(node: object) -> None:
        if isinstance(node, Kind):
            found[type(node)].append(node)
        if isinstance(node, Branches):
            found[type(node.merge)].append(node.merge)
        for child in children(node):  # type: ignore[arg-type]
            walk(child)

    for seed in MANY:
        walk(random_net(seed)[0].root)
    return found


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> type[Kind]:
    return request.param  # type: ignore[no-any-return]


def test_is_a_frozen_hashable_dataclass(kind: type[Kind]) -> None:
    layer = examples()[kind][0]
    assert is_dataclass(layer)
    assert hash(layer) == hash(replace(layer))
    for field in fields(layer):
        with pytest.raises(FrozenInstanceError):
            setattr(layer, field.name, getattr(layer, field.name))


def test_every_field_has_a_constraint(kind: type[Kind]) -> None:
    assert {field.name for field in fields(kind)} == set(kind.constraints)  # type: ignore[arg-type]
    assert set(kind.positional) <= set(kind.constraints)


def test_bad_values_are_refused_with_the_constraints_sentence(kind: type[Kind]) -> None:
    layer = examples()[kind][0]
    for name, constraint in kind.constraints.items():
        for bad in constraint.bad_values():
            with pytest.raises(SpecError) as caught:
                replace(layer, **{name: bad})
            expected = f"{kind.word} {name}: must be {constraint.sentence()}, not {bad!r}"
            assert str(caught.value) == expected


def test_bad_text_is_refused_at_its_place(kind: type[Kind]) -> None:
    for name, constraint in kind.constraints.items():
        if not isinstance(constraint, Flag):
            with pytest.raises(NotationError) as caught:
                parse(f"{kind.word} {name} -1e999")
            assert caught.value.line == 1
            assert caught.value.column in (1, len(kind.word) + len(name) + 3)


def test_text_gives_back_the_layer(kind: type[Kind]) -> None:
    for layer in examples()[kind]:
        text = f"{write_kind(layer)}( relu | relu )" if isinstance(layer, Merge) else None
        net = Net.of(layer) if text is None else parse(text)
        assert parse(write(net)) == net
        item = net.root.items[0]
        assert (item.merge if isinstance(item, Branches) else item) == layer


def test_words_are_understood_in_any_case(kind: type[Kind]) -> None:
    layer = examples()[kind][0]
    if not issubclass(kind, Merge):
        for word in (kind.word, *kind.aliases):
            text = write_kind(layer).replace(kind.word, word, 1)
            assert parse(text.upper()) == parse(text) == Net.of(layer)


@pytest.mark.parametrize("engine", engines.ENGINES)
def test_every_engine_has_exactly_one_row_for_each_kind(engine: str) -> None:
    assert set(engines.module(engine).ROWS) == set(KINDS)


def test_every_kind_is_drawn_at_least_twenty_times() -> None:
    assert set(GENERATORS) == set(KINDS)
    counts = Counter({kind: len(found) for kind, found in examples().items()})
    assert min(counts.values()) >= 20, counts.most_common()[-3:]


def test_a_third_of_the_random_nets_branch_or_repeat() -> None:
    def branches(node: object) -> bool:
        word = getattr(node, "word", "")
        return word in ("branches", "repeat") or any(map(branches, children(node)))  # type: ignore[arg-type]

    assert sum(branches(random_net(seed)[0].root) for seed in MANY) >= 0.3 * len(MANY)


def test_docstring_says_all_in_order(kind: type[Kind]) -> None:
    doc = kind.__doc__ or ""
    places = [doc.find(section) for section in SECTIONS]
    assert -1 not in places, dict(zip(SECTIONS, places, strict=True))
    assert places == sorted(places)
    assert re.match(r"[A-Z].*[.:)]\n\n", doc.replace("\n        ", " "))


def test_a_merge_joins_branches_and_nothing_else_does(kind: type[Kind]) -> None:
    layer = examples()[kind][0]
    if isinstance(layer, Merge):
        with pytest.raises(SpecError, match="needs branches"):
            chain(layer)  # type: ignore[arg-type]
    else:
        assert chain(layer).items == (layer,)


def test_a_kind_costs_the_places_that_the_page_lists() -> None:
    page = (PROJECT / "docs" / "contributing.md").read_text(encoding="utf-8")
    listed = re.findall(r"^ (src/\S+\.py) +\|", page, re.MULTILINE)
    naming = {
        str(path.relative_to(PROJECT))
        for path in (PROJECT / "src").rglob("*.py")
        if re.search(r"LocallyConnected|\bunshared\b|\bUnshared\b", path.read_text("utf-8"))
    }
    assert naming == set(listed)
    counts = re.findall(r"^ (src/\S+/unshared\.py) +\| +(\d+) ", page, re.MULTILINE)
    assert len(counts) == 5
    for file, count in counts:
        assert len((PROJECT / file).read_text("utf-8").splitlines()) == int(count), file
    assert not any(f"/{room}/" in path for path in naming for room in ("cli", "tasks", "model"))
