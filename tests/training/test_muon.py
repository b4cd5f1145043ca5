"""Muon: orthogonal steps for matrices, plain momentum for the rest, and what a checkpoint keeps."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from foveal.engines import pytorch
from foveal.engines.weights import initial
from foveal.net.notation import parse
from foveal.recipe import Recipe
from foveal.training import optimisers
from foveal.training.muon import Muon, effort, orthogonal
from foveal.training.randomness import generator

NET = parse("conv 8 3 -> batchnorm -> relu -> conv 8 3 -> flatten -> dense 3")
RECIPE = Recipe(optimiser="muon", learning_rate=0.1, momentum=0.5, weight_decay=0.2, bias_rate=0.5)


def learner(recipe: Recipe = RECIPE) -> tuple[torch.nn.Module, Muon]:
    program = NET.bind((1, 8, 8))
    module = pytorch.module(program, initial(program, 0))
    made = optimisers.optimiser(module, recipe)
    assert isinstance(made, Muon)
    return module, made


def with_gradients(module: torch.nn.Module, seed: int = 0) -> None:
    source = generator(seed, "gradients")
    for parameter in module.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=source)


@pytest.mark.parametrize("shape", [(2, 5, 9), (3, 9, 5), (1, 4, 4), (1, 1, 6)])
def test_singular_values_come_near_one(shape: tuple[int, int, int]) -> None:
    matrices = torch.randn(shape, generator=generator(0, "matrices"))
    made = orthogonal(matrices, rounds=8)
    values = torch.linalg.svdvals(made)
    assert made.shape == matrices.shape
    assert values.min() > 0.6
    assert values.max() < 1.3
    u, _, v = torch.linalg.svd(matrices, full_matrices=False)
    alike = (made * (u @ v)).sum() / (made.norm() * (u @ v).norm())
    assert alike > 0.95


def test_its_length_does_not_matter() -> None:
    matrices = torch.randn((1, 4, 6), generator=generator(0, "matrices"))
    assert torch.allclose(orthogonal(matrices), orthogonal(1e6 * matrices), atol=1e-5)
    assert torch.equal(orthogonal(torch.zeros(1, 3, 3)), torch.zeros(1, 3, 3))


def test_a_kernel_takes_an_orthogonal_step_and_decays() -> None:
    module, optimiser = learner()
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    with_gradients(module)
    gradients = {name: p.grad.clone() for name, p in module.named_parameters()}
    for group in optimiser.param_groups:
        group["lr"] = 0.1 * group["share"]
    optimiser.step()
    for name, p in module.named_parameters():
        first = 1.5 * gradients[name]  # Nesterov: the gradient, and half of the mean
        if p.dim() > 1:
            rows, columns = p.flatten(1).shape
            step = orthogonal(first.flatten(1)[None])[0].reshape(p.shape)
            wanted = before[name] * (1 - 0.1 * 0.2) - 0.1 * max(1, rows / columns) ** 0.5 * step
        else:
            rate = 0.05 if name.endswith("bias") else 0.1
            wanted = before[name] - rate * first
        assert torch.allclose(p, wanted, atol=1e-6), name


def test_what_it_remembers_comes_back() -> None:
    module, optimiser = learner()
    with_gradients(module)
    optimiser.step()
    kept = optimisers.state(optimiser)
    weights = {name: p.detach().clone() for name, p in module.named_parameters()}
    other, fresh = learner()
    with torch.no_grad():
        for name, p in other.named_parameters():
            p.copy_(weights[name])
    optimisers.restore(fresh, kept)
    for each, its in ((module, optimiser), (other, fresh)):
        with_gradients(each, seed=1)
        its.step()
    for (_, one), (_, two) in zip(module.named_parameters(), other.named_parameters(), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("optimiser", ["sgd", "adamw", "muon"])
def test_biases_have_a_rate_of_their_own(optimiser: str) -> None:
    module, _ = learner()
    made = optimisers.optimiser(module, replace(RECIPE, optimiser=optimiser))
    shares = {
        name: group["share"]
        for group in made.param_groups
        for name, p in module.named_parameters()
        if any(p is held for held in group["params"])
    }
    assert {name for name, share in shares.items() if share == 0.5} == {
        name for name, _ in module.named_parameters() if name.endswith("bias")
    }
    assert len(shares) == len(list(module.parameters()))


def test_its_work_is_that_of_its_products() -> None:
    for shape in ((3, 5), (7, 2), (4, 4)):
        with FlopCounterMode(display=False) as counter:
            orthogonal(torch.randn(1, *shape))
        assert counter.get_total_flops() == 2 * effort(*shape)
