"""The reference engine against PyTorch's functions: values and both gradients, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from support.nets import GENERATORS
from torch.nn import functional as F

from foveal.engines.reference import ROWS, Training
from foveal.engines.reference.row import Context
from foveal.errors import SpecError
from foveal.net.kind import Kind
from foveal.net.layers import AvgPool, BatchNorm, Conv, Dense, GlobalAvgPool, MaxPool, Softmax

Tensors = dict[str, torch.Tensor]


def conv(kind: Conv, x: torch.Tensor, w: Tensors) -> torch.Tensor:
    axes = x.ndim - 2
    padded = F.pad(x, margins(kind, x, dilation=kind.dilation))
    convolve = (F.conv1d, F.conv2d, F.conv3d)[axes - 1]
    return convolve(padded, w["weight"], w.get("bias"), kind.stride, 0, kind.dilation, kind.groups)


def max_pool(kind: MaxPool, x: torch.Tensor, w: Tensors) -> torch.Tensor:
    pool = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[x.ndim - 3]
    padded = F.pad(x, margins(kind, x), value=-torch.inf)
    return pool(padded, kind.kernel_size, kind.stride)


def avg_pool(kind: AvgPool, x: torch.Tensor, w: Tensors) -> torch.Tensor:
    pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[x.ndim - 3]
    summed, counted = (
        pool(F.pad(array, margins(kind, x)), kind.kernel_size, kind.stride)
        for array in (x, torch.ones_like(x))
    )
    return summed / counted


def margins(kind: Any, x: torch.Tensor, dilation: Any = 1) -> list[int]:
    """Padding for `F.pad`, last axis first; `same` by the formula TensorFlow documents."""
    axes = x.ndim - 2

    def each(value: Any) -> tuple[Any, ...]:
        return value if isinstance(value, tuple) else (value,) * axes

    stride = kind.kernel_size if kind.stride is None else kind.stride
    made: list[int] = []
    for n, k, s, d, p in zip(
        x.shape[2:], *map(each, (kind.kernel_size, stride, dilation, kind.padding)), strict=True
    ):
        if p == "same":
            total = max((k - 1) * d + 1 - (n % s or s), 0)
            p = (total // 2, total - total // 2)
        before, after = (0, 0) if p == "valid" else each_side(p)
        made = [before, after, *made]
    return made


def each_side(padding: int | tuple[int, int]) -> tuple[int, int]:
    return padding if isinstance(padding, tuple) else (padding, padding)


def batch_norm(kind: BatchNorm, x: torch.Tensor, w: Tensors) -> torch.Tensor:
    return F.batch_norm(
        x, w["running_mean"], w["running_var"], w["weight"], w["bias"], False, 0.1, kind.eps
    )


def batch_norm_in_training(kind: BatchNorm, x: torch.Tensor, w: Tensors) -> torch.Tensor:
    kept = w["running_mean"].clone(), w["running_var"].clone()
    return F.batch_norm(x, *kept, w["weight"], w["bias"], True, kind.momentum, kind.eps)


Function = Callable[[Any, torch.Tensor, Tensors], torch.Tensor]
FUNCTIONS: list[tuple[type[Kind], Function, Training | None]] = [
    (Conv, conv, None),
    (MaxPool, max_pool, None),
    (AvgPool, avg_pool, None),
    (GlobalAvgPool, lambda kind, x, w: x.flatten(2).mean(2), None),
    (BatchNorm, batch_norm, None),
    (BatchNorm, batch_norm_in_training, Training(0, 0)),
    (Softmax, lambda kind, x, w: F.softmax(x, 1), None),
    (Dense, lambda kind, x, w: F.linear(x, w["weight"], w.get("bias")), None),
]


def example(kind_type: type[Kind], seed: int) -> tuple[Kind, tuple[int, ...]]:
    """A random layer and what it can read, with shapes up to 12 positions a side."""
    random = np.random.default_rng(seed)
    while True:
        sizes = tuple(map(int, random.integers(3, 13, random.integers(1, 4))))
        shape = (5,) if kind_type is Dense else (int(random.integers(1, 5)), *sizes)
        try:
            kind = GENERATORS[kind_type](random, shape)
            assert isinstance(kind, kind_type)
            kind.output((shape,))
            return kind, shape
        except SpecError:
            continue


def reference(
    kind: Kind, x: np.ndarray, w: dict[str, np.ndarray], training: Training | None, dy_seed: int
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray], np.ndarray]:
    row, context = ROWS[type(kind)], Context("step", training)
    y = row.forward(kind, (x,), w, context)
    dy = np.random.default_rng(dy_seed).integers(-4, 5, y.shape).astype(float)
    (dx,), dw = row.backward(kind, (x,), y, w, dy, context)
    return y, dx, dw, dy


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize(("kind_type", "function", "training"), FUNCTIONS)
def test_values_and_gradients_equal_pytorchs(
    kind_type: type[Kind], function: Function, training: Training | None, seed: int
) -> None:
    random = np.random.default_rng([seed, 1])
    kind, shape = example(kind_type, seed)
    x = random.standard_normal((3, *shape))
    w = {t.name: random.uniform(0.5, 1.5, t.shape) for t in kind.tensors((shape,))}
    y, dx, dw, dy = reference(kind, x, w, training, seed)

    leaf = torch.tensor(x, requires_grad=True)
    leaves = {name: torch.tensor(value, requires_grad=name in dw) for name, value in w.items()}
    made = function(kind, leaf, leaves)
    made.backward(torch.tensor(dy).reshape(made.shape))

    assert y.shape[1:] == kind.output((shape,))
    pairs = [(y, made.detach().reshape(y.shape)), (dx, leaf.grad)]
    pairs += [(dw[name], leaves[name].grad) for name in dw]
    for ours, theirs in pairs:
        expected = theirs.numpy()
        assert ours.shape == expected.shape
        assert np.abs(ours - expected).max() <= 1e-12 * max(1, np.abs(expected).max())


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize(("kind_type", "function"), [(Conv, conv), (MaxPool, max_pool)])
def test_whole_numbers_are_met_exactly_and_ties_fall_alike(
    kind_type: type[Kind], function: Function, seed: int
) -> None:
    random = np.random.default_rng([seed, 2])
    kind, shape = example(kind_type, seed)
    x = random.integers(-2, 3, (2, *shape)).astype(float)
    w = {t.name: random.integers(-3, 4, t.shape).astype(float) for t in kind.tensors((shape,))}
    y, dx, dw, dy = reference(kind, x, w, None, seed)

    leaf = torch.tensor(x, requires_grad=True)
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in w.items()}
    made = function(kind, leaf, leaves)
    made.backward(torch.tensor(dy))

    assert np.array_equal(y, made.detach())
    assert np.array_equal(dx, leaf.grad)
    assert all(np.array_equal(dw[name], leaves[name].grad) for name in dw)


def test_running_statistics_equal_pytorchs() -> None:
    x = np.random.default_rng(0).standard_normal((3, 2, 4))
    kept = {"running_mean": np.array([0.5, -1]), "running_var": np.array([2.0, 0.5])}
    mean, variance = (torch.tensor(value) for value in kept.values())
    F.batch_norm(torch.tensor(x), mean, variance, training=True, momentum=0.3)
    made = ROWS[BatchNorm].statistics(BatchNorm(momentum=0.3), (x,), kept)
    assert np.allclose(made["running_mean"], mean, rtol=1e-14)
    assert np.allclose(made["running_var"], variance, rtol=1e-14)
