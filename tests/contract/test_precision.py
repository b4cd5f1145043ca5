"""Every kind runs and learns in bfloat16, near what it makes in float32, and can be copied."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from support.kinds import NUMBERED
from support.steps import Drawn, draw_step
from torch import Tensor

from foveal.engines.pytorch import Module, module
from foveal.engines.pytorch.layer import AnyLayer
from foveal.net.kind import Kind
from foveal.net.layers import KINDS, StochasticPool

SEEDS = range(12)
NEAR = 0.06
"""Of the largest number: bfloat16 has 8 bits, and products have several factors."""
WHOLE = frozenset({*NUMBERED, StochasticPool})
"""Kinds that read numbers of things, or by the last digit another value."""


def learns(drawn: Drawn, weights: dict[str, np.ndarray], training: bool) -> Module:
    made = module(drawn.program, weights).train(training).requires_grad_(True)
    made.at(3, 5)
    return made


def layer_of(made: Module, drawn: Drawn) -> AnyLayer:
    return next(layer for step, layer in made.calls if step == drawn.step)


def called(layer: AnyLayer, xs: list[Tensor], autocast: bool) -> list[Tensor]:
    """What a layer makes, and the gradients of what it reads and of its weights."""
    xs = [x.detach().clone().requires_grad_() for x in xs]
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        y = layer(*xs)
    y.float().square().sum().backward()
    held = [*xs, *layer.parameters(recurse=False)]
    gradients = [torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in held]
    return [made.detach().float() for made in (y, *gradients)]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in WHOLE])
def test_values_and_gradients_in_bfloat16(kind: type[Kind], training: bool) -> None:
    for seed in SEEDS:
        random = np.random.default_rng(seed)
        drawn = draw_step(kind, random)
        weights = drawn.weights(random)
        xs = [torch.from_numpy(x) for x in drawn.arriving(random, 3)]
        if not all(x.is_floating_point() for x in xs):  # bytes
            continue
        low = [x.bfloat16() for x in xs]
        for arriving in ([x.float() for x in low], low):
            made = [
                called(layer_of(learns(drawn, weights, training), drawn), given, autocast)
                for given, autocast in (([x.float() for x in low], False), (arriving, True))
            ]
            largest = float(made[0][0].abs().max())
            for wanted, found in zip(*made, strict=True):
                scale = max(float(wanted.abs().max()), 2 * largest, 0.01)
                assert float((found - wanted).abs().max()) <= NEAR * scale, drawn.kind


@pytest.mark.parametrize("kind", KINDS)
def test_a_module_can_be_copied_and_pickled(kind: type[Kind]) -> None:
    random = np.random.default_rng(0)
    drawn = draw_step(kind, random)
    made = learns(drawn, drawn.weights(random), training=True)
    x = torch.from_numpy(next(iter(drawn.arriving(random, 3)))) if drawn.is_alone else None
    for twin in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):  # noqa: S301
        assert twin.state_dict().keys() == made.state_dict().keys()
        if x is not None:
            x = x.float() if x.is_floating_point() else x
            assert torch.equal(twin(x)[""], made(x)[""])
