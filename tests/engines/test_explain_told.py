"""What is told of numbers worked by hand: terms, places, text and refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.steps import Drawn

from foveal.engines import reference
from foveal.engines.reference import Reference, Training
from foveal.engines.reference.explaining.rows import EXPLAINERS
from foveal.engines.reference.explaining.terms import INPUT, Place, Term
from foveal.errors import SpecError
from foveal.net.layers import ReLU
from foveal.net.notation import parse

TRAINING = Training(seed=5, step=2)
SQUARE = np.array(
    [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
)
CROSS = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]])


def engine_of(text: str, shape: tuple[int, ...], **weights: object) -> Reference:
    made = {path.replace("_", "."): np.array(value, float) for path, value in weights.items()}
    return reference.build(parse(text).bind(shape), made)


def crossed() -> tuple[Reference, np.ndarray]:
    engine = engine_of("conv 1 3 no bias", (1, 5, 5), conv1_weight=CROSS[None, None])
    return engine, SQUARE[None, None].astype(float)


def test_the_nine_terms_of_one_number() -> None:
    engine, x = crossed()
    found = engine.explain(x, "conv1", (0, 0, 1, 1))
    assert found.total == found.computed == 4
    assert [(term.value, term.weight) for term in found.terms] == [
        (value, weight) for value, weight in zip(SQUARE[1:4, 1:4].flat, CROSS.flat, strict=True)
    ]
    assert found.terms[5] == Term(
        1, 0, 0, Place(INPUT, (0, 0, 2, 3)), Place("conv1.weight", (0, 0, 1, 2))
    )


def test_the_text_of_a_number_and_of_a_gradient() -> None:
    engine = engine_of(
        "conv 1 2 padding 1:0 fill 7", (1, 2), conv1_weight=[[[0.5, -2]]], conv1_bias=[1]
    )
    x = np.array([[[3.0, 4.0]]])
    assert engine.explain(x, "conv1", (0, 0, 0)).text() == (
        "conv1[0, 0, 0] = -1.5, conv: Σ value · weight + bias\n"
        "  7 · 0.5 = 3.5   padding          conv1.weight[0, 0, 0]\n"
        "  3 ·  -2 =  -6   input[0, 0, 0]   conv1.weight[0, 0, 1]\n"
        "          +   1   conv1.bias[0]"
    )
    upstream = {"": np.array([[[10.0, 1.0]]])}
    assert engine.explain_gradient(x, upstream, "conv1.weight", (0, 0, 0)).text() == (
        "gradient of conv1.weight[0, 0, 0] = 73: Σ upstream · value\n"
        "  10 · 7 = 70   conv1[0, 0, 0]\n"
        "   1 · 3 =  3   conv1[0, 0, 1]   input[0, 0, 0]"
    )


def test_the_text_of_what_is_no_product() -> None:
    engine = engine_of("softmax -> relu", (2,))
    x = np.array([[0.0, 0.0]])
    assert engine.explain(x, "softmax1", (0, 1)).text() == (
        "softmax1[0, 1] = 0.5, softmax: e^(value - largest) / Σ e^(value - largest)\n"
        "  largest: 0\n"
        "  e^(value - largest): 1   input[0, 0]\n"
        "  e^(value - largest): 1   input[0, 1]\n"
        "  their sum: 2\n"
        "  0 → 0.5   input[0, 1]   e^(value - largest) / their sum"
    )
    assert engine.explain(x, "relu1", (0, 1)).text() == (
        "relu1[0, 1] = 0.5, relu: max(x, 0)\n  0.5 → 0.5   softmax1[0, 1]   max(x, 0)"
    )


def test_the_first_of_equal_ones_is_the_largest() -> None:
    engine = engine_of("maxpool 2", (1, 2, 2))
    found = engine.explain(np.array([[[[1.0, 5.0], [5.0, 2.0]]]]), "maxpool1", (0, 0, 0, 0))
    assert [(term.value, term.weight) for term in found.terms] == [(1, 0), (5, 1), (5, 0), (2, 0)]


def test_padding_that_repeats_says_what_it_repeats() -> None:
    engine = engine_of("conv 1 3 same reflect no bias", (1, 3), conv1_weight=[[[1, 1, 1]]])
    terms = engine.explain(np.array([[[1.0, 2.0, 3.0]]]), "conv1", (0, 0, 0)).terms
    assert [term.at and term.at.index for term in terms] == [(0, 0, 1), (0, 0, 0), (0, 0, 1)]


def test_a_number_is_followed_down_to_the_input() -> None:
    """Each place that is named can be asked in its turn."""
    net = parse("conv 2 3 -> bn -> relu -> maxpool 2 -> flatten -> dense 3 -> softmax")
    program, random = net.bind((1, 8, 8)), np.random.default_rng(0)
    drawn = Drawn(program, program.steps[-1])
    engine, x = reference.build(program, drawn.weights(random)), random.normal(size=(2, 1, 8, 8))
    place, path = Place("softmax1", (1, 2)), []
    while place.path != INPUT:
        path.append(place.path)
        found = engine.explain(x, place.path, place.index)
        chosen = max(found.terms, key=lambda term: abs(term.product)).at
        assert chosen is not None
        place = chosen
    steps = ["softmax1", "dense1", "flatten1", "maxpool1", "relu1", "batchnorm1", "conv1"]
    assert path == steps
    assert place.index[0] == 1


def test_a_shared_weight_has_the_terms_of_all_its_uses() -> None:
    engine = engine_of("d: dense 1 no bias -> again d", (1,), d_weight=[[3]])
    found = engine.explain_gradient(np.array([[5.0]]), {"": np.array([[1.0]])}, "d.weight", (0, 0))
    assert [(term.upstream, term.value) for term in found.terms] == [(3, 5), (1, 15)]
    assert found.total == found.computed == 30


def test_what_no_result_reads_has_no_terms() -> None:
    net = "a: dense 1 no bias -> b: dense 1 no bias -> @a"
    engine = engine_of(net, (1,), a_weight=[[2]], b_weight=[[3]])
    found = engine.explain_gradient(np.array([[5.0]]), {"": np.array([[1.0]])}, "b.weight", (0, 0))
    assert (found.terms, found.total, found.computed) == ((), 0, 0)
    assert found.text() == "gradient of b.weight[0, 0] = 0: no result depends on it"


def test_only_one_sample_and_only_the_steps_before_are_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[str, int]] = []
    engine = engine_of("relu -> tanh -> sigmoid", (2,))
    for kind, row in reference.ROWS.items():

        def counted(kind: Any, xs: Any, *rest: Any, forward: Any = row.forward) -> Any:
            seen.append((kind.word, len(xs[0])))
            return forward(kind, xs, *rest)

        monkeypatch.setitem(reference.ROWS, kind, replace(row, forward=counted))
    found = engine.explain(np.array([[1.0, 2.0], [3.0, -4.0]]), "tanh1", (1, 0))
    assert seen == [("relu", 1), ("tanh", 1), ("tanh", 1)]  # the last: of one number alone
    assert found.terms[0].at == Place("relu1", (1, 0))


def test_the_mean_of_a_training_is_of_all_samples() -> None:
    weights = {"weight": [2.0], "bias": [1.0], "running_mean": [5.0], "running_var": [1.0]}
    engine = reference.build(
        parse("batchnorm eps 3").bind((1,)),
        {f"batchnorm1.{name}": np.array(value) for name, value in weights.items()},
    )
    x = np.array([[1.0], [3.0]])
    learning = engine.explain(x, "batchnorm1", (1, 0), TRAINING)
    assert [(number.name, number.value) for number in learning.numbers] == [
        ("mean, of 2 values", 2),
        ("variance, of 2 values", 1),
        ("deviation, √(variance + eps)", 2),
        ("normalised, (value - mean) / deviation", 0.5),
        ("gain", 2),
        ("shift", 1),
    ]
    assert (learning.total, learning.bias) == (2, -1)
    assert engine.explain(x, "batchnorm1", (1, 0)).total == -1


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(SpecError) as caught:
        call()
    return f"{type(caught.value).__name__}: {caught.value}"


TWO = np.zeros((2, 1, 5, 5))
ERRORS: list[tuple[Callable[[Reference], object], str]] = [
    (
        lambda engine: engine.explain(TWO, "convv1", (0, 0, 0, 0)),
        "SpecError: explain 'convv1': no step has this path\n  fix:      did you mean 'conv1'?",
    ),
    (
        lambda engine: engine.explain(TWO, "conv1", (0, 0, 3, 0)),
        "SpecError: conv1[0, 0, 3, 0]: lies outside the array\n"
        "  arrives:  2x1x3x3\n"
        "  expected: sample 0 … 1, channel 0, position 0 … 2, 0 … 2",
    ),
    (
        lambda engine: engine.explain(TWO, "conv1", (2, 0, 0, 0)),
        "SpecError: conv1[2, 0, 0, 0]: lies outside the array\n"
        "  arrives:  2x1x3x3\n"
        "  expected: sample 0 … 1, channel 0, position 0 … 2, 0 … 2",
    ),
    (
        lambda engine: engine.explain(TWO, "conv1", (0, 0, -1, 0)),
        "SpecError: conv1[0, 0, -1, 0]: lies outside the array\n"
        "  arrives:  2x1x3x3\n"
        "  expected: sample 0 … 1, channel 0, position 0 … 2, 0 … 2",
    ),
    (
        lambda engine: engine.explain(TWO, "conv1", (0, 1, 1)),
        "SpecError: conv1[0, 1, 1]: has 3 numbers, but the array has 4 axes\n"
        "  arrives:  2x1x3x3\n"
        "  expected: sample 0 … 1, channel 0, position 0 … 2, 0 … 2\n"
        "  fix:      the sample comes first, also of one",
    ),
    (
        lambda engine: engine.explain(TWO, "conv1", ()),
        "SpecError: conv1[]: has 0 numbers, but the array has 4 axes\n"
        "  arrives:  2x1x3x3\n"
        "  expected: sample 0 … 1, channel 0, position 0 … 2, 0 … 2\n"
        "  fix:      the sample comes first, also of one",
    ),
    (
        lambda engine: engine.explain(TWO[0], "conv1", (0, 0, 0, 0)),
        "ShapeError: input: another shape arrives than the net was bound to\n"
        "  arrives:  1x5x5\n"
        "  expected: Nx1x5x5",
    ),
    (
        lambda engine: engine.explain_gradient(TWO, {}, "conv1.wait", (0, 0, 0, 0)),
        "SpecError: gradient of 'conv1.wait': no tensor has this path\n"
        "  fix:      did you mean 'conv1.weight'?",
    ),
    (
        lambda engine: engine.explain_gradient(TWO, {}, "batchnorm1.running_mean", (0,)),
        "SpecError: gradient of 'batchnorm1.running_mean': is a statistic, which is not trained "
        "and has no gradient",
    ),
    (
        lambda engine: engine.explain_gradient(TWO, {}, "conv1.weight", (0, 0, 0, 3)),
        "SpecError: conv1.weight[0, 0, 0, 3]: lies outside the array\n"
        "  arrives:  1x1x3x3\n"
        "  expected: 0, 0, 0 … 2, 0 … 2",
    ),
    (
        lambda engine: engine.explain_gradient(TWO, {}, "conv1.weight", (0,)),
        "SpecError: conv1.weight[0]: has 1 number, but the array has 4 axes\n"
        "  arrives:  1x1x3x3\n"
        "  expected: 0, 0, 0 … 2, 0 … 2",
    ),
]


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors_say_what_there_is(call: Callable[[Reference], object], message: str) -> None:
    program = parse("conv 1 3 -> bn").bind((1, 5, 5))
    weights = Drawn(program, program.steps[0]).weights(np.random.default_rng(0))
    engine = reference.build(program, weights)
    assert refused(lambda: call(engine)) == message


def test_a_kind_without_an_explanation_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of("relu", (1,))
    monkeypatch.delitem(EXPLAINERS, ReLU)
    message = "SpecError: relu1: the reference engine cannot explain relu"
    assert refused(lambda: engine.explain(np.zeros((1, 1)), "relu1", (0, 0))) == message


def test_a_tensor_without_an_explanation_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of("scale", (1,), scale1_weight=[1])
    monkeypatch.setitem(EXPLAINERS, type(engine.program.steps[0].kind), EXPLAINERS[ReLU])
    message = "SpecError: scale1: the reference engine cannot explain scale"
    x, upstream = np.zeros((1, 1)), {"": np.zeros((1, 1))}
    assert refused(lambda: engine.explain_gradient(x, upstream, "scale1.weight", (0,))) == message
