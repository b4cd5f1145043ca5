"""Where numbers come from: what is told of a number adds up to it, for every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from support.kinds import ALL_EXAMPLES, draw_arriving
from support.kinds.drawing import Example
from support.steps import Drawn, draw_step, example_step

from foveal.engines import reference
from foveal.engines.reference import Explanation, GradientExplanation, Reference, Training
from foveal.engines.reference.explaining.rows import EXPLAINERS
from foveal.engines.reference.explaining.terms import INPUT, Index, Place, Term
from foveal.engines.reference.explaining.updates import Update, adamw, sgd
from foveal.errors import SpecError
from foveal.net.kind import Kind
from foveal.net.layers import (
    KINDS,
    Conv,
    ConvTranspose,
    Dense,
    Depthwise,
    LocallyConnected,
    ReLU,
)
from foveal.net.notation import parse
from foveal.recipe import Recipe
from foveal.training.optimisers import BETA_2, optimiser

Random = np.random.Generator
CLOSE = 1e-12
"""Of the largest of the numbers that are added up."""
SAMPLES = 3
TRAINING = Training(seed=5, step=2)
MOMENTS = [None, TRAINING]
SUMS: tuple[type[Any], ...] = (Conv, Depthwise, ConvTranspose, LocallyConnected, Dense)
"""Sums of products of which every weight has a place in a tensor."""
POOLS = [kind for kind in KINDS if "pool" in kind.word and kind.word != "maxunpool"]


def close(found: Explanation | GradientExplanation) -> bool:
    """Whether what is told is what the engine computes."""
    sizes = [abs(term.product) for term in found.terms] + [abs(n.value) for n in found.numbers]
    return abs(found.total - found.computed) <= CLOSE * max([1.0, abs(found.computed), *sizes])


def some(random: Random, shape: tuple[int, ...]) -> Index:
    return tuple(int(random.integers(n)) for n in shape)


def check(drawn: Drawn, random: Random, training: Training | None) -> None:
    """Explain a number of every step of a program, and a weight of every trained tensor."""
    program = drawn.program
    engine = reference.build(program, drawn.weights(random))
    x = draw_arriving(random, program.steps[0].kind, SAMPLES, program.input)
    values = engine.values(x, training)
    for step in program.steps:
        index = some(random, values[step.path].shape)
        found = engine.explain(x, step.path, index, training)
        assert found.place == Place(step.path, index)
        assert found.computed == pytest.approx(values[step.path][index], rel=CLOSE, abs=CLOSE)
        assert close(found), found.text()
        check_places(engine, {INPUT: x.astype(float), **values}, step.kind, found)
    results = engine.run(x, training)
    gradients = {name: random.standard_normal(y.shape) for name, y in results.items()}
    for path, gradient in engine.backward(x, gradients, training).weights.items():
        index = some(random, gradient.shape)
        told = engine.explain_gradient(x, gradients, path, index, training)
        assert told.place == Place(path, index)
        assert told.computed == gradient[index]
        assert close(told), told.text()
        check_gradient_places({INPUT: x.astype(float), **values}, told)


def check_places(
    engine: Reference, values: dict[str, np.ndarray], kind: Kind, found: Explanation
) -> None:
    """Values and weights lie where they are said to lie; padding holds what it is filled with."""
    for term in found.terms:
        if term.at:
            assert values[term.at.path][term.at.index] == pytest.approx(term.value, abs=CLOSE)
        else:
            assert term.value == getattr(kind, "fill", 0)
        if not term.note:
            assert term.weight is not None
            assert term.product == term.value * term.weight
        if term.weight_at and getattr(kind, "weight", "free") == "free":
            held = {**values, **engine.weights}[term.weight_at.path][term.weight_at.index]
            weight = term.product if term.weight is None else term.weight
            assert held == pytest.approx(weight, abs=CLOSE)
    if found.bias_at:
        assert engine.weights[found.bias_at.path][found.bias_at.index] is not None


def check_gradient_places(values: dict[str, np.ndarray], told: GradientExplanation) -> None:
    for term in told.terms:
        assert term.product == term.upstream * term.value
        if term.at_output.path in values:
            assert np.isfinite(values[term.at_output.path][term.at_output.index])
        if term.at_input:
            assert np.isfinite(values[term.at_input.path][term.at_input.index])


def test_every_kind_can_be_explained() -> None:
    assert set(EXPLAINERS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_told_adds_up(kind: type[Kind]) -> None:
    for seed in range(40):
        random = np.random.default_rng(seed)
        check(draw_step(kind, random), random, MOMENTS[seed % 2])


@pytest.mark.parametrize("example", ALL_EXAMPLES, ids=lambda example: str(example[0]))
def test_what_is_told_of_the_examples_adds_up(example: Example) -> None:
    kind, ins, _ = example
    check(example_step(kind, ins), np.random.default_rng(0), None)


OPTIONS = [
    ("conv 4 3 same reflect", (2, 6, 7)),
    ("conv 4 4 same_lower stride 2 circular", (2, 6, 7)),
    ("conv 4 3 padding 2 fill 0.5", (2, 9)),
    ("conv 4 3 preserve stride 2 replicate", (2, 4, 3, 5)),
    ("conv 4 3 causal dilation 2", (2, 9)),
    ("conv 4 3 flip shared unit_sum", (2, 6, 7)),
    ("conv 4 3 flip groups 2", (4, 6, 7)),
    ("conv 4 3x2 weight_norm groups 2 shared flip", (4, 6, 7)),
    ("depthwise 3 multiplier 2 shared unit_sum flip same", (3, 5, 5)),
    ("depthwise 3x2 weight_norm reflect same", (3, 5, 5)),
    ("depthwise 3 multiplier 2 shared weight_norm flip", (3, 5)),
    ("convtranspose 4 4 stride 2 padding 1 groups 2", (2, 3, 4)),
    ("convtranspose 3 2 stride 3 same_lower dilation 2", (2, 3, 2, 3)),
    ("convtranspose 3 3 stride 2 padding 1:0x2 output_padding 1", (2, 3, 3)),
    ("local 3 3 same stride 2 reflect", (2, 6, 7)),
    ("local 3 2 no bias dilation 2", (2, 6)),
    ("dense 4 weight_norm", (5,)),
    ("dense 4 unit_sum", (5,)),
    ("avgpool 3 stride 2 padding 1 ceil count_include_pad", (2, 6, 7)),
    ("avgpool 3 stride 2 padding 1:0x1 ceil", (2, 6, 7)),
    ("sumpool 2 dilation 2 same", (2, 6, 7)),
    ("stochasticpool 3 stride 2 padding 1 ceil", (2, 6, 7)),
    ("pad 1:0x2 fill 0.5", (2, 3, 3)),
    ("multiply( identity | globalavgpool keep -> conv 2 1 -> sigmoid | conv 1 1 )", (2, 3, 3)),
    ("combine( conv 3 1 | conv 3 2 )", (2, 3, 3)),
    ("relu -> dropout 0.5 -> batchnorm -> again relu1", (2, 3, 3)),
]


@pytest.mark.parametrize("training", MOMENTS, ids=["predict", "train"])
@pytest.mark.parametrize(("text", "shape"), OPTIONS)
def test_what_is_told_of_every_option_adds_up(
    text: str, shape: tuple[int, ...], training: Training | None
) -> None:
    program = parse(text).bind(shape)
    for seed in range(5):
        check(Drawn(program, program.steps[-1]), np.random.default_rng(seed), training)


def test_the_weights_of_a_sum_are_its_derivatives() -> None:
    """By each thing that is read and by each weight, which names both places."""
    for kind in (*SUMS, *POOLS):
        for seed in range(20):
            random = np.random.default_rng(seed)
            drawn = draw_step(kind, random)
            check_derivatives(reference.build(drawn.program, drawn.weights(random)), drawn, random)


def check_derivatives(engine: Reference, drawn: Drawn, random: Random) -> None:
    if drawn.kind.word in ("stochasticpool", "lppool", "globallppool") or not drawn.is_alone:
        return
    x = draw_arriving(random, drawn.kind, SAMPLES, drawn.program.input)
    ((name, y),) = engine.run(x).items()
    index = some(random, y.shape)
    one = np.zeros_like(y)
    one[index] = 1
    expected = engine.backward(x, {name: one})
    terms = engine.explain(x, drawn.step.path, index).terms
    by_value = ((term.at, term.weight) for term in terms)
    assert np.allclose(added(by_value, x.shape), expected.input, atol=CLOSE)
    if isinstance(drawn.kind, SUMS) and getattr(drawn.kind, "weight", "free") == "free":
        by_weight = ((term.weight_at, term.value) for term in terms)
        weights = expected.weights[f"{drawn.step.path}.weight"]
        assert np.allclose(added(by_weight, weights.shape), weights, atol=CLOSE)


def added(parts: Iterable[tuple[Place | None, float | None]], shape: tuple[int, ...]) -> np.ndarray:
    made = np.zeros(shape)
    for place, number in parts:
        if place:
            made[place.index] += number
    return made


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


RECIPES = [
    Recipe(optimiser="sgd", learning_rate=0.1, momentum=0.9, weight_decay=5e-4),
    Recipe(optimiser="sgd", learning_rate=0.05, momentum=0.0, weight_decay=0.1),
    Recipe(optimiser="adamw", learning_rate=0.01, momentum=0.9, weight_decay=0.05),
    Recipe(optimiser="adamw", learning_rate=0.3, momentum=0.5, weight_decay=0.0),
]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("name", ["weight", "bias"])
def test_an_update_is_that_of_pytorch(recipe: Recipe, name: str) -> None:
    module = torch.nn.Linear(1, 1, dtype=torch.float64)
    follows, random = optimiser(module, recipe), np.random.default_rng(0)
    parameter = getattr(module, name)
    state: dict[str, float] = {}
    weight = parameter.item()
    for gradient in random.standard_normal(20).tolist():
        for held in module.parameters():
            held.grad = torch.full_like(held, gradient)
        follows.step()
        made = updated(recipe, weight, gradient, name == "weight", state)
        weight, state = made.weight, dict(made.state)
        assert weight == pytest.approx(parameter.item(), rel=1e-15, abs=1e-15)


def updated(
    recipe: Recipe, weight: float, gradient: float, decays: bool, state: dict[str, float]
) -> Update:
    rate, decay = recipe.learning_rate, recipe.weight_decay if decays else 0.0
    if recipe.optimiser == "sgd":
        made: Any = partial(sgd, learning_rate=rate, momentum=recipe.momentum)
    else:
        made = partial(adamw, learning_rate=rate, betas=(recipe.momentum, BETA_2))
    update: Update = made(weight, gradient, weight_decay=decay, **state)
    return update


def test_the_arithmetic_of_an_update() -> None:
    first = sgd(2.0, 0.5, learning_rate=0.1, momentum=0.5, weight_decay=0.25)
    assert first.text() == (
        "gradient + weight_decay · weight = 1\n"
        "velocity: momentum · velocity + that = 1\n"
        "step: that + momentum · velocity = 1.5\n"
        "weight - learning_rate · step = 1.85"
    )
    assert first.state == {"velocity": 1.0}
