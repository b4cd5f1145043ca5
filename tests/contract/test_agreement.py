"""One net as data, three engines: on 500 random nets they say the same."""

from __future__ import annotations

import pytest
import torch
from support.nets import differs, is_tossed, random_input, random_net, random_weights

from foveal import engines
from foveal.engines.pytorch import module
from foveal.net.arithmetic import arithmetic

FLOAT32, FLOAT64 = 1e-5, 1e-12
"""Largest difference, relative to the largest output."""


@pytest.mark.parametrize("seed", range(500))
def test_engines_and_arithmetic_agree(seed: int) -> None:
    net, shape = random_net(seed)
    program = net.bind(shape)
    weights, x = random_weights(program, seed), random_input(program, seed)
    truth = engines.build("reference", program, weights).run(x)
    assert {name: y.shape[1:] for name, y in truth.items()} == program.result_shapes()
    for name in ("portable", "pytorch"):
        made = engines.build(name, program, weights).run(x)
        assert made.keys() == truth.keys()
        for result, values in made.items():
            near = differs(values, truth[result]) <= FLOAT32
            assert near or is_tossed(program, weights, seed), (name, result)
    learns = module(program, weights)
    trained = sum(parameter.numel() for parameter in learns.parameters())
    assert arithmetic(program).parameters == trained
    state = {path: tuple(tensor.shape) for path, tensor in learns.state_dict().items()}
    assert state == {path: tensor.shape for path, tensor in program.tensors().items()}


@pytest.mark.parametrize("seed", range(0, 500, 5))
def test_in_double_precision_pytorch_is_the_definition(seed: int) -> None:
    net, shape = random_net(seed)
    program = net.bind(shape)
    weights, x = random_weights(program, seed), random_input(program, seed)
    truth = engines.build("reference", program, weights).run(x)
    learns = module(program, weights).double().eval()
    given = torch.from_numpy(x)
    made = learns(given.double() if given.is_floating_point() else given)
    for result, values in truth.items():
        assert differs(made[result].detach().numpy(), values) <= FLOAT64, result


def test_hardly_any_net_is_decided_by_rounding() -> None:
    bound = [(seed, random_net(seed)) for seed in range(500)]
    programs = [(seed, net.bind(shape)) for seed, (net, shape) in bound]
    tossed = [s for s, program in programs if is_tossed(program, random_weights(program, s), s)]
    assert len(tossed) <= 5
