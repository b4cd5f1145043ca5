"""Each operator as the layer it is; `from_onnx` itself compares the answers with onnxruntime."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto
from support.onnx_files import Array, model, node, numbers, one, whole, written

from foveal.importing.onnx import ROWS, from_onnx
from foveal.net.notation import parse

P, M = (3, 6, 7), (4, 3, 3, 3)  # a picture, and a kernel for it
C = numbers(3)
POSITIVE = np.abs(C) + 0.5
MATRIX = numbers(5, 4)

# operator, what arrives, its other inputs, its options, what it is
ONE: tuple[tuple[str, tuple[int, ...], tuple[Array | None, ...], dict[str, Any], str], ...] = (
    ("Conv", P, (numbers(*M),), {}, "conv 4 3 no bias"),
    ("Conv", P, (numbers(*M), numbers(4)), {"strides": [2, 1], "pads": [1, 0, 1, 2]},
     "conv 4 3 stride 2x1 padding 1x0:2"),
    ("Conv", P, (numbers(6, 1, 3, 3),), {"group": 3, "dilations": [2, 2], "auto_pad": "VALID"},
     "depthwise 3 multiplier 2 dilation 2 no bias"),
    ("Conv", (4, 6, 6), (numbers(4, 2, 2, 2),), {"group": 2, "auto_pad": "SAME_LOWER"},
     "conv 4 2 same_lower groups 2 no bias"),
    ("Conv", (3, 9), (numbers(4, 3, 5),), {"kernel_shape": [5], "auto_pad": "SAME_UPPER"},
     "conv 4 5 same no bias"),
    ("Conv", (2, 4, 5, 6), (numbers(3, 2, 2, 2, 2),), {}, "conv 3 2 no bias"),
    ("ConvTranspose", P, (numbers(3, 2, 4, 4), numbers(2)),
     {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 0]},
     "convtranspose 2 4 stride 2 padding 1 output_padding 1x0"),
    ("MaxPool", P, (), {"kernel_shape": [2, 2], "strides": [2, 2]}, "maxpool 2"),
    ("MaxPool", P, (), {"kernel_shape": [3, 3], "pads": [1] * 4, "ceil_mode": 1,
                        "dilations": [2, 1], "strides": [2, 2]},
     "maxpool 3 stride 2 padding 1 dilation 2x1 ceil"),
    ("MaxPool", P, (), {"kernel_shape": [1, 1]}, "identity"),
    ("AveragePool", P, (), {"kernel_shape": [3, 2], "pads": [1, 0, 1, 0], "count_include_pad": 1},
     "avgpool 3x2 stride 1 padding 1x0 count_include_pad"),
    ("AveragePool", P, (), {"kernel_shape": [2, 2], "strides": [2, 2], "count_include_pad": 1},
     "avgpool 2"),
    ("LpPool", P, (), {"kernel_shape": [2, 2], "p": 3}, "lppool 2 stride 1 p 3"),
    ("GlobalAveragePool", P, (), {}, "globalavgpool keep"),
    ("GlobalMaxPool", P, (), {}, "globalmaxpool keep"),
    ("GlobalLpPool", P, (), {"p": 3}, "globallppool keep p 3"),
    ("Pad", P, (whole(0, 0, 1, 0, 0, 0, 1, 2),), {"mode": "reflect"}, "pad 1x0:2 reflect"),
    ("Pad", P, (whole(1, 1), np.array(0.5, np.float32), whole(3)), {}, "pad 0x1 fill 0.5"),
    ("Pad", P, (whole(*[0] * 8),), {}, "identity"),
    ("Resize", P, (None, np.array([1, 1, 2, 3], np.float32)),
     {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
     "upsample 2x3"),
    ("Resize", P, (None, np.array([1, 1, 2, 2], np.float32)), {"mode": "nearest"}, "upsample 2"),
    ("Resize", P, (None, np.array([1, 1, 2, 2], np.float32)), {"mode": "linear"},
     "upsample 2 linear"),
    ("Resize", P, (None, np.array([1, 1, 3, 2], np.float32)),
     {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
     "upsample 3x2 linear align_corners"),
    ("Relu", P, (), {}, "relu"),
    ("LeakyRelu", P, (), {"alpha": 0.2}, "leakyrelu 0.2"),
    ("PRelu", P, (np.full((3, 1, 1), 0.25, np.float32),), {}, "leakyrelu 0.25"),
    ("Elu", P, (), {"alpha": 0.5}, "elu 0.5"),
    ("Gelu", P, (), {"approximate": "tanh"}, "gelu approximate tanh"),
    ("Selu", P, (), {}, "elu 1.67326 -> gain 1.0507"),
    ("Neg", P, (), {}, "gain -1"),
    ("Sigmoid", P, (), {}, "sigmoid"),
    ("HardSigmoid", P, (), {"alpha": 1 / 6}, "hardsigmoid"),
    ("HardSigmoid", P, (), {}, "scale bias -> hardtanh 0"),
    ("HardSwish", P, (), {}, "hardswish"),
    ("Softplus", P, (), {}, "softplus"),
    ("Mish", P, (), {}, "multiply( identity | softplus -> tanh )"),
    ("Tanh", P, (), {}, "tanh"),
    ("Clip", P, (np.float32(0), np.float32(6)), {}, "relu max 6"),
    ("Clip", P, (np.float32(0),), {}, "relu"),
    ("Clip", P, (np.float32(-1), np.float32(0.5)), {}, "hardtanh -1 0.5"),
    ("Softmax", P, (), {"axis": 1}, "softmax"),
    ("Softmax", (7,), (), {}, "softmax"),
    ("LogSoftmax", (7,), (), {"axis": -1}, "logsoftmax"),
    ("Cast", P, (), {"to": 1}, "identity"),
    ("Dropout", P, (np.float32(0.3), np.array(False)), {}, "identity"),
    ("Identity", P, (), {}, "identity"),
    ("BatchNormalization", P, (C, C, C, POSITIVE), {"epsilon": 1e-3, "momentum": 0.99},
     "batchnorm eps 0.001 momentum 0.01"),
    ("InstanceNormalization", P, (C, C), {}, "instancenorm"),
    ("GroupNormalization", (4, 5, 5), (numbers(4), numbers(4)), {"num_groups": 2}, "groupnorm 2"),
    ("LayerNormalization", (7,), (numbers(7), numbers(7)), {}, "layernorm"),
    ("LayerNormalization", (3, 2, 2), (numbers(3, 2, 2),), {"axis": 1}, "layernorm all"),
    ("LRN", (9, 4, 4), (), {"size": 5, "alpha": 0.5, "bias": 2.0}, "lrn alpha 0.5 k 2"),
    ("Reshape", P, (whole(0, -1),), {}, "flatten"),
    ("Reshape", P, (whole(-1, 126),), {}, "flatten"),
    ("Reshape", (12,), (whole(-1, 3, 2, 2),), {}, "reshape 3x2x2"),
    ("Flatten", P, (), {"axis": -3}, "flatten"),
    ("Transpose", P, (), {"perm": [0, 3, 1, 2]}, "identity"),
    ("Squeeze", (5, 1, 1), (whole(2, -1),), {}, "flatten"),
    ("Unsqueeze", (5,), (whole(2, 3),), {}, "reshape 5x1x1"),
    ("Expand", (3, 1, 1), (whole(1, 3, 4, 5),), {}, "upsample 4x5"),
    ("Expand", P, (whole(1, 3, 1, 7),), {}, "identity"),
    ("Slice", P, (whole(1), whole(3), whole(1)), {}, "take 1,2"),
    ("Slice", P, (whole(-1), whole(-(2**62)), whole(1), whole(-2)), {}, "take 2,0"),
    ("Gather", P, (whole(2, 0, 0),), {"axis": 1}, "take 2,0,0"),
    ("ReduceMean", P, (whole(2, 3),), {"keepdims": 0}, "globalavgpool"),
    ("ReduceMean", P, (whole(-1, -2),), {}, "globalavgpool keep"),
    ("ReduceSum", P, (whole(2, 3),), {"keepdims": 0}, "globalsumpool"),
    ("ReduceMax", P, (whole(2, 3),), {"keepdims": 0}, "globalmaxpool"),
    ("Add", P, (numbers(3, 1, 1),), {}, "scale bias"),
    ("Sum", P, (), {}, "identity"),
    ("Sub", P, (numbers(1, 3, 1, 1),), {}, "scale bias"),
    ("Mul", P, (np.float32(0.5),), {}, "gain 0.5"),
    ("Mul", P, (numbers(3, 1, 1),), {}, "scale"),
    ("Div", P, (np.float32(4),), {}, "gain 0.25"),
    ("Concat", P, (), {"axis": 1}, "identity"),
    ("Gemm", (5,), (MATRIX,), {"alpha": 0.5}, "dense 4 no bias"),
    ("Gemm", (5,), (MATRIX.T, numbers(4)), {"transB": 1, "beta": 2.0}, "dense 4"),
    ("MatMul", (5,), (MATRIX,), {}, "dense 4 no bias"),
)  # fmt: skip
# The same, in operator sets that said it in another way.
OLDER: tuple[tuple[int, str, tuple[int, ...], tuple[Any, ...], dict[str, Any], str], ...] = (
    (7, "BatchNormalization", P, (C, C, C, POSITIVE), {}, "batchnorm"),
    (8, "BatchNormalization", P, (C, C, C, POSITIVE), {"spatial": 1}, "batchnorm"),
    (7, "Dropout", P, (), {"ratio": 0.5}, "identity"),
    (7, "Upsample", P, (), {"scales": [1.0, 1.0, 2.0, 2.0]}, "upsample 2"),
    (10, "Resize", P, (np.array([1, 1, 2, 3], np.float32),), {}, "upsample 2x3"),
    (10, "Clip", P, (), {"min": 0.0, "max": 6.0}, "relu max 6"),
    (10, "Clip", P, (), {"max": 0.5}, "hardtanh -3.4e+38 0.5"),
    (10, "Pad", P, (), {"pads": [0, 0, 1, 1, 0, 0, 1, 1], "value": 0.5}, "pad 1 fill 0.5"),
    (9, "Slice", P, (), {"starts": [1], "ends": [3], "axes": [1]}, "take 1,2"),
    (12, "Softmax", (7,), (), {}, "softmax"),
    (11, "LogSoftmax", (7, 1, 1), (), {"axis": 1}, "logsoftmax"),
    (12, "Squeeze", (5, 1, 1), (), {"axes": [2, 3]}, "flatten"),
    (12, "Squeeze", (5, 1, 1), (), {}, "flatten"),
    (12, "Unsqueeze", (5,), (), {"axes": [-1, -2]}, "reshape 5x1x1"),
    (17, "ReduceMean", P, (), {"axes": [2, 3], "keepdims": 0}, "globalavgpool"),
    (18, "GroupNormalization", (4, 5, 5), (numbers(2), numbers(2)), {"num_groups": 2},
     "groupnorm 2"),
    (8, "Gemm", (5,), (MATRIX, numbers(4)), {}, "dense 4"),
    (7, "MaxPool", P, (), {"kernel_shape": [2, 2], "strides": [2, 2]}, "maxpool 2"),
)  # fmt: skip


def unnamed(net: str) -> str:
    """Without the names of steps, which are tested elsewhere."""
    return re.sub(r"\b[A-Za-z]\w*: ", "", net)


@pytest.mark.parametrize(
    ("op", "shape", "arrays", "options", "text"), ONE, ids=[f"{case[0]}-{case[4]}" for case in ONE]
)
def test_an_operator_is_the_layer_it_is(op, shape, arrays, options, text, tmp_path: Path) -> None:
    net = from_onnx(written(one(op, shape, *arrays, **options), tmp_path)).net
    assert unnamed(net.write()) == text
    assert parse(net.write()) == net


@pytest.mark.parametrize(
    ("opset", "op", "shape", "arrays", "options", "text"),
    OLDER,
    ids=[f"{case[1]}-{case[0]}-{case[5]}" for case in OLDER],
)
def test_an_operator_of_an_older_set(opset, op, shape, arrays, options, text, tmp_path) -> None:
    content = one(op, shape, *arrays, opset=opset, **options)
    assert unnamed(from_onnx(written(content, tmp_path)).net.write()) == text


@pytest.mark.parametrize("whole_net", [True, False], ids=["computed", "kept"])
def test_numbers_of_sixteen_bits(whole_net: bool, tmp_path: Path) -> None:
    """A net that computes in them is compared to their three digits, one that keeps them to all."""
    weight = {"w": numbers(4, 3, 3, 3).astype(np.float16)}
    if whole_net:
        content = model([node("Conv", "x w")], P, weight, dtype=TensorProto.FLOAT16)
        content.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    else:
        content = model([node("Cast", "w", "c", to=1), node("Conv", "x c")], P, weight)
    (made,) = from_onnx(written(content, tmp_path)).weights.values()
    assert made.dtype == np.float32
    assert (made == weight["w"]).all()


def test_every_row_is_in_the_documentation() -> None:
    page = Path(__file__).parents[3] / "docs" / "own-nets.md"
    words = set(re.findall(r"\w+", page.read_text(encoding="utf-8")))
    assert set(ROWS) <= words


def test_every_row_is_tested() -> None:
    elsewhere = {"Shape", "Split", "Swish"}  # in other files: they need more than one node
    assert {case[0] for case in ONE} | {case[1] for case in OLDER} | elsewhere == set(ROWS)
