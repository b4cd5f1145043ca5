"""Modules as nets: published ones, what a module returns, and that it stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from support.published import build, randomise
from torch import Tensor, nn
from torch.nn import functional as F

import foveal
from foveal import engines
from foveal.engines.pytorch.tracing import from_torch
from foveal.importing.imported import Imported
from foveal.net.notation import parse

SIDES = {"inception_v3": 75, "squeezenet1_1": 33, "alexnet": 63}
"""Pixels, where 32 are too few."""
QUICK = ("resnet18", "mobilenet_v2", "densenet121", "squeezenet1_1", "vgg11")
SLOW = ("googlenet", "inception_v3", "convnext_tiny", "resnet50", "alexnet")


@cache
def published(name: str) -> tuple[nn.Module, Imported]:
    """A published net with random weights, and what it was read as."""
    side = SIDES.get(name, 32)
    module = build(name, 10)
    if name == "vgg11":  # its dense layers are most of it, and like any others
        module.classifier = nn.Sequential(nn.Linear(512 * 7 * 7, 16), nn.ReLU(), nn.Linear(16, 10))
    randomise(module, side)
    return module, from_torch(module, torch.randn(1, 3, side, side))


@pytest.mark.parametrize(
    "name", [*QUICK, *(pytest.param(name, marks=pytest.mark.long) for name in SLOW)]
)
def test_a_published_net_gives_the_same_results(name: str) -> None:
    module, imported = published(name)
    assert parse(imported.net.write()) == imported.net
    tensors = module.state_dict().items()
    kept = [tensor for key, tensor in tensors if not key.endswith("num_batches_tracked")]
    assert sum(each.size for each in imported.weights.values()) == sum(
        tensor.numel() for tensor in kept
    )
    x = torch.randn(2, *imported.input)
    engine = engines.build("portable", imported.program, imported.weights, optimise=False)
    expected = module(x).detach().numpy()
    assert np.abs(engine.run(x.numpy())[""] - expected).max() < 1e-5 * np.abs(expected).max()


def test_a_residual_net_reads_well() -> None:
    lines = published("resnet18")[1].net.write().replace(" momentum 1", "").split("\n")
    assert lines[:11] == [
        "conv1: conv 64 7 stride 2 padding 3 no bias",
        "bn1: batchnorm",
        "relu -> maxpool 3 stride 2 padding 1",
        "add(",
        "    layer1_0_conv1: conv 64 3 padding 1 no bias",
        "    layer1_0_bn1: batchnorm",
        "    relu",
        "    layer1_0_conv2: conv 64 3 padding 1 no bias",
        "    layer1_0_bn2: batchnorm",
        "  | identity",
        ")",
    ]
    assert lines[-2:] == ["relu -> globalavgpool", "fc: dense 10"]


def test_tensors_keep_the_names_of_the_module() -> None:
    module, imported = published("resnet18")
    theirs = module.state_dict()
    assert imported.names["add1.0.layer1_0_bn1.running_var"] == "layer1.0.bn1.running_var"
    for path, name in imported.names.items():
        assert np.array_equal(imported.weights[path], theirs[name].numpy())


class Net(nn.Module):
    """One layer, and a function of it and what arrives."""

    def __init__(self, function: Callable[[nn.Module, Tensor], Any]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.drop = nn.Dropout(0.4)
        self.norm = nn.BatchNorm2d(3)
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def read(function: Callable[[Any, Tensor], Any]) -> Imported:
    return from_torch(Net(function), torch.randn(2, 3, 8, 8))


def written(function: Callable[[Any, Tensor], Any]) -> str:
    return read(function).net.write()


def in_place(net: Any, x: Tensor) -> Tensor:
    y = net.conv(x)
    F.relu(y, inplace=True)
    y += x
    return net.norm(y)


def by_shape(net: Any, x: Tensor) -> Tensor:
    n, channels, *_ = x.shape
    if channels != 3 or x.ndim != 4:
        raise ValueError
    return net.conv(x).view(n, channels * x.size(2) * x.size(-1))


def unused(net: Any, x: Tensor) -> Tensor:
    """What no row tells may be computed where no result depends on it."""
    x.sort()
    return net.conv(x)


CONV = "conv: conv 3 3 padding 1"


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda net, x: net.conv(x), CONV),
        (lambda net, x: x + net.drop(x), "add( identity | dropout 0.4 )"),
        (lambda net, x: net.conv(net.conv(x)), f"{CONV} -> again conv"),
        (lambda net, x: (net.conv(x), x), f"outputs( {CONV} | identity )"),
        (lambda net, x: {"a": x, "b.c": x.relu()}, "outputs( a: [identity] | b_c: [relu] )"),
        (lambda net, x: [net.conv(x)], CONV),
        (in_place, f"add( {CONV} -> relu | identity )\nnorm: batchnorm"),
        (by_shape, f"{CONV} -> flatten"),
        (unused, CONV),
        (lambda net, x: x, "identity"),
    ],
)
def test_what_a_module_does_and_returns(function: Any, text: str) -> None:
    assert written(function) == text


def test_several_results_keep_their_names() -> None:
    imported = read(lambda net, x: {"a": x, "b": net.conv(x)})
    assert list(imported.run(np.zeros((1, 3, 8, 8), np.float32))) == ["a", "b"]


@pytest.mark.parametrize("fails", [False, True])
def test_the_module_stays_as_it_was(fails: bool) -> None:
    module = Net(lambda net, x: net.norm(net.drop(net.conv(x))) if not fails else x.cumsum(1))
    module.train()
    module.norm.eval()
    before = {key: tensor.clone() for key, tensor in module.state_dict().items()}
    known = {id(part): set(vars(part)) for part in module.modules()}
    example = torch.randn(2, 3, 8, 8)
    kept = example.clone()
    try:
        from_torch(module, example)
        assert not fails
    except foveal.FovealError:
        assert fails
    assert (module.training, module.drop.training, module.norm.training) == (True, True, False)
    for part in module.modules():
        assert not part._forward_hooks
        assert not part._forward_pre_hooks
        assert set(vars(part)) == known[id(part)]
    assert all(torch.equal(before[key], tensor) for key, tensor in module.state_dict().items())
    assert torch.equal(example, kept)
    assert torch.is_grad_enabled()
    assert module.conv(example).requires_grad


def test_the_net_stays_as_it_was_read() -> None:
    module = Net(lambda net, x: net.conv(x))
    imported = from_torch(module, torch.randn(1, 3, 8, 8))
    kept = imported.weights["conv.bias"].copy()
    with torch.no_grad():
        module.conv.bias.add_(1)
    assert np.array_equal(imported.weights["conv.bias"], kept)


def test_it_reads_in_inference_mode_too() -> None:
    with torch.inference_mode():
        assert from_torch(nn.ReLU(), torch.randn(1, 3, 8, 8)).net.write() == "relu"


def test_a_net_of_foveal_is_read_back() -> None:
    net = parse("a: conv 4 3 -> relu -> add( identity | b: conv 4 1 -> sigmoid ) -> globalavgpool")
    imported = from_torch(foveal.module(net, (3, 9, 9)), torch.randn(1, 3, 9, 9))
    assert imported.net.write() == net.write().replace("b:", "add1_1_b:")
    assert imported.names["add1.1.add1_1_b.weight"] == "add1.1.b.weight"
