"""Published nets by PyTorch's exporter: the same outputs as the module itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from support.onnx_files import exported
from support.published import build, randomise

from foveal.importing.onnx import from_onnx

NETS = ("resnet18", "vgg11", "mobilenet_v2", "densenet121", "squeezenet1_1")
MORE = ("alexnet", "googlenet", "inception_v3", "convnext_tiny")
SIDES = {"alexnet": 224, "inception_v3": 96, "vgg11": 32}


def net(name: str) -> torch.nn.Module:
    made = build(name, 7)
    if name == "vgg11":  # for small pictures: the exporter knows no pooling that enlarges
        made.avgpool = torch.nn.Identity()
        made.classifier = torch.nn.Sequential(torch.nn.Linear(512, 64), torch.nn.Linear(64, 7))
    return randomise(made, SIDES.get(name, 32)).eval()


@pytest.mark.parametrize(
    "name", [*NETS, *(pytest.param(name, marks=pytest.mark.long) for name in MORE)]
)
def test_a_published_net_gives_the_same_outputs(name: str, tmp_path: Path) -> None:
    module, side = net(name), SIDES.get(name, 32)
    imported = from_onnx(exported(module, (3, side, side), tmp_path))
    x = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        wanted = module(x).numpy()
    made = imported.run(x.numpy())[""]
    assert np.abs(made - wanted).max() <= 1e-5 * np.abs(wanted).max()
    assert not set(imported.names.values()) & {""}


@pytest.fixture(scope="module")
def convnext() -> torch.nn.Module:
    """Its first blocks."""
    features, *_ = net("convnext_tiny").children()
    return torch.nn.Sequential(*list(features)[:2])


@pytest.mark.parametrize("opset", [9, 11, 13, 16, 18])
def test_every_operator_set_says_the_same_net(opset: int, convnext, tmp_path: Path) -> None:
    """ConvNeXt has what changed most: layer norm and GELU were formulas once."""
    imported = from_onnx(exported(convnext, (3, 16, 16), tmp_path, opset_version=opset))
    kinds = {step.kind.word for step in imported.program.steps} - {"identity"}
    assert kinds == {"conv", "layernorm", "depthwise", "gelu", "scale", "add"}
