"""Channels last, split, shuffled, laid out anew: what exporters write and no layer does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import TensorProto
from support.onnx_files import exported, model, node, numbers, whole, written
from torch import Tensor, nn

from foveal.errors import FovealError
from foveal.importing.onnx import from_onnx

TO_FIRST, TO_LAST = [0, 3, 1, 2], [0, 2, 3, 1]


def test_channels_last_come_first(tmp_path: Path) -> None:
    """As tf2onnx writes a net of Keras: pictures and flattening with the channels last."""
    nodes = [
        node("Sub", "x mean", "centred"),
        node("Transpose", "centred", "first", perm=TO_FIRST),
        node("Conv", "first kernel", "maps", kernel_shape=[3, 3], auto_pad="SAME_UPPER"),
        node("Transpose", "maps", "last", perm=TO_LAST),
        node("Add", "last bias", "shifted"),
        node("Relu", "shifted", "active"),
        node("Reshape", "active sizes", "flat"),
        node("MatMul", "flat matrix", "scores"),
        node("Add", "scores more", "y"),
    ]
    arrays = {
        "mean": numbers(3),
        "kernel": numbers(4, 3, 3, 3),
        "bias": numbers(4),
        "sizes": whole(-1, 5 * 6 * 4),
        "matrix": numbers(5 * 6 * 4, 7),
        "more": numbers(7),
    }
    imported = from_onnx(written(model(nodes, (5, 6, 3), arrays), tmp_path))
    assert imported.input == (3, 5, 6)
    assert imported.net.write() == (
        "Sub_centred: scale bias\nConv_maps: conv 4 3 same\nrelu -> flatten\nMatMul_scores: dense 7"
    )


def test_a_gate_with_the_channels_last(tmp_path: Path) -> None:
    """Squeeze and excitation: the mean of each channel weighs it."""
    nodes = [
        node("Transpose", "x", "first", perm=TO_FIRST),
        node("Conv", "first kernel", "maps"),
        node("Transpose", "maps", "last", perm=TO_LAST),
        node("ReduceMean", "last axes", "means", keepdims=1),
        node("MatMul", "means less", "few"),
        node("Relu", "few", "active"),
        node("MatMul", "active more", "many"),
        node("Sigmoid", "many", "gate"),
        node("Mul", "last gate", "y"),
    ]
    arrays = {
        "kernel": numbers(4, 3, 1, 1),
        "axes": whole(1, 2),
        "less": numbers(4, 2),
        "more": numbers(2, 4),
    }
    imported = from_onnx(written(model(nodes, (5, 6, 3), arrays), tmp_path))
    assert "multiply(" in imported.net.write()
    assert imported.program.result_shapes() == {"": (4, 5, 6)}, "the result has the channels first"


def test_a_difference_is_a_sum(tmp_path: Path) -> None:
    content = model([node("Relu", "x", "r"), node("Sub", "r x")], (3, 4, 4))
    assert from_onnx(written(content, tmp_path)).net.write() == "add( relu | gain -1 )"


def test_concatenation_with_the_channels_last(tmp_path: Path) -> None:
    nodes = [
        node("Transpose", "x", "first", perm=TO_FIRST),
        node("Relu", "first", "a"),
        node("Sigmoid", "first", "b"),
        node("Transpose", "a", "a_last", perm=TO_LAST),
        node("Transpose", "b", "b_last", perm=TO_LAST),
        node("Concat", "a_last b_last", "y", axis=-1),
    ]
    imported = from_onnx(written(model(nodes, (5, 6, 3)), tmp_path))
    assert imported.net.write() == "concat( relu | sigmoid )"


def test_features_of_words_come_last(tmp_path: Path) -> None:
    nodes = [
        node("Gather", "table x", "words"),
        node("Transpose", "words", "first", perm=[0, 2, 1]),
        node("Conv", "first kernel", "y"),
    ]
    arrays = {"table": numbers(11, 4), "kernel": numbers(6, 4, 3)}
    content = model(nodes, (9,), arrays, dtype=TensorProto.INT64)
    imported = from_onnx(written(content, tmp_path))
    assert imported.net.write() == "Gather_words: embed 11 4\nConv_y: conv 6 3 no bias"


class Shuffled(nn.Module):
    """Channels of two groups, one of each in turn, as in ShuffleNet; and split again."""

    def forward(self, x: Tensor) -> Tensor:
        n, channels, height, width = x.size()
        x = x.view(n, 2, channels // 2, height, width).transpose(1, 2).reshape(n, -1, height, width)
        a, b = x.chunk(2, 1)
        return torch.cat([torch.relu(b), a], 1)


def test_channels_are_shuffled_and_split(tmp_path: Path) -> None:
    imported = from_onnx(exported(Shuffled(), (6, 4, 4), tmp_path))
    assert imported.net.write() == "concat( take 4,2,5 -> relu | take 0,3,1 )"


class Flattened(nn.Module):
    """Flattening by sizes that are asked for while it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.max_pool2d(x, 2)
        return self.fc(x.view(x.size(0), x.shape[1] * x.size(2) * x.size(3)))


@pytest.mark.parametrize("batch", [None, 1, 3])
def test_sizes_that_are_computed_are_known(batch: int | None, tmp_path: Path) -> None:
    imported = from_onnx(exported(Flattened(), (3, 4, 4), tmp_path, batch=batch))
    assert imported.net.write() == "maxpool 2 -> flatten\nfc: dense 3"
    assert imported.names == {"fc.weight": "fc.weight", "fc.bias": "fc.bias"}


class Outputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.up = nn.ConvTranspose2d(4, 2, 2, stride=2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = nn.functional.silu(self.stem(x))
        down = nn.functional.interpolate(nn.functional.avg_pool2d(x, 2), scale_factor=2)
        return self.up(down + x), x.mean((2, 3))


def test_several_results_have_the_names_of_the_file(tmp_path: Path) -> None:
    net = Outputs()
    imported = from_onnx(exported(net, (3, 6, 6), tmp_path, batch=1, outputs=("mask", "means")))
    assert imported.program.result_shapes() == {"mask": (2, 12, 12), "means": (4,)}
    x = torch.randn(2, 3, 6, 6)
    made = imported.run(x.numpy())
    with torch.no_grad():
        for result, wanted in zip(made.values(), net(x), strict=True):
            assert np.abs(result - wanted.numpy()).max() <= 1e-5 * wanted.abs().max()


NORMS = nn.Sequential(
    nn.Conv2d(3, 4, 3, bias=False),
    nn.GroupNorm(2, 4),
    nn.Hardswish(),
    nn.InstanceNorm2d(4, affine=True),
    nn.GELU(),
)


@pytest.mark.parametrize("opset", [11, 13, 17, 20])
def test_formulas_are_the_layers_they_are(opset: int, tmp_path: Path) -> None:
    for norm in (NORMS[1], NORMS[3]):
        nn.init.uniform_(norm.weight)
        nn.init.uniform_(norm.bias)
    imported = from_onnx(exported(NORMS, (3, 6, 6), tmp_path, opset_version=opset))
    kinds = [step.kind.word for step in imported.program.steps]
    assert kinds == ["conv", "groupnorm", "hardswish", "instancenorm", "gelu"]


@pytest.mark.parametrize("read_within", [False, True])
def test_a_formula_is_a_layer_unless_its_inside_is_read(read_within: bool, tmp_path: Path) -> None:
    nodes = [
        node("Div", "x root", "a"),
        node("Erf", "a", "b"),
        node("Add", "one b", "c"),
        node("Mul", "c x", "d"),
        node("Mul", "half d", "e"),
        node("Add", "e b" if read_within else "e x"),
    ]
    numbers = {"root": 2**0.5, "one": 1, "half": 0.5}
    arrays = {name: np.array(number, np.float32) for name, number in numbers.items()}
    path = written(model(nodes, (3, 4, 4), arrays), tmp_path)
    if not read_within:
        assert from_onnx(path).net.write() == "add( gelu | identity )"
        return
    with pytest.raises(FovealError) as caught:
        from_onnx(path)
    assert caught.value.headline() == "node 'Erf_b' (Erf): has no layer that does the same"
