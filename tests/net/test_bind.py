"""`bind`: paths, values, sharing and references of a program, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from foveal.errors import ShapeError, SpecError
from foveal.net import Net
from foveal.net.combinators import Combinator, Each, chain
from foveal.net.kind import Shape
from foveal.net.layers import ReLU
from foveal.net.notation import parse
from foveal.net.program import Program


def bound(text: str, *shape: int) -> Program:
    return parse(text).bind(shape or (3, 8, 8))


def paths(text: str, *shape: int) -> list[str]:
    return [step.path for step in bound(text, *shape).steps]


def test_paths_are_names_from_the_root() -> None:
    assert paths("conv 4 3 -> relu -> conv 4 3") == ["conv1", "relu1", "conv2"]
    assert paths("stem: [conv 4 3 -> c: conv 4 3]") == ["stem.conv1", "stem.c"]
    assert paths("[relu -> tanh]*2") == [
        "repeat1.0.relu1",
        "repeat1.0.tanh1",
        "repeat1.1.relu1",
        "repeat1.1.tanh1",
    ]
    assert paths("add( identity | a: [relu -> tanh] )") == [
        "add1.0.identity1",
        "add1.a.relu1",
        "add1.a.tanh1",
        "add1",
    ]


def test_values_are_numbered_in_the_order_they_are_made() -> None:
    steps = bound("relu -> add( @relu1 | tanh )").steps
    assert [(step.inputs, step.output) for step in steps] == [((0,), 1), ((1,), 2), ((1, 2), 3)]


def test_a_repeat_of_nothing_is_nothing() -> None:
    program = bound("relu -> [conv 4 3]*0")
    assert len(program.steps) == 1
    assert program.result_shapes() == {"": (3, 8, 8)}


def test_a_reference_reads_the_value_and_costs_no_step() -> None:
    program = bound("a: conv 4 3 -> relu -> @a -> tanh")
    assert [step.inputs for step in program.steps] == [(0,), (1,), (1,)]


def test_inner_names_are_seen_inside_and_hidden_outside() -> None:
    assert paths("a: relu -> [@a -> tanh]*2")[-1] == "repeat1.1.tanh1"
    with pytest.raises(SpecError):
        bound("[a: relu]*2 -> @a")


def test_again_uses_weights_once_more() -> None:
    program = bound("c: conv 3 3 same -> again c")
    assert [step.owner for step in program.steps] == ["c", "c"]
    assert list(program.tensors()) == ["c.weight", "c.bias"]
    assert program.steps[1].tensor_paths() == {"weight": "c.weight", "bias": "c.bias"}


def test_again_of_a_group_shares_all_of_it() -> None:
    program = bound("g: [conv 3 1 -> bn] -> again g")
    assert [(step.path, step.owner) for step in program.steps[2:]] == [
        ("again1.conv1", "g.conv1"),
        ("again1.batchnorm1", "g.batchnorm1"),
    ]


def test_each_shares_one_set_of_weights_among_results() -> None:
    program = bound("outputs( a: [relu] | b: [maxpool 2] ) -> each( conv 2 1 )")
    assert program.result_shapes() == {"a": (2, 8, 8), "b": (2, 4, 4)}
    assert [step.owner for step in program.steps[2:]] == ["each1.conv1", "each1.conv1"]


def test_results_of_results_have_dotted_names() -> None:
    text = "outputs( a: [relu] | b: [tanh] ) -> each( outputs( x: [relu] | y: [relu] ) )"
    assert list(bound(text).result_shapes()) == ["a.x", "a.y", "b.x", "b.y"]


def test_values_are_kept_until_their_last_use_and_results_for_good() -> None:
    assert bound("a: relu -> tanh -> add( @a | identity )").last_use == {0: 0, 1: 3, 2: 2, 3: 3}


ERRORS: list[tuple[str, Shape, str]] = [
    (
        "relu -> @c",
        (3,),
        "@c: no step before this one has this name\n  fix:      known: relu1",
    ),
    (
        "@c -> relu",
        (3,),
        "@c: no step before this one has this name\n  fix:      name a step: c4: conv 8 3",
    ),
    (
        "stem: relu -> again stern",
        (3,),
        "again stern: no step before this one has this name\n  fix:      did you mean 'stem'?",
    ),
    (
        "relu -> each( relu )",
        (3,),
        "each1: needs several results before it\n  fix:      outputs( … | … )",
    ),
    (
        "outputs( a: [relu] | b: [relu] ) -> tanh",
        (3,),
        "tanh1: reads one value, but 2 results arrive: a, b\n"
        "  fix:      each( … ) to treat all alike",
    ),
    (
        "add( relu | outputs( relu | tanh ) )",
        (3,),
        "add1: reads one value, but 2 results arrive: 0, 1\n"
        "  fix:      each( … ) to treat all alike",
    ),
    (
        "c: conv 3 3 -> conv 4 1 -> again c",
        (3, 9, 9),
        "layer 3 'again1' (Conv): shares the weights of 'c', but other shapes arrive\n"
        "  arrives:  4x7x7\n  expected: 3x9x9\n"
        "  fix:      the same number of channels at both places",
    ),
    (
        "a: local 3 3 same -> maxpool 2 -> again a",
        (3, 8, 8),
        "layer 3 'again1' (LocallyConnected): shares the weights of 'a', but other shapes arrive\n"
        "  arrives:  3x4x4\n  expected: 3x8x8\n"
        "  fix:      the same number of positions along each axis at both places",
    ),
    (
        "outputs( a: [relu] | b: [maxpool 2] ) -> each( flatten -> dense 3 )",
        (3, 8, 8),
        "layer 6 'each1.b.dense1' (Dense): shares the weights of 'each1.a.dense1', but other"
        " shapes arrive\n  arrives:  48\n  expected: 192\n"
        "  fix:      the same number of features at both places",
    ),
    (
        "relu -> input uint8",
        (3, 9, 9),
        "layer 2 'input1' (Input): stands only at the beginning of a net\n"
        "  fix:      take input out, or move it to the front",
    ),
    (
        "relu",
        (),
        "input: must be one to four whole numbers above 0, not ()\n"
        "  fix:      channels first, such as (3, 32, 32); one number for flat features",
    ),
    (
        "relu",
        (1, 2, 3, 4, 5),
        "input: must be one to four whole numbers above 0, not (1, 2, 3, 4, 5)\n"
        "  fix:      channels first, such as (3, 32, 32); one number for flat features",
    ),
    (
        "relu",
        (3, 0),
        "input: must be one to four whole numbers above 0, not (3, 0)\n"
        "  fix:      channels first, such as (3, 32, 32); one number for flat features",
    ),
]


@pytest.mark.parametrize(("text", "shape", "sentence"), ERRORS)
def test_refusals(text: str, shape: Shape, sentence: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(text).bind(shape)
    assert str(caught.value) == sentence


def test_errors_of_layers_keep_their_type_and_name_the_place() -> None:
    with pytest.raises(ShapeError) as caught:
        bound("[relu]*2 -> head: dense 3")
    assert caught.value.where == "layer 3 'head' (Dense)"
    assert caught.value.arrives == "3x8x8 from layer 2 'repeat1.1.relu1'"


def test_groups_that_double_at_every_level_are_refused_before_memory_is_gone() -> None:
    doubled = [f"a{n}: [again a{n - 1} -> again a{n - 1}]" for n in range(1, 64)]
    with pytest.raises(SpecError) as caught:
        bound("\n".join(["a0: relu", *doubled]))
    assert str(caught.value) == "net: unrolls to more than 100,000 steps"


def test_results_that_double_at_every_level_are_refused() -> None:
    doubled = [f"a{n}: outputs( @a{n - 1} | @a{n - 1} )" for n in range(1, 64)]
    with pytest.raises(SpecError) as caught:
        bound("\n".join(["a0: relu", *doubled]))
    assert str(caught.value) == "a10: has more than 1,000 results"


def test_a_combinator_that_bind_does_not_know_is_refused() -> None:
    @dataclass(frozen=True)
    class Loop(Combinator):
        word = "loop"

    with pytest.raises(SpecError) as caught:
        Net.of(Loop()).bind((3,))  # type: ignore[arg-type]
    assert str(caught.value).startswith("loop1: cannot be bound: ")


def test_each_in_python_is_the_each_of_the_notation() -> None:
    assert parse("outputs( relu | tanh ) -> each( relu )").root.items[1] == Each(chain(ReLU()))
