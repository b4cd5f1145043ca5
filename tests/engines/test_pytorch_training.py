"""While it learns, PyTorch computes what the reference engine defines: values, gradients, masks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.nets import random_input, random_net, random_weights

from foveal.engines import pytorch, reference
from foveal.engines.reference.row import Training

TOLERANCE = 1e-11
"""Relative to the largest value, in float64; where that should be zero, to 1."""


def near(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.abs(a - b).max(initial=0) <= TOLERANCE * max(np.abs(b).max(initial=0), 1))


@pytest.mark.parametrize("seed", range(2, 500, 10))
def test_values_gradients_and_statistics_of_a_step(seed: int) -> None:
    net, shape = random_net(seed)
    program = net.bind(shape)
    weights = {
        path: value.astype(np.float64) for path, value in random_weights(program, seed).items()
    }
    x = random_input(program, seed, batch=4)
    training = Training(seed=3, step=7)
    defined = reference.build(program, weights)
    wanted = defined.run(x, training)

    module = pytorch.module(program, weights).double().train()
    pytorch.load(module, weights)
    module.at(training.seed, training.step)
    arriving = torch.tensor(x) if x.dtype == np.uint8 else torch.tensor(x).double()
    made = module(arriving)
    assert made.keys() == wanted.keys()
    assert all(near(made[name].detach().numpy(), wanted[name]) for name in wanted)

    random = np.random.default_rng(seed)
    flowing = {name: random.standard_normal(value.shape) for name, value in wanted.items()}
    gradients = defined.backward(x, flowing, training).weights
    total = sum((made[name] * torch.from_numpy(flowing[name])).sum() for name in made)
    if gradients:
        total.backward()
    for path, parameter in module.named_parameters():
        found = np.zeros(parameter.shape) if parameter.grad is None else parameter.grad.numpy()
        assert near(found, gradients[path]), path
    for path, value in defined.statistics(x, training).items():
        assert near(module.state_dict()[path].numpy(), value), path
