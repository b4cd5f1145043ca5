"""Max pooling before the activation: the same bits, less to compute, hands off what others use."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.nets import random_input, random_net, random_weights

from foveal.engines import pytorch
from foveal.engines.rewrites import pool_first
from foveal.net.kind import Shape
from foveal.net.notation import parse
from foveal.net.program import Program


def learned(program: Program, weights: dict[str, np.ndarray], x: torch.Tensor) -> list[np.ndarray]:
    """The results of a batch in training, then what flows back to the picture and the weights."""
    module = pytorch.module(program, weights).train()
    module.at(0, 0)
    x = x.clone().requires_grad_(x.is_floating_point())
    made = module(x)
    random = torch.Generator().manual_seed(0)
    total = sum((y * torch.randn(y.shape, generator=random)).sum() for y in made.values())
    if isinstance(total, torch.Tensor) and total.requires_grad:
        total.backward()
    held = [*made.values(), x.grad, *(p.grad for p in module.parameters())]
    return [value.detach().numpy() for value in held if value is not None]


def paths(net: str, shape: Shape = (2, 8, 8)) -> list[str]:
    return [step.path for step in pool_first(parse(net).bind(shape)).steps]


@pytest.mark.parametrize(
    ("net", "order"),
    [
        ("conv 4 3 -> relu -> maxpool 2", ["conv1", "maxpool1", "relu1"]),
        ("relu max 6 -> maxpool 3 stride 2", ["maxpool1", "relu1"]),
        ("leakyrelu -> maxpool 2", ["maxpool1", "leakyrelu1"]),
        ("hardtanh -> minpool 2", ["minpool1", "hardtanh1"]),
        ("relu -> globalmaxpool -> dense 3", ["globalmaxpool1", "relu1", "dense1"]),
        ("relu -> globalminpool", ["globalminpool1", "relu1"]),
        ("relu -> adaptivemaxpool 3", ["adaptivemaxpool1", "relu1"]),
        ("leakyrelu -> relu -> maxpool 2", ["maxpool1", "leakyrelu1", "relu1"]),
        ("relu -> maxpool 2 -> maxpool 2", ["maxpool1", "maxpool2", "relu1"]),
    ],
)
def test_pooling_passes(net: str, order: list[str]) -> None:
    assert paths(net) == order


@pytest.mark.parametrize(
    "net",
    [
        "r: relu -> maxpool 2 -> flatten -> concat( identity | @r -> flatten )",
        "outputs( a: [r: relu -> outputs( b: maxpool 2 | c: @r )] | d: identity )",
        "r: relu -> outputs( a: maxpool 2 | b: @r )",
        "relu -> maxpool 3 stride 1 same",
        "tanh -> maxpool 2",
        "gelu -> maxpool 2",
        "batchnorm -> maxpool 2",
        "relu -> avgpool 2",
        "relu -> dropout -> maxpool 2",
    ],
    ids=[
        "the activation is referred to",
        "the activation is a result of a branch",
        "the activation is a result",
        "pooling makes nothing smaller",
        "rounding may change the order",
        "the activation falls before it rises",
        "its scale may turn the order",
        "a mean is no choice",
        "something stands between",
    ],
)
def test_pooling_does_not_pass_where(net: str) -> None:
    assert paths(net) == [step.path for step in parse(net).bind((2, 8, 8)).steps]


@pytest.mark.parametrize(
    "net",
    [
        "conv 8 3 -> relu -> maxpool 2 -> conv 8 3 -> relu -> maxpool 2 -> flatten -> dense 3",
        "conv 8 3 -> relu max 1 -> maxpool 3 stride 2 padding 1 -> flatten -> dense 3",
        "conv 8 3 -> batchnorm -> hardtanh -> minpool 3 stride 2 -> flatten -> dense 3",
        "conv 8 3 -> relu -> globalmaxpool -> dense 3",
    ],
)
def test_results_and_gradients_are_the_same_bits(net: str) -> None:
    program = parse(net).bind((2, 18, 18))
    # Whole numbers: many windows have equal values, above, at and below zero.
    weights = {path: np.rint(2 * w) for path, w in random_weights(program, 0).items()}
    x = torch.randint(-2, 3, (4, 2, 18, 18), generator=torch.Generator().manual_seed(0)).float()
    moved = pool_first(program)
    assert moved != program
    for made, wanted in zip(learned(moved, weights, x), learned(program, weights, x), strict=True):
        assert np.array_equal(made, wanted)


def test_random_nets_learn_the_same_but_for_rounding() -> None:
    moved = 0
    for seed in range(0, 500, 2):
        net, shape = random_net(seed)
        program = net.bind(shape)
        rewritten = pool_first(program)
        if rewritten == program:
            continue
        moved += 1
        assert rewritten.results == program.results
        assert rewritten.result_shapes() == program.result_shapes()
        assert rewritten.tensors() == program.tensors()
        assert {step.path for step in rewritten.steps} == {step.path for step in program.steps}
        weights, x = random_weights(program, seed), torch.tensor(random_input(program, seed))
        for made, wanted in zip(
            learned(rewritten, weights, x), learned(program, weights, x), strict=True
        ):
            assert np.abs(made - wanted).max(initial=0) <= 1e-6 * np.abs(wanted).max(initial=1)
    assert moved > 1
