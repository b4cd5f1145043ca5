"""How layers are put together in Python: canonical forms, names, limits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from foveal.errors import SpecError
from foveal.net import Net
from foveal.net.combinators import (
    Again,
    Branches,
    Chain,
    Each,
    Named,
    Outputs,
    Reference,
    Repeat,
    branch,
    branch_labels,
    branches,
    chain,
    children,
    named,
    repeat,
)
from foveal.net.layers import Add, Conv, ReLU, Tanh
from foveal.net.notation import parse


def test_chains_within_chains_dissolve() -> None:
    assert chain(chain(ReLU(), chain(Tanh())), ReLU()) == Chain((ReLU(), Tanh(), ReLU()))


def test_a_name_for_one_step_is_no_group() -> None:
    assert named("a", ReLU()).body == ReLU()
    assert named("a", ReLU(), Tanh()).body == chain(ReLU(), Tanh())


def test_branches_are_chains_whatever_they_are_given_as() -> None:
    made = branches(Add(), ReLU(), chain(ReLU()), named("a", ReLU(), Tanh()))
    assert made.branches == (chain(ReLU()), chain(ReLU()), named("a", ReLU(), Tanh()))
    assert [name for name, _ in branch_labels(made.branches)] == ["0", "1", "a"]
    assert branch(ReLU()) == chain(ReLU())


def test_children_are_what_a_node_holds() -> None:
    body = chain(ReLU())
    for node in (named("a", ReLU(), Tanh()), Repeat(body, 2), Each(body), Outputs((body,))):
        assert len(children(node)) == 1
    assert children(ReLU()) == children(Again("a")) == children(Reference("a")) == ()


def test_unnamed_steps_are_called_kind_and_number_names_counted() -> None:
    made = chain(ReLU(), named("a", ReLU()), ReLU(), Reference("a"), branches(Add(), ReLU()))
    assert [name for name, _ in made.labelled()] == ["relu1", "a", "relu3", "", "add1"]


def test_with_names_keeps_every_path() -> None:
    net = parse("relu -> [conv 3 1 -> a: [relu -> tanh]]*2 -> add( relu | b: [relu -> relu] )")
    written = net.with_names()
    paths = [step.path for step in net.bind((3, 4, 4)).steps]
    assert [step.path for step in written.bind((3, 4, 4)).steps] == paths
    assert written.with_names() == written


def test_then_adds_at_the_end() -> None:
    assert parse("relu").then(Tanh(), ReLU()) == parse("relu -> tanh -> relu")


def nested(depth: int) -> Net:
    made = chain(ReLU())
    for _ in range(depth):
        made = chain(Repeat(made, 1))
    return Net(made)


def test_limits_are_legal() -> None:
    assert len(nested(64).bind((3,)).steps) == 1
    assert repeat(100_000, ReLU()).times == 100_000


TWICE = "another name for one of them (unnamed steps are called kind and number)"
CHAIN = "build chains with foveal.net.chain(), which joins chains within chains"
LETTERS = "start with a letter; no dots or spaces"
ERRORS: list[tuple[Callable[[], object], str]] = [
    (
        lambda: chain(),
        "a chain needs at least one step\n  fix:      write identity for a short way",
    ),
    (
        lambda: chain(3),  # type: ignore[arg-type]
        f"a chain holds layers and combinators, not 3\n  fix:      {CHAIN}",
    ),
    (
        lambda: Chain((chain(ReLU()),)),
        f"a chain holds layers and combinators, not Chain(items=(ReLU(),))\n  fix:      {CHAIN}",
    ),
    (lambda: chain(Add()), "add: needs branches: add( … | … )"),
    (
        lambda: chain(named("a", ReLU()), named("a", ReLU())),
        f"two steps of one chain are called 'a'\n  fix:      {TWICE}",
    ),
    (
        lambda: chain(named("relu2", ReLU()), ReLU()),
        f"two steps of one chain are called 'relu2'\n  fix:      {TWICE}",
    ),
    (
        lambda: named("a b", ReLU()),
        f"name: must be letters, digits and underscores, not 'a b'\n  fix:      {LETTERS}",
    ),
    (
        lambda: Reference("a.b"),
        f"name: must be letters, digits and underscores, not 'a.b'\n  fix:      {LETTERS}",
    ),
    (
        lambda: Again(""),
        f"name: must be letters, digits and underscores, not ''\n  fix:      {LETTERS}",
    ),
    (
        lambda: Named("a", Named("b", ReLU())),  # type: ignore[arg-type]
        "a: is already called b\n  fix:      keep one of the names",
    ),
    (lambda: repeat(-1, ReLU()), "repeat: must be a whole number from 0, not -1"),
    (lambda: repeat(True, ReLU()), "repeat: must be a whole number from 0, not True"),
    (
        lambda: Repeat(ReLU(), 2),  # type: ignore[arg-type]
        "repeat: holds a chain, not ReLU()\n  fix:      chain(…)",
    ),
    (
        lambda: Each(ReLU()),  # type: ignore[arg-type]
        "each: holds a chain, not ReLU()\n  fix:      chain(…)",
    ),
    (
        lambda: Branches(ReLU(), (chain(ReLU()),)),  # type: ignore[arg-type]
        "branches: does not join branches: ReLU()\n  fix:      Add() or Concat()",
    ),
    (lambda: Branches(Add(), ()), "add: needs branches\n  fix:      add( … | … )"),
    (lambda: Outputs(()), "outputs: needs branches\n  fix:      outputs( … | … )"),
    (
        lambda: branches(Add(), named("a", ReLU(), ReLU()), named("a", Tanh(), ReLU())),
        "add: two branches are called a",
    ),
    (
        lambda: Net(ReLU()),  # type: ignore[arg-type]
        "a net is made of a chain, not ReLU()\n  fix:      Net.of(…)",
    ),
    (lambda: nested(65), "net: is nested more than 64 deep"),
    (lambda: repeat(100_001, ReLU()), "net: has 100,001 steps, more than 100,000"),
    (
        lambda: chain(repeat(1000, repeat(100, Conv(3, 3))), ReLU()),
        "net: has 100,001 steps, more than 100,000",
    ),
]


@pytest.mark.parametrize(("make", "sentence"), ERRORS)
def test_refusals(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(SpecError) as caught:
        make()
    assert str(caught.value) == sentence
