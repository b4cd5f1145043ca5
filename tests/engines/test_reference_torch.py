"""The reference engine against PyTorch's functions: values and gradients, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.kinds import EXACT, ORACLES, TRAINING_ORACLES, is_exact
from support.kinds.drawing import Oracle, Tensors
from support.steps import Drawn, draw_step
from torch.nn import functional as F

from foveal.engines.reference import ROWS, Training
from foveal.engines.reference.row import Arrays, Context, Weights
from foveal.net.kind import Kind
from foveal.net.layers import BatchNorm

LARGE = {0: 1, 1: 12, 2: 12, 3: 9}
"""Up to 12 positions a side."""
MOMENTS = [
    *((kind, oracle, None) for kind, oracle in ORACLES.items()),
    *((kind, oracle, Training(0, 0)) for kind, oracle in TRAINING_ORACLES.items()),
]


def reference(
    drawn: Drawn, xs: Arrays, w: dict[str, np.ndarray], training: Training | None, seed: int
) -> tuple[np.ndarray, Arrays, Weights, np.ndarray]:
    row, context = ROWS[type(drawn.kind)], Context("step", training)
    y = row.forward(drawn.kind, xs, w, context)
    dy = np.random.default_rng(seed).integers(-4, 5, y.shape).astype(float)
    dxs, dw = row.backward(drawn.kind, xs, y, w, dy, context)
    return y, tuple(dxs), dw, dy


def oracles(
    oracle: Oracle, drawn: Drawn, xs: Arrays, w: dict[str, np.ndarray], dy: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray], dict[str, np.ndarray]]:
    """What the oracle makes, and its gradients by PyTorch: those of the trained tensors too."""
    leaves = [torch.tensor(x, requires_grad=True) for x in xs]
    trained = {tensor.name for tensor in drawn.step.tensors if tensor.trained}
    tensors: Tensors = {n: torch.tensor(w[n], requires_grad=n in trained) for n in w}
    y = oracle(drawn.kind, tuple(leaves), tensors)
    torch.autograd.backward(y, torch.tensor(dy))
    made = {name: gradient(tensors[name]) for name in trained}
    return y.detach().numpy(), [gradient(leaf) for leaf in leaves], made


def gradient(leaf: torch.Tensor) -> np.ndarray:
    """Zero where nothing depends on it."""
    return (torch.zeros_like(leaf) if leaf.grad is None else leaf.grad).numpy()


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize(("kind", "oracle", "training"), MOMENTS)
def test_values_and_gradients_equal_pytorchs(
    kind: type[Kind], oracle: Oracle, training: Training | None, seed: int
) -> None:
    random = np.random.default_rng([seed, 1])
    drawn = draw_step(kind, random, LARGE)
    xs = tuple(x.astype(float) for x in drawn.arriving(random, 3))
    w = drawn.own(drawn.weights(random))
    y, dxs, dw, dy = reference(drawn, xs, w, training, seed)
    expected, expected_dxs, expected_dw = oracles(oracle, drawn, xs, w, dy)

    assert y.shape[1:] == drawn.step.shape
    assert dw.keys() == expected_dw.keys()
    pairs = [(y, expected), *zip(dxs, expected_dxs, strict=True)]
    pairs += [(dw[name], expected_dw[name]) for name in dw]
    for ours, theirs in pairs:
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).max() <= 1e-12 * max(1, np.abs(theirs).max())


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("kind", [kind for kind in ORACLES if kind in EXACT])
def test_whole_numbers_are_met_exactly_and_ties_fall_alike(kind: type[Kind], seed: int) -> None:
    random = np.random.default_rng([seed, 2])
    drawn = draw_step(kind, random, LARGE)
    if not is_exact(drawn.kind):
        return
    xs = tuple(x.astype(float) for x in drawn.arriving(random, 2, whole=True))
    w = drawn.own(drawn.weights(random, whole=True))
    y, dxs, dw, dy = reference(drawn, xs, w, None, seed)
    expected, expected_dxs, expected_dw = oracles(ORACLES[kind], drawn, xs, w, dy)

    assert np.array_equal(y, expected)
    assert all(map(np.array_equal, dxs, expected_dxs))
    assert dw.keys() == expected_dw.keys()
    assert all(np.array_equal(dw[name], expected_dw[name]) for name in dw)


def test_running_statistics_equal_pytorchs() -> None:
    x = np.random.default_rng(0).standard_normal((3, 2, 4))
    kept = {"running_mean": np.array([0.5, -1]), "running_var": np.array([2.0, 0.5])}
    mean, variance = (torch.tensor(value) for value in kept.values())
    F.batch_norm(torch.tensor(x), mean, variance, training=True, momentum=0.3)
    made = ROWS[BatchNorm].statistics(BatchNorm(momentum=0.3), (x,), kept)
    assert np.allclose(made["running_mean"], mean, rtol=1e-14)
    assert np.allclose(made["running_var"], variance, rtol=1e-14)
