"""Schedules, losses, optimisers, running means and random sources, each alone."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch
from torch import nn

from foveal.engines.pytorch import module
from foveal.net.notation import parse
from foveal.recipe import Recipe
from foveal.tasks import TASKS
from foveal.training import optimisers
from foveal.training.losses import LOSSES, cross_entropy
from foveal.training.optimisers import Average
from foveal.training.randomness import generator
from foveal.training.schedule import SCHEDULES, WARM_UP


def test_every_word_of_a_recipe_has_its_function() -> None:
    words = {one.name: one.metadata["constraint"].words for one in fields(Recipe)}
    assert set(SCHEDULES) == set(words["schedule"])
    for word in words["optimiser"]:
        optimisers.optimiser(nn.Linear(2, 2), Recipe(optimiser=word))


def test_every_task_has_a_loss() -> None:
    assert set(LOSSES) == set(TASKS)


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_schedules_end_at_zero_and_never_leave_the_unit_interval(name: str) -> None:
    shares = [SCHEDULES[name](step / 1000) for step in range(1001)]
    assert shares[-1] == 0
    assert max(shares) == pytest.approx(1)
    assert min(shares) >= 0


def test_one_cycle_goes_up_once_and_down_once() -> None:
    shares = np.array([SCHEDULES["one-cycle"](step / 1000) for step in range(1001)])
    top = int(shares.argmax())
    assert top == 1000 * WARM_UP
    assert (np.diff(shares[: top + 1]) > 0).all()
    assert (np.diff(shares[top:]) < 0).all()


def test_cross_entropy_of_equal_scores_is_the_logarithm_of_the_classes() -> None:
    scores, labels = torch.zeros(4, 10), torch.arange(4)
    for smoothing in (0.0, 0.1):
        assert float(cross_entropy(scores, labels, smoothing)) == pytest.approx(np.log(10))


def test_cross_entropy_is_computed_in_float32() -> None:
    scores = torch.zeros(2, 3, dtype=torch.bfloat16)
    assert cross_entropy(scores, torch.tensor([0, 1]), 0.0).dtype == torch.float32


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_biases_and_norms_do_not_decay(name: str) -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    nn.init.ones_(module[0].bias)
    before = {key: value.clone() for key, value in module.named_parameters()}
    made = optimisers.optimiser(module, Recipe(optimiser=name, weight_decay=0.5))
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    made.step()
    changed = {key for key, value in module.named_parameters() if not value.equal(before[key])}
    assert changed == {"0.weight"}


def test_factors_and_biases_with_axes_do_not_decay_either() -> None:
    text = "type: local 2 3 -> layernorm over all -> conv 2 1 weight weight_norm -> flatten"
    net = module(parse(text).bind((1, 5, 5)), 0)
    decaying, others = optimisers.optimiser(net, Recipe(weight_decay=0.5)).param_groups
    paths = {parameter: path for path, parameter in net.named_parameters()}
    assert {paths[p] for p in decaying["params"]} == {"type.weight", "conv1.weight"}
    assert len(decaying["params"]) + len(others["params"]) == len(paths)
    assert others["weight_decay"] == 0


def test_sgd_follows_nesterov() -> None:
    weight = nn.Parameter(torch.tensor([[1.0]]))
    module = nn.Module()
    module.weight = weight
    made = optimisers.optimiser(module, Recipe(learning_rate=0.1, momentum=0.9, weight_decay=0.0))
    value, velocity = 1.0, 0.0
    for _ in range(3):
        weight.grad = 2 * weight.detach()
        made.step()
        gradient = 2 * value
        velocity = 0.9 * velocity + gradient
        value -= 0.1 * (gradient + 0.9 * velocity)
        assert weight.item() == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_an_optimiser_takes_up_what_it_remembers(name: str) -> None:
    def module() -> nn.Module:
        torch.manual_seed(0)
        layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4, 2))
        return layers.to(memory_format=torch.channels_last)

    def learn(net: nn.Module, made: torch.optim.Optimizer, start: int, end: int) -> None:
        for number in range(start, end):
            x = torch.randn(5, 3, 3, 3, generator=generator(0, number))
            made.zero_grad()
            net(x.to(memory_format=torch.channels_last)).square().mean().backward()
            made.step()

    recipe = Recipe(optimiser=name)
    whole = module()
    learn(whole, optimisers.optimiser(whole, recipe), 0, 6)
    half = module()
    first = optimisers.optimiser(half, recipe)
    learn(half, first, 0, 3)
    second = optimisers.optimiser(half, recipe)
    optimisers.restore(second, optimisers.state(first))
    learn(half, second, 3, 6)
    for a, b in zip(whole.parameters(), half.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_running_mean_follows_its_formula_and_the_last_weights_come_back() -> None:
    module = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(module.weight)
    average = Average(module, 0.5)
    for steps, value, mean in ((1, 1.0, 1 - 2 / 11), (20, 3.0, (1 - 2 / 11) / 2 + 1.5)):
        nn.init.constant_(module.weight, value)
        average.update(steps)
        with average.shown():
            assert module.weight.item() == pytest.approx(mean)
        assert module.weight.item() == value


def test_without_decay_the_last_weights_are_the_mean() -> None:
    module = nn.Linear(1, 1)
    average = Average(module, 0.0)
    nn.init.constant_(module.weight, 3.0)
    average.update(1)
    with average.shown():
        assert module.weight.item() == 3
    assert module.weight.item() == 3


@pytest.mark.parametrize(("decay", "shown"), [(0.0, 6.0), (0.5, (2 * 2 / 11 + 8 * 9 / 11) / 2 + 1)])
def test_an_anchor_mixes_in_the_start(decay: float, shown: float) -> None:
    module = nn.Linear(1, 1, bias=False)
    nn.init.constant_(module.weight, 2.0)
    average = Average(module, decay, anchor=0.5 if decay else 1 / 3)
    nn.init.constant_(module.weight, 8.0)
    average.update(1)
    for _ in range(2):
        with average.shown():
            assert module.weight.item() == pytest.approx(shown)
        assert module.weight.item() == 8


def test_random_sources_differ_by_seed_and_purpose() -> None:
    drawn = {
        tuple(torch.rand(2, generator=generator(*key)).tolist())
        for key in ((0, "order", 1), (1, "order", 1), (0, "order", 2), (0, "augment", 1))
    }
    assert len(drawn) == 4
