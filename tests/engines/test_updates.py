"""The arithmetic of an optimiser's step is that of PyTorch."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from foveal.engines.reference.explaining.updates import Update, adamw, sgd
from foveal.recipe import Recipe
from foveal.training.optimisers import BETA_2, optimiser

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
