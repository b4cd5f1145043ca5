"""What is not read: each refusal in its words, by name and place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from support.onnx_files import Array, model, node, numbers, one, whole, written

from foveal.errors import DisagreementError, FovealError
from foveal.importing.onnx import checking, from_onnx, reading, values

P, W = (3, 6, 7), numbers(4, 3, 3, 3)
C = numbers(3)
SCALES = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}

# operator set, operator, what arrives, its other inputs, its options, what is said of it
ONE: tuple[tuple[int, str, tuple[int, ...], tuple[Any, ...], dict[str, Any], str], ...] = (
    (21, "Det", (3, 3), (), {}, "has no layer that does the same\n"
     "  fix:      export the net without it, or said in other operators"),
    (21, "Relu", P, (), {"slope": 1}, "has the option slope, which is not read\n"
     "  fix:      export the net for another operator set"),
    (21, "Relu", P, (C,), {}, "has an input 1, which is not read"),
    (21, "Elu", P, (), {"alpha": 1}, "has the option alpha 1, which no layer does"),
    (21, "Conv", P, (W,), {"strides": [1]}, "has 1 numbers in strides, where there must be 2"),
    (21, "Conv", P, (W,), {"strides": 2}, "has the option strides 2, which no layer does"),
    (21, "Conv", P, (W,), {"kernel_shape": [5, 5]},
     "has a kernel of another size than its weights"),
    (21, "Conv", P, (W,), {"auto_pad": "SAME"},
     "has the option auto_pad 'SAME', which is not known"),
    (21, "Conv", P, (numbers(4, 2, 3, 3),), {}, "has a weight of another shape than its layer\n"
     "  arrives:  4x2x3x3\n  expected: 4x3x3x3"),
    (21, "Conv", P, (), {}, "has no input 1"),
    (21, "ConvTranspose", P, (numbers(3, 2, 2, 2),), {"output_shape": [9, 9]},
     "has the option output_shape, which no layer has\n"
     "  fix:      say pads and output_padding"),
    (21, "MaxPool", P, (), {}, "has no kernel_shape"),
    (21, "MaxPool", P, (), {"kernel_shape": [9, 9]}, "kernel 9x9 does not fit into 6x7\n"
     "  arrives:  3x6x7\n  fix:      padding same, a smaller kernel, or one pooling layer fewer"),
    (21, "MaxPool", P, (), {"kernel_shape": [2, 2], "strides": [0, 0]}, "! maxpool stride: "
     "must be a whole number from 1, or one per axis such as 3x5, or unset, not 0"),
    (21, "Pad", P, (whole(0, 1, 0, 0, 0, 0, 0, 0),), {}, "pads samples or channels, not positions"),
    (21, "Pad", P, (whole(*[0] * 7, 1),), {"mode": "odd"},
     "has the option mode 'odd', which no layer has"),
    (21, "Pad", P, (np.ones(8, np.float32),), {}, "has no whole numbers as input 1"),
    (21, "Resize", P, (None, np.array([1, 1, 1.5, 2], np.float32)), SCALES,
     "resizes by 1 x 1.5 x 2\n"
     "  expected: 1 for channels, a whole factor for each axis of positions"),
    (21, "Resize", P, (None, np.array([2, 1, 2, 2], np.float32)), SCALES, "makes another batch"),
    (21, "Resize", P, (None, None, whole(12, 14)), {"axes": [2, 3]}, "has sizes of some axes only"),
    (21, "Resize", P, (None, np.ones(2, np.float32)), {},
     "does not say how much larger each axis becomes"),
    (21, "Resize", P, (None, np.array([1, 1, 2, 2], np.float32)), {"mode": "cubic"},
     "resizes by the rule cubic half_pixel round_prefer_floor, which no layer does\n"
     "  expected: nearest asymmetric floor, linear half_pixel or linear align_corners"),
    (21, "PRelu", P, (C.reshape(3, 1, 1),), {}, "has a slope for each channel, which no layer has\n"
     "  expected: one slope for all\n"
     "  fix:      put LeakyRelu in its place, and train the net on"),
    (21, "Clip", P, (C,), {}, "has 3 numbers as input 1, where there must be one"),
    (21, "Softmax", P, (), {}, "is over axis 3, and layers do it over the channels"),
    (21, "Softmax", P, (), {"axis": 9}, "has no axis 9"),
    (21, "Cast", P, (), {"to": 7}, "has the option to 7, which no layer does"),
    (21, "Dropout", P, (np.float32(0.5), np.array(True)), {},
     "drops values, as nets do while they learn\n  fix:      export the net for prediction"),
    (21, "LayerNormalization", P, (numbers(7),), {},
     "is over the axes from 3 on, and layers do it over channels or all"),
    (21, "Reshape", P, (whole(3, -1),), {}, "lays values out as 3x-1, so that the samples of a "
     "batch do not stay apart\n  arrives:  Nx3x6x7"),
    (21, "Flatten", P, (), {"axis": 2}, "flattens other axes than those of a sample\n"
     "  expected: axis 1"),
    (21, "Transpose", P, (), {"perm": [1, 0, 2, 3]}, "moves the batch to another axis\n"
     "  expected: the batch first"),
    (21, "Transpose", P, (), {"perm": [0, 1, 1, 2]}, "does not say a place for each axis"),
    (21, "Transpose", P, (), {"perm": [0, 2, 1, 3]},
     "!output 'y': reads values in an order that no layer gives them\n"
     "  arrives:  6x3x7 out of 3x6x7"),
    (21, "Squeeze", P, (whole(0),), {}, "has axes 0\n  expected: axes of a sample, not the batch"),
    (21, "Unsqueeze", P, (whole(0),), {}, "adds an axis before the batch"),
    (21, "Slice", P, (whole(1), whole(2), whole(0)), {}, "takes some samples of the batch"),
    (21, "Slice", P, (whole(1), whole(2), whole(9)), {}, "cuts axes that are not there"),
    (21, "Slice", P, (whole(1, 2), whole(2), whole(1)), {},
     "does not say for each axis where it cuts"),
    (21, "Slice", P, (whole(1),), {}, "does not say where it cuts"),
    (21, "Slice", P, (whole(1), whole(3), whole(2)), {},
     "!output 'y': reads values in an order that no layer gives them\n"
     "  arrives:  3x2x7 out of 3x6x7"),
    (21, "Slice", P, (whole(5), whole(6), whole(1)), {}, "leaves nothing of what it reads"),
    (21, "Resize", P, (None, np.array([1, 1, np.inf, 2], np.float32)), SCALES,
     "resizes by 1 x inf x 2\n"
     "  expected: 1 for channels, a whole factor for each axis of positions"),
    (21, "Expand", (1, 6, 7), (whole(1, 3, 6, 7),), {}, "repeats samples or channels, and layers "
     "only positions\n  arrives:  1x6x7"),
    (21, "Expand", P, (whole(2, 1, 1, 1),), {}, "repeats samples or channels, and layers "
     "only positions\n  arrives:  3x6x7"),
    (21, "Split", P, (), {"axis": 0}, "splits the batch"),
    (21, "Split", P, (whole(2, 2),), {"axis": 1}, "splits 3 into 2, 2"),
    (21, "Gather", P, (whole(0),), {"axis": 0}, "takes some samples of the batch"),
    (21, "Gather", P, (whole(7),), {"axis": 1}, "has options or inputs that do not fit each other"),
    (21, "ReduceMean", P, (whole(1),), {},
     "is over the axes 1, and layers do it over all positions"),
    (21, "Add", P, (numbers(6, 7),), {},
     "adds given numbers that differ within a channel, which no layer does"),
    (21, "Mul", P, (numbers(6, 7),), {},
     "multiplies by given numbers that differ within a channel, which no layer does"),
    (21, "Mul", P, (numbers(5, 1, 1),), {}, "has 5x1x1 given numbers for a value of 3x6x7"),
    (21, "Concat", P, (C,), {"axis": 1},
     "joins values with given numbers, or with other numbers of axes"),
    (21, "Gemm", (5,), (numbers(4, 3),), {},
     "multiplies by a matrix of another size, or a value that is not flat"),
    (21, "Gemm", (5,), (numbers(5, 3), numbers(2, 3)), {}, "has a bias of its own for each sample"),
    (21, "MatMul", P, (numbers(7, 2),), {},
     "multiplies by a matrix along another axis than the channels"),
    (21, "Gemm", (5,), (numbers(5, 3),), {"transA": 1},
     "has the option transA 1, which no layer does"),
    (21, "BatchNormalization", P, (C, C, C, C), {"training_mode": 1},
     "has the option training_mode 1, which no layer does"),
)  # fmt: skip


def refusal(content: onnx.ModelProto, folder: Path, **options: Any) -> str:
    path = written(content, folder)
    with pytest.raises(FovealError) as caught:
        from_onnx(path, **options)
    return str(caught.value).replace(str(path), "net.onnx")


@pytest.mark.parametrize(
    ("opset", "op", "shape", "arrays", "options", "text"),
    ONE,
    ids=[f"{case[1]}-{place}" for place, case in enumerate(ONE)],
)
def test_what_no_layer_does(opset, op, shape, arrays, options, text: str, tmp_path: Path) -> None:
    place = f"node '{op}_y' ({op})"
    wanted = f"{place}: {text}"
    if text.startswith("!"):  # said of something else, or of a field of the layer
        wanted = text[1:] if text.startswith("!output") else f"{place},{text[1:]}"
    assert refusal(one(op, shape, *arrays, opset=opset, **options), tmp_path) == wanted


def graph(*nodes: onnx.NodeProto, **options: Any) -> onnx.ModelProto:
    return model(
        nodes,
        (3, 6, 7),
        {"c": C.reshape(3, 1, 1), "n": whole(1, 0), "huge": whole(2**31)},
        **options,
    )


RELU = node("Relu", "x", "r")
GRAPHS: tuple[tuple[onnx.ModelProto, str], ...] = (
    (graph(node("Relu", "z")), "node 'Relu_y' (Relu): reads 'z', which no node before it makes"),
    (graph(node("Relu", "x", "x")), "node 'Relu_x' (Relu): makes 'x', which is there already"),
    (graph(RELU), "output 'y': is made by no node"),
    (graph(RELU, node("Neg", "c")), "output 'y': does not depend on what arrives"),
    (graph(node("Relu", "c")), "node 'Relu_y' (Relu): reads given numbers as input 0, where a "
     "value of the net must arrive"),
    (graph(RELU, node("Conv", "x r")), "node 'Conv_y' (Conv): computes its input 1, which a layer "
     "must have as weights"),
    (graph(RELU, node("Div", "x r")), "node 'Div_y' (Div): divides by a value of the net, which no "
     "layer does"),
    (graph(RELU, node("Concat", "x r", axis=2)),
     "node 'Concat_y' (Concat): joins values along axis 2, and layers do it along the channels"),
    (graph(node("Flatten", "x", "f"), node("Add", "x f")), "node 'Add_y' (Add): joins values with "
     "different numbers of axes"),
    (graph(node("Div", "n n", "d"), RELU), "node 'Div_d' (Div): divides by 0"),
    (graph(node("Cast", "n", "d", to=99), RELU), "node 'Cast_d' (Cast): has options or inputs that "
     "do not fit it"),
    (graph(node("GlobalAveragePool", "x", "m"), node("Reshape", "m n")),
     "node 'Reshape_y' (Reshape): lays values out as 1x3, so that the samples of a batch do not "
     "stay apart\n"
     "  arrives:  Nx3x1x1"),
    (graph(node("Identity", "x", "a"), node("Identity", "a", "x"), RELU),
     "node 'Identity_x' (Identity): makes 'x', which is there already"),
    (graph(RELU, node("Gather", "c r")), "node 'Gather_y' (Gather): looks up values as no layer "
     "does"),
    (graph(node("Constant", "", "zero", value_int=0), node("Range", "zero zero zero", "d"), RELU),
     "node 'Range_d' (Range): steps by 0"),
    (graph(node("Constant", "", "s", value_ints=[0, 3, -1]), node("Reshape", "x s", "g"),
           node("Squeeze", "c", "w"), node("InstanceNormalization", "g w w")),
     "node 'InstanceNormalization_y' (InstanceNormalization): has weights for groups of channels, "
     "and layers have them for channels"),
    (graph(node("ReduceMean", "x", "m", axes=[-1]), node("Sub", "x m", "d"),
           node("Constant", "", "two", value_float=2.0), node("Pow", "d two", "s"),
           node("ReduceMean", "s", "v", axes=[-1]), node("Constant", "", "eps", value_float=1e-5),
           node("Add", "v eps", "p"), node("Sqrt", "p", "q"), node("Div", "d q"), opset=17),
     "node 'Div_y' (LayerNormalization): is over the last axis, and layers do it over channels or "
     "all"),
    (graph(node("ConstantOfShape", "huge", "h"), node("LSTM", "x h h")),
     "node 'LSTM_y' (LSTM): has no layer that does the same\n"
     "  fix:      export the net without it, or said in other operators"),
    (graph(node("Relu", "x"), dtype=TensorProto.UINT8), "input 'x': is of data type 2, and a net "
     "reads real numbers\n"
     "  fix:      export the net without the steps that turn bytes into numbers"),
)  # fmt: skip


@pytest.mark.parametrize(("content", "text"), GRAPHS, ids=range(len(GRAPHS)))
def test_what_no_net_is(content: onnx.ModelProto, text: str, tmp_path: Path) -> None:
    assert refusal(content, tmp_path) == text


def test_a_net_has_one_input(tmp_path: Path) -> None:
    content = graph(node("Add", "x z"))
    content.graph.input.add().CopyFrom(content.graph.input[0])
    content.graph.input[1].name = "z"
    assert (
        refusal(content, tmp_path) == "graph: has 2 inputs, and a net has one\n  arrives:  'x', 'z'"
    )


def test_sizes_that_are_open_must_be_said(tmp_path: Path) -> None:
    content = model([node("Relu", "x")], (3, "H", "W"))
    assert refusal(content, tmp_path) == (
        "input 'x': is of open size\n  arrives:  3xHxW\n"
        "  fix:      say what arrives, channels first: input=(3, 224, 224), --input 3x224x224"
    )
    assert refusal(content, tmp_path, input=(1, 8, 8)) == (
        "input 'x': is of another size\n  arrives:  1x8x8\n  expected: 3xHxW\n"
        "  fix:      leave out what the file says itself"
    )
    assert from_onnx(written(content, tmp_path), input=(3, 8, 9)).input == (3, 8, 9)


def test_another_answer_is_refused(tmp_path: Path, monkeypatch) -> None:
    """Nothing that was read wrongly passes: here a net whose weights were doubled after reading."""
    path = written(one("Conv", (3, 6, 7), W), tmp_path)
    right = checking.run

    def doubled(*arguments: Any) -> dict[str, Array]:
        return {name: 2 * made for name, made in right(*arguments).items()}

    monkeypatch.setattr(checking, "run", doubled)
    with pytest.raises(DisagreementError) as caught:
        from_onnx(path)
    assert str(caught.value) == (
        "output 'y': the net and the file differ by 5.0e-01 of the largest output\n"
        "  expected: at most 1e-05\n"
        "  fix:      do not use this net, and please report it with the file"
    )


def test_what_is_not_finite_cannot_be_compared(tmp_path: Path) -> None:
    assert refusal(one("Conv", P, W * np.float32(np.inf)), tmp_path) == (
        "output 'y': is not finite for random numbers\n  fix:      a file whose weights are finite"
    )


def test_what_onnxruntime_cannot_run(tmp_path: Path) -> None:
    content = one("Relu", P)
    content.ir_version = 999
    text = refusal(content, tmp_path)
    assert text.startswith(
        "net.onnx: cannot be run by onnxruntime, so that nothing can be compared\n  arrives:  [ONNX"
    )


@pytest.mark.parametrize(
    ("shape", "op", "arrays", "text"),
    [
        ((3, 20000, 20000), "Relu", (),
         "2,400,000,000 numbers in one of its values, too many to be compared with "
         "its file\n  expected: at most 268,435,456"),
        ((3, 4000, 4000), "Conv", (numbers(4, 3, 300, 300),), "29,586,386,160,000 multiplications, "
         "too many to be compared with its file\n  expected: at most 10,000,000,000,000"),
    ],
)  # fmt: skip
def test_what_would_take_days_is_not_begun(shape, op, arrays, text: str, tmp_path: Path) -> None:
    assert refusal(one(op, shape, *arrays), tmp_path) == (
        f"net, 2 samples: has {text}\n"
        "  fix:      export it for smaller pictures, or for a batch of 1"
    )


def test_values_are_laid_out_anew_so_often_only(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(reading, "MOST_PLACES_IN_ALL", 200)
    turns = [
        node("Transpose", "x", "a", perm=[0, 2, 3, 1]),
        node("Transpose", "a", perm=[0, 2, 3, 1]),
    ]
    assert refusal(model(turns, P), tmp_path) == (
        "node 'Transpose_y' (Transpose): is one too many that lay values out anew: more than 200"
        " numbers"
    )


def test_places_are_kept_of_so_many_values_only(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(values, "MOST_PLACES", 100)
    assert refusal(one("Transpose", P, perm=[0, 2, 3, 1]), tmp_path) == (
        "node 'Transpose_y' (Transpose): lays out 126 numbers anew, more than 100"
    )
