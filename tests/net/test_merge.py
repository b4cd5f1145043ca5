"""Branches that become one value again: gates, prototypes, and what does not fit together."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from foveal import engines
from foveal.engines.weights import initial
from foveal.errors import NotationError, ShapeError
from foveal.net.arithmetic import arithmetic
from foveal.net.kind import Shape
from foveal.net.notation import parse
from foveal.net.notation.writer import write
from foveal.net.symbols import symbols

SQUEEZE = "multiply( identity | globalavgpool keep -> conv 4 1 -> relu -> conv 64 1 -> sigmoid )"
MAKE_A_GATE = (
    "give all branches the same channels, stride and padding, or make a gate:\n"
    "            globalavgpool keep -> conv CHANNELS 1 -> sigmoid, or conv 1 1 -> sigmoid"
)
ERRORS: list[tuple[str, Shape, str]] = [
    (
        "multiply( identity | globalavgpool )",
        (8, 5, 5),
        "layer 3 'multiply1' (Multiply): branches with different numbers of axes cannot be "
        "multiplied\n"
        "  arrives:  8x5x5 | 8\n"
        "  fix:      keep the axes of a gate: globalavgpool keep, and conv CHANNELS 1 after it",
    ),
    (
        "multiply( identity | conv 4 1 )",
        (8, 5, 5),
        "layer 3 'multiply1' (Multiply): branches of different shape cannot be multiplied\n"
        "  arrives:  8x5x5 | 4x5x5\n"
        "  expected: sizes that are equal, or 1 where one number weighs them all\n"
        f"  fix:      {MAKE_A_GATE}",
    ),
    (
        "multiply( identity | conv 8 3 )",
        (8, 5, 5),
        "layer 3 'multiply1' (Multiply): branches of different shape cannot be multiplied\n"
        "  arrives:  8x5x5 | 8x3x3\n"
        "  expected: sizes that are equal, or 1 where one number weighs them all\n"
        f"  fix:      {MAKE_A_GATE}",
    ),
    (
        "multiply( globalavgpool keep | conv 1 1 )",
        (8, 5, 5),
        "layer 3 'multiply1' (Multiply): no branch has the shape 8x5x5 that they would make "
        "together\n"
        "  arrives:  8x1x1 | 1x5x5\n"
        "  expected: one branch with all sizes, which the others weigh\n"
        "  fix:      a branch with all sizes beside them: multiply( identity | … )",
    ),
    (
        "combine( identity | conv 4 1 | conv 4 1 )",
        (4, 5, 5),
        "layer 4 'combine1' (Combine): combine has two branches, not 3\n"
        "  arrives:  4x5x5 | 4x5x5 | 4x5x5\n"
        "  fix:      combine( prototypes | coefficients )",
    ),
    (
        "combine( identity )",
        (4, 5, 5),
        "layer 2 'combine1' (Combine): combine has two branches, not 1\n"
        "  arrives:  4x5x5 from layer 1 'combine1.0.identity1'\n"
        "  fix:      combine( prototypes | coefficients )",
    ),
    (
        "combine( identity | globalavgpool -> dense 3 )",
        (4, 5, 5),
        "layer 4 'combine1' (Combine): 4 prototypes cannot be weighed by 3 coefficients\n"
        "  arrives:  4x5x5 | 3\n"
        "  fix:      give both branches as many channels",
    ),
]


@pytest.mark.parametrize(("text", "shape", "message"), ERRORS)
def test_what_does_not_fit_together_says_so(text: str, shape: Shape, message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        parse(text).bind(shape)
    assert str(caught.value) == message


def made(text: str, x: Any) -> Any:
    """What a net without weights makes of one picture, the same in all engines."""
    arriving = np.array(x, np.float32)
    program = parse(text).bind(arriving.shape)
    answers = [engines.build(name, program, {}).run(arriving[None])[""] for name in engines.ENGINES]
    assert all(np.array_equal(answers[0], answer) for answer in answers)
    return answers[0][0].tolist()


def test_a_gate_weighs_a_channel_or_a_position() -> None:
    x = [[[1, 2], [3, 6]], [[1, 0], [0, -1]]]
    assert made("multiply( identity | identity )", x) == [[[1, 4], [9, 36]], [[1, 0], [0, 1]]]
    assert made("multiply( identity | globalavgpool keep )", x) == [
        [[3, 6], [9, 18]],
        [[0] * 2] * 2,
    ]
    assert made("multiply( take 1 | identity )", x) == [[[1, 0], [0, -6]], [[1, 0], [0, 1]]]
    assert made("multiply( identity | take 2 )", [2, 3, 5]) == [10, 15, 25]


def test_gradients_are_summed_over_what_a_gate_weighed() -> None:
    program = parse("multiply( take 0,1 -> crop 1 | take 0,1 )").bind((2, 3))
    engine: Any = engines.build("reference", program, {})
    x, dy = np.array([[[1.0, 2, 4], [8, 16, 32]]]), np.array([[[1.0, 10, 100], [1, 0, 0]]])
    expected = np.array([[[2, 20, 200], [16, 0, 0]]])
    expected[0, :, 1] += [1 + 20 + 400, 8]
    assert engine.backward(x, {"": dy}).input.tolist() == expected.tolist()


def test_prototypes_are_weighed_and_added_once_for_each_set_of_coefficients() -> None:
    x = [[[1, 2, 3]], [[10, 20, 30]]]
    assert made("combine( identity | globalmaxpool )", x) == [[[303, 606, 909]]]
    assert made("combine( identity | crop 1x2 )", x) == [[[101, 202, 303]], [[202, 404, 606]]]
    assert made("combine( identity | identity )", [1, 2, 3]) == [14]


def test_squeeze_and_excitation() -> None:
    found = arithmetic(parse(SQUEEZE).bind((64, 8, 8)))
    assert found.parameters == 64 * 4 + 4 + 4 * 64 + 64
    assert [row.output for row in found.rows[1:]] == [
        (64, 1, 1),
        (4, 1, 1),
        (4, 1, 1),
        (64, 1, 1),
        (64, 1, 1),
        (64, 8, 8),
    ]
    assert (found.rows[-1].macs, found.macs) == (4096, 4096 + 2 * 256)


@pytest.mark.parametrize(
    "gate",
    [
        SQUEEZE,
        "multiply( globalavgpool keep -> sigmoid | identity )",
        "multiply( globalmaxpool keep | identity | globalavgpool keep )",
        "combine( identity | globalavgpool )",
    ],
)
def test_a_gate_leaves_the_field_of_what_it_weighs_and_says_so(gate: str) -> None:
    program = parse(f"conv 64 3 -> {gate} -> conv 8 3 -> relu").bind((3, 12, 12))
    *_, merged, conv, relu = arithmetic(program).rows
    assert [row.receptive_field for row in (merged, conv, relu)] == [(3, 3), (5, 5), (5, 5)]
    assert [row.gated for row in (merged, conv, relu)] == [True] * 3
    assert [row.whole_picture for row in (merged, conv, relu)] == [False] * 3
    assert merged.note == "its gate sees more than this field"
    assert conv.note == relu.note == ""
    assert merged.formulas["receptive field"] == "3, as before"


def test_a_gate_of_positions_adds_what_it_sees() -> None:
    row = arithmetic(parse("multiply( conv 4 3 same | conv 1 7 same )").bind((3, 9, 9))).rows[-1]
    assert (row.receptive_field, row.gated, row.note) == ((7, 7), False, "")
    assert row.formulas["receptive field"] == "hull of 3 and 7 = 7"


def test_coefficients_are_no_positions_even_where_they_are_as_many() -> None:
    program = parse("combine( conv 4 3 | conv 4 5 padding 1 )").bind((1, 9, 9))
    assert program.steps[-1].ins[0] == program.steps[-1].ins[1]
    row = arithmetic(program).rows[-1]
    assert (row.receptive_field, row.gated) == ((3, 3), True)
    assert row.start == (Fraction(1), Fraction(1))


def test_coefficients_may_come_from_elsewhere_than_prototypes() -> None:
    rows = arithmetic(parse("combine( embed 9 4 -> conv 4 3 | dense 4 )").bind((12,))).rows
    assert (rows[-1].receptive_field, rows[-1].gated, rows[-1].origin) == (
        (3,),
        True,
        "combine1.0.embed1",
    )
    assert rows[-1].formulas["receptive field"] == "3, as before"


def test_what_sees_everything_stays_so_whatever_weighs_it() -> None:
    row = arithmetic(parse("globalavgpool keep -> multiply( identity | relu )").bind((3, 5, 5)))
    assert row.rows[-1].whole_picture
    assert not row.rows[-1].gated


def test_json_says_which_values_are_gated() -> None:
    facts = arithmetic(parse(f"conv 64 3 -> {SQUEEZE}").bind((3, 8, 8))).facts()
    layers = json.loads(json.dumps(facts))["layers"]
    assert [layer["name"] for layer in layers if layer["gated"]] == ["multiply1"]
    assert layers[-1]["receptive_field"] == [3, 3]
    assert layers[-1]["formulas"]["output"] == "64x6x6 * 64x1x1 = 64x6x6"


def test_where_the_numbers_come_from() -> None:
    text = "combine( conv 3 1 | conv 3 1 -> crop 2x1 )"
    row = arithmetic(parse(text).bind((1, 4, 5))).rows[-1]
    assert row.formulas["output"] == "2 sets of coefficients, each for 3 maps of 4x5"
    assert row.formulas["MACs"] == "2*4*5 outputs * 3 = 120"
    row = arithmetic(parse("multiply( identity | relu | tanh )").bind((2, 4))).rows[-1]
    assert row.formulas["MACs"] == "2*4 outputs * 2 = 16"


def test_symbols_call_a_product_what_the_gate_weighs() -> None:
    gate = "globalavgpool keep -> conv 4 1 -> conv 8 1 -> sigmoid"
    said = symbols(parse(f"conv 8 3 -> multiply( {gate} | identity ) -> conv 2 3").bind((3, 8, 8)))
    assert "n[multiply1.0.globalavgpool1] = 1\n" in said
    assert "n[4] = ⌊(n[1] + 2p - f)/s + 1⌋ = ⌊(6 + 0 - 3)/1 + 1⌋ = 4\n" in said
    assert "(f[4] x f[4] x n_c[1] + 1) x n_c[4] = (3 x 3 x 8 + 1) x 2 = 146" in said
    said = symbols(parse("conv 8 3 -> combine( identity | globalavgpool )").bind((3, 8, 8)))
    assert "\n\nn_c[combine1] = 1\n\n" in said


def test_notation_of_branches() -> None:
    net = parse(SQUEEZE)
    assert write(net) == SQUEEZE
    long = parse(f"a: relu -> multiply( {' -> '.join(['relu'] * 30)} | COMBINE(identity | @a) )")
    assert parse(write(long)) == long


MERGES_WITH_FIELDS = [
    "maxunpool 2( identity | @before )",
    "maxunpool 2 stride 3( identity | @before )",
    "maxunpool 2x3 same_lower( identity | @before )",
    "up: maxunpool 2 padding 1( conv 8 1 | @before )",
]


@pytest.mark.parametrize("text", MERGES_WITH_FIELDS)
def test_fields_of_a_merge_stand_before_its_branches(text: str) -> None:
    net = parse(f"before: relu -> maxpool 2 -> {text}")
    assert write(net).endswith(text)
    assert parse(write(net)) == net
    name, _, branches = text.partition("( ")
    long = parse(f"before: relu -> {name}( {'relu -> ' * 20}{branches}")
    assert f"{name}(\n" in write(long)
    assert parse(write(long)) == long


FIELD_ERRORS = [
    (
        "combine 2( relu | relu )",
        "line 1, column 9: combine needs its branches in parentheses\n"
        "  combine 2( relu | relu )\n          ^\n"
        "  fix:      combine( conv 8 3 same | globalavgpool -> dense 8 )",
    ),
    (
        "maxunpool( relu | relu )",
        "line 1, column 1: maxunpool needs kernel_size\n  maxunpool( relu | relu )\n  ^\n"
        "  fix:      such as: maxunpool 3",
    ),
    (
        "maxunpool 0( relu | relu )",
        "line 1, column 11: maxunpool kernel_size must be a whole number from 1, or one per axis "
        "such as 3x5, not '0'\n  maxunpool 0( relu | relu )\n            ^",
    ),
    (
        "maxunpool 2 -> relu",
        "line 1, column 13: maxunpool needs its branches in parentheses\n"
        "  maxunpool 2 -> relu\n              ^\n"
        "  fix:      maxunpool 2( identity | @before )",
    ),
]


@pytest.mark.parametrize(("text", "message"), FIELD_ERRORS)
def test_what_is_wrong_before_the_branches_is_shown(text: str, message: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("word", ["multiply", "add"])
def test_branches_stand_in_parentheses(word: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse(f"{word} -> relu")
    assert str(caught.value) == (
        f"line 1, column {len(word) + 2}: {word} needs its branches in parentheses\n"
        f"  {word} -> relu\n"
        f"  {' ' * (len(word) + 1)}^\n"
        f"  fix:      {word}( identity | conv 8 3 same )"
    )


@pytest.mark.parametrize("name", engines.ENGINES)
def test_a_channel_that_is_shut_lets_nothing_through(name: str) -> None:
    program = parse(f"conv 64 1 -> {SQUEEZE}").bind((3, 4, 4))
    weights = initial(program, 0)
    bias = np.zeros(64, np.float32)
    bias[1:] = -200
    weights["multiply1.1.conv2.bias"] = bias
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 4)).astype(np.float32)
    y = engines.build(name, program, weights).run(x)[""]
    assert np.abs(y[:, 0]).min() > 0
    assert np.abs(y[:, 1:]).max() < 1e-30


def test_the_formula_of_a_product_of_flat_features_is_no_sum_that_is_wrong() -> None:
    rows = arithmetic(parse("multiply( dense 3 | identity )").bind((3,))).rows
    assert rows[-1].formulas["output"] == "3"
