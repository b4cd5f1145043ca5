"""The definition and PyTorch, for every kind: the same values and the same gradients.

Hypothesis draws a seed, from which comes a layer with what arrives at it. The rows of the reference
engine are held against the module that learns, in float64: close for any numbers, equal for whole
ones, in prediction and in training, for batches of none, one and three, and for every way an array
may lie in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from support.kinds import EXACT, LACKING, draw_arriving, is_exact
from support.kinds.drawing import numbers
from support.steps import Drawn, draw_step

from foveal.engines import reference
from foveal.engines.pytorch import Module, module
from foveal.engines.reference import ROWS, Training
from foveal.engines.reference.row import Context
from foveal.errors import SpecError
from foveal.net.kind import Kind
from foveal.net.layers import KINDS

CLOSE = 1e-12
"""Largest difference, relative to the largest number of the expected array."""
TRAINING = Training(seed=5, step=2)
TINY = {0: 1, 1: 4, 2: 3, 3: 2}
"""The longest side where derivatives are taken number by number."""


def as_it_comes(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x)


def every_second(x: np.ndarray) -> np.ndarray:
    """A view into an array twice as wide, with other numbers between."""
    wide = np.full((*x.shape[:-1], 2 * x.shape[-1]), 99, x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


def transposed(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x.T).T


def channels_last(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)


LAYOUTS: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
    as_it_comes,
    every_second,
    transposed,
    channels_last,
)


@dataclass(frozen=True)
class Moment:
    """How a layer is called."""

    batch: int
    training: bool
    layout: Callable[[np.ndarray], np.ndarray]
    upstream: Callable[[np.ndarray], np.ndarray]
    """How the gradient that arrives lies in memory."""

    @property
    def step(self) -> Training | None:
        return TRAINING if self.training else None


MOMENTS = st.builds(
    Moment,
    st.sampled_from([3, 3, 1, 1, 0]),
    st.booleans(),
    st.sampled_from(LAYOUTS),
    st.sampled_from(LAYOUTS),
)
SEEDS = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class Made:
    """What came of a forward and a backward."""

    y: np.ndarray
    dxs: Sequence[np.ndarray | None]
    """None for what has no gradient, because it is not of real numbers."""
    dweights: Mapping[str, np.ndarray]

    def named(self) -> dict[str, np.ndarray]:
        dxs = {f"dx{number}": dx for number, dx in enumerate(self.dxs) if dx is not None}
        return {"y": self.y, **dxs, **{f"d{name}": dw for name, dw in self.dweights.items()}}


@pytest.mark.parametrize("examples", [150, pytest.param(2000, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", KINDS)
def test_values_and_gradients_agree(kind: type[Kind], examples: int) -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=examples, phases=[Phase.generate, Phase.shrink])
    @given(SEEDS, MOMENTS)
    def agree(seed: int, moment: Moment) -> None:
        random = np.random.default_rng(seed)
        drawn = draw_step(kind, random)
        seen.update(set(features(drawn, moment)))
        seen["compared"] += check(drawn, random, moment, whole=False)
        if is_exact(drawn.kind):
            seen["whole"] += check(drawn, random, moment, whole=True)
        if not drawn.is_alone and moment.batch:
            check_program(drawn, random, moment)

    agree()
    assert seen["compared"] >= examples / 2
    never = sorted(wanted(kind) - set(seen))
    assert never == [], f"the generator of {kind.__name__} never draws {', '.join(never)}"


def check(drawn: Drawn, random: np.random.Generator, moment: Moment, whole: bool) -> bool:
    """Compare one forward and backward of both engines: equal, or close, or refused by both.

    True if there was something to compare.
    """
    weights = drawn.weights(random, whole)
    xs = [moment.layout(x) for x in drawn.arriving(random, moment.batch, whole)]
    dy = moment.upstream(numbers(random, (moment.batch, *drawn.step.shape), whole))
    if moment.training and not moment.batch and keeps_statistics(drawn):
        return False  # there are none of an empty batch
    try:
        expected = by_definition(drawn, weights, xs, dy, moment)
    except SpecError:
        with pytest.raises(SpecError):
            by_pytorch(drawn, weights, xs, dy, moment)
        return False
    compare(by_pytorch(drawn, weights, xs, dy, moment), expected, 0 if whole else CLOSE, dy)
    return moment.batch > 0


def check_program(drawn: Drawn, random: np.random.Generator, moment: Moment) -> None:
    """Compare the whole program that a generator put around its kind."""
    program, weights = drawn.program, drawn.weights(random)
    x = moment.layout(draw_arriving(random, program.steps[0].kind, moment.batch, program.input))
    (name,) = program.result_shapes()
    dy = moment.upstream(numbers(random, (moment.batch, *program.result_shapes()[name])))
    engine = reference.build(program, weights)
    try:
        made = engine.backward(x, {name: dy}, moment.step)
    except SpecError:
        with pytest.raises(SpecError):
            called(learner(drawn, weights, moment), [x], dy)
        return
    learns = learner(drawn, weights, moment)
    y, dxs = called(learns, [x], dy)
    dweights = {path: gradient(held) for path, held in learns.named_parameters()}
    expected = Made(engine.run(x, moment.step)[name], [real(x, made.input)], made.weights)
    compare(Made(y, dxs, dweights), expected, CLOSE, dy)


def by_definition(
    drawn: Drawn,
    weights: dict[str, np.ndarray],
    xs: Sequence[np.ndarray],
    dy: np.ndarray,
    moment: Moment,
) -> Made:
    row, context = ROWS[type(drawn.kind)], Context(drawn.step.path, moment.step)
    arrays, own = tuple(x.astype(float, copy=False) for x in xs), drawn.own(weights)
    y = row.forward(drawn.kind, arrays, own, context)
    dxs, dweights = row.backward(drawn.kind, arrays, y, own, dy, context)
    return Made(y, [real(x, dx) for x, dx in zip(xs, dxs, strict=True)], dweights)


def by_pytorch(
    drawn: Drawn,
    weights: dict[str, np.ndarray],
    xs: Sequence[np.ndarray],
    dy: np.ndarray,
    moment: Moment,
) -> Made:
    """By the module itself, or by its layer where the step reads what other steps make."""
    learns = learner(drawn, weights, moment)
    layer = dict(zip(drawn.program.steps, (layer for _, layer in learns.calls), strict=True))[
        drawn.step
    ]
    y, dxs = called(learns if drawn.is_alone else layer, xs, dy)
    held = dict(layer.named_parameters(recurse=False))
    return Made(y, dxs, {name: gradient(parameter) for name, parameter in held.items()})


def learner(drawn: Drawn, weights: dict[str, np.ndarray], moment: Moment) -> Module:
    """The module in float64, before the step of training that is compared."""
    learns = module(drawn.program, weights).double().train(moment.training)
    learns.requires_grad_(True)  # frozen ones have a gradient too, which training does not use
    learns.at(TRAINING.seed, TRAINING.step)
    return learns


def called(
    layer: Callable[..., Any], xs: Sequence[np.ndarray], dy: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray | None]]:
    """What a layer makes, and the gradient of each thing it reads."""
    leaves = [torch.from_numpy(x).requires_grad_(x.dtype.kind == "f") for x in xs]
    made = layer(*leaves)
    y: torch.Tensor = next(iter(made.values())) if isinstance(made, dict) else made
    if y.requires_grad:
        torch.autograd.backward(y, torch.from_numpy(dy))
    return y.detach().numpy(), [real(x, gradient(leaf)) for x, leaf in zip(xs, leaves, strict=True)]


def real(x: np.ndarray, dx: np.ndarray) -> np.ndarray | None:
    """Bytes have no gradient."""
    return dx if x.dtype.kind == "f" else None


def gradient(leaf: torch.Tensor) -> np.ndarray:
    """Zero where nothing depends on it."""
    return (torch.zeros_like(leaf) if leaf.grad is None else leaf.grad).detach().numpy()


def compare(made: Made, expected: Made, tolerance: float, dy: np.ndarray) -> None:
    """All arrays of both, to a share of the largest number expected; 0 asks for equality.

    Where gradients cancel, their rounding is measured by the gradient that arrived.
    """
    ours, theirs = made.named(), expected.named()
    assert ours.keys() == theirs.keys()
    for name, wanted in theirs.items():
        assert ours[name].shape == wanted.shape, name
        if tolerance:
            scale = max(largest(wanted), largest(dy) if name != "y" else 0)
            assert largest(ours[name] - wanted) <= tolerance * scale, name
        else:
            assert np.array_equal(ours[name], wanted), name


def largest(array: np.ndarray) -> float:
    return float(np.abs(array).max(initial=0))


def keeps_statistics(drawn: Drawn) -> bool:
    return any(not tensor.trained for tensor in drawn.step.tensors)


def features(drawn: Drawn, moment: Moment) -> Iterator[str]:
    """What there is to say of a case: every word must come up for each kind it can be said of."""
    kind, sizes = drawn.kind, drawn.step.ins[0][1:]
    yield f"batch {moment.batch}"
    yield f"{len(sizes)} axes"
    yield moment.layout.__name__
    yield "training" if moment.training else "prediction"
    if not sizes or not moment.batch:
        return
    kernels, strides, dilations = (
        each(getattr(kind, name, default), len(sizes))
        for name, default in (("kernel_size", 1), ("stride", 1), ("dilation", 1))
    )
    strides = kernels if None in strides else strides
    pads = drawn.step.pads or explicit(getattr(kind, "padding", 0), len(sizes))
    for n, k, s, d, (before, after) in zip(sizes, kernels, strides, dilations, pads, strict=True):
        if k % 2 == 0:
            yield "even kernel_size"
        if s > 1:
            yield "stride > 1"
        if (n + before + after - d * (k - 1) - 1) % s:
            yield "stride that does not divide the way"
        if d > 1:
            yield "dilation > 1"
        if before != after:
            yield "asymmetric padding"
    if getattr(kind, "groups", 1) > 1:
        yield "groups > 1"


FEATURES = {
    "kernel_size": {"even kernel_size"},
    "stride": {"stride > 1", "stride that does not divide the way"},
    "dilation": {"dilation > 1"},
    "groups": {"groups > 1"},
    "padding": {"asymmetric padding"},
}
"""What must come up for each kind that has the field."""


def wanted(kind: type[Kind]) -> set[str]:
    """What must come up among the cases of a kind."""
    names = {field.name for field in fields(kind)}
    made = {"training", "prediction", *(f"batch {count}" for count in (0, 1, 3))}
    made |= {layout.__name__ for layout in LAYOUTS}
    made |= {"whole"} if kind in EXACT else set()
    made |= {feature for name in names & FEATURES.keys() for feature in FEATURES[name]}
    return made | {f"{count} axes" for count in readable_axes(kind)}


def readable_axes(kind: type[Kind]) -> set[int]:
    """How many spatial axes a kind reads: flat features, pictures, or both."""
    random = np.random.default_rng(0)
    found = {len(draw_step(kind, random).step.ins[0]) - 1 for _ in range(40)}
    return (found & {0}) | ({1, 2, 3} if found - {0} else set())


def each(value: Any, axes: int) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,) * axes


def explicit(padding: Any, axes: int) -> list[tuple[int, int]]:
    """Both sides of each axis; words are none."""
    sides = [0 if isinstance(side, str) else side for side in each(padding, axes)]
    return [(side[0], side[1]) if isinstance(side, tuple) else (side, side) for side in sides]


def test_gradients_are_the_derivatives_twice_where_pytorch_has_no_layer(
    subtests: pytest.Subtests,
) -> None:
    for kind in sorted(LACKING, key=lambda kind: kind.__name__):
        for seed in range(4):
            with subtests.test(kind=kind.__name__, seed=seed):
                check_numerically(kind, seed)


def check_numerically(kind: type[Kind], seed: int) -> None:
    random = np.random.default_rng(seed)
    drawn = draw_step(kind, random, TINY)
    learns = learner(
        drawn, drawn.weights(random), Moment(2, bool(seed % 2), as_it_comes, as_it_comes)
    )
    layer = next(layer for step, layer in learns.calls if step == drawn.step)
    held = dict(layer.named_parameters(recurse=False))
    xs = [torch.from_numpy(x) for x in drawn.arriving(random, 2)]
    leaves = [x.requires_grad_(x.is_floating_point()) for x in xs]

    def function(*values: torch.Tensor) -> torch.Tensor:
        given = dict(zip(held, values[len(xs) :], strict=True))
        made: torch.Tensor = torch.func.functional_call(layer, given, values[: len(xs)])
        return made

    arguments = (*leaves, *(parameter.detach().requires_grad_() for parameter in held.values()))
    assert torch.autograd.gradcheck(function, arguments)
    assert torch.autograd.gradgradcheck(function, arguments)
