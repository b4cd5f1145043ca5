"""One net as data, three engines: on 500 random nets they say the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.nets import random_input, random_net, random_weights

from foveal import engines
from foveal.engines.pytorch import module
from foveal.net.arithmetic import arithmetic

FLOAT32, FLOAT64 = 1e-5, 1e-12
"""Largest difference, relative to the largest output."""


def close(a: np.ndarray, b: np.ndarray, tolerance: float) -> bool:
    scale = np.abs(b).max()
    return a.shape == b.shape and bool(np.abs(a - b).max() <= tolerance * max(scale, 1e-30))


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
            assert close(values, truth[result], FLOAT32), (name, result)
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
        assert close(made[result].detach().numpy(), values, FLOAT64), result
