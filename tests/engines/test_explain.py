"""Where numbers come from: what is told of a number adds up to it, for every kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from support.kinds import ALL_EXAMPLES, draw_arriving
from support.kinds.drawing import Example
from support.steps import Drawn, draw_step, example_step

from foveal.engines import reference
from foveal.engines.reference import Explanation, GradientExplanation, Reference, Training
from foveal.engines.reference.explaining.rows import EXPLAINERS
from foveal.engines.reference.explaining.terms import INPUT, Index, Place
from foveal.net.kind import Kind
from foveal.net.layers import (
    KINDS,
    Conv,
    ConvTranspose,
    Dense,
    Depthwise,
    LocallyConnected,
)
from foveal.net.notation import parse

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
