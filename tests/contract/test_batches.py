"""Pictures of one batch do not know of each other in the graph that is deployed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from support.kinds import draw_arriving
from support.nets import random_input, random_net, random_weights
from support.steps import draw_step

from foveal.engines import portable, reference
from foveal.net.kind import Kind
from foveal.net.layers import KINDS
from foveal.net.program import Program

NETS = range(40)
SHARE = 1e-6
"""Of the largest number: onnxruntime may sum in another order for one picture than for many."""


@dataclass(frozen=True)
class Case:
    program: Program
    weights: dict[str, np.ndarray]
    x: np.ndarray

    def largest(self) -> float:
        """Of the numbers that the net sums, those before it looks at the picture left out."""
        values = reference.build(self.program, self.weights).values(self.x)
        steps = self.program.steps
        looked_at = [values[step.path] for step in steps if not step.kind.geometric]
        return max(float(np.abs(y).max()) for y in looked_at or values.values())


def layer(kind: type[Kind]) -> Case:
    """A random layer of a kind, and three pictures for it."""
    random = np.random.default_rng(0)
    drawn = draw_step(kind, random)
    x = draw_arriving(random, drawn.program.steps[0].kind, 3, drawn.program.input)
    x = x.astype(np.float32) if x.dtype.kind == "f" else x
    return Case(drawn.program, drawn.weights(random), x)


def net(seed: int, batch: int) -> Case:
    made, shape = random_net(seed)
    program = made.bind(shape)
    return Case(program, random_weights(program, seed), random_input(program, seed, batch))


def check_alone(case: Case) -> None:
    engine = portable.build(case.program, case.weights)
    alone = [engine.run(case.x[n : n + 1]) for n in range(len(case.x))]
    for name, together in engine.run(case.x).items():
        each = np.concatenate([made[name] for made in alone])
        assert together.shape == each.shape
        assert np.abs(together - each).max() <= SHARE * case.largest()


def check_nan(case: Case) -> None:
    if case.x.dtype.kind != "f":  # bytes and other whole numbers cannot be NaN
        return
    engine, x = portable.build(case.program, case.weights), case.x.copy()
    before = engine.run(x)
    x[1] = np.nan
    for name, y in engine.run(x).items():
        assert np.array_equal(y[[0, 2]], before[name][[0, 2]])


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_gives_a_batch_what_it_gives_each_picture(kind: type[Kind]) -> None:
    check_alone(layer(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_nan_in_one_picture_of_a_layer_touches_no_other(kind: type[Kind]) -> None:
    check_nan(layer(kind))


@pytest.mark.parametrize("seed", NETS)
def test_a_net_gives_a_batch_what_it_gives_each_picture(seed: int) -> None:
    check_alone(net(seed, batch=5))


@pytest.mark.parametrize("seed", NETS)
def test_nan_in_one_picture_of_a_net_touches_no_other(seed: int) -> None:
    check_nan(net(seed, batch=3))
