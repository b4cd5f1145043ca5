"""Preprocessing in the graph: bytes in, any size, the resize of the definition."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from support.nets import random_weights

from foveal.engines import portable, reference
from foveal.errors import ShapeError
from foveal.net import Net
from foveal.net.combinators import branches
from foveal.net.kind import Kind, Shape
from foveal.net.layers import Add, Conv, Crop, Identity, Input, Normalise, ReLU, Resize


def resize(x: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """The exact levels of `Resize`, before rounding: its formula, in float64."""
    for axis, m in enumerate(sizes, start=2):
        n = x.shape[axis]
        i, o, s = np.arange(n), np.arange(m)[:, None], max(1, n / m)
        weights = np.maximum(0, 1 - np.abs(i + 0.5 - (o + 0.5) * n / m) / s)
        weights /= weights.sum(axis=1, keepdims=True)
        x = np.moveaxis(np.tensordot(weights, x.astype(float), (1, axis)), 0, axis)
    return x


def levels(random: np.random.Generator, shape: Shape) -> np.ndarray:
    return random.integers(0, 256, shape).astype(np.float32)


def share_of_ties(made: np.ndarray, exact: np.ndarray) -> float:
    """The share of levels that differ; all must lie within 0.01 of half-way between two."""
    other = made != np.rint(exact)
    assert np.abs(made - exact).max() < 0.51
    return float(other.mean())


@pytest.mark.parametrize(
    ("arriving", "sizes"),
    [
        ((375, 500), (224, 224)),
        ((20, 13), (32, 32)),
        ((300, 400), (256, 341)),
        ((333, 777), (500, 40)),
        ((1200, 1600), (64, 85)),
    ],
)
def test_resize_is_its_definition_but_for_ties(arriving: Shape, sizes: Shape) -> None:
    x = levels(np.random.default_rng(0), (1, 3, *arriving))
    made = portable.build(Net.of(Resize(sizes)).bind((3, *arriving)), {}).run(x)[""]
    assert share_of_ties(made, resize(x, sizes)) < 1e-3


@pytest.mark.parametrize("seed", range(60))
def test_resize_of_any_size_is_its_definition_but_for_ties(seed: int) -> None:
    random = np.random.default_rng(seed)
    arriving, sizes = (
        tuple(int(n) for n in random.integers(1, largest, seed % 3 + 1)) for largest in (40, 30)
    )
    x = levels(random, (2, 1, *arriving))
    made = portable.build(Net.of(Resize(sizes)).bind((1, *arriving)), {}).run(x)[""]
    share_of_ties(made, resize(x, sizes))


def test_doubling_and_whole_fractions_have_no_ties_to_lose() -> None:
    x = levels(np.random.default_rng(0), (4, 3, 8, 8))
    for sizes in ((32, 32), (16, 64), (8, 8), (4, 2)):
        made = portable.build(Net.of(Resize(sizes)).bind((3, 8, 8)), {}).run(x)[""]
        assert np.array_equal(made, np.rint(resize(x, sizes)))


def test_the_shorter_side_decides_in_the_graph_as_in_the_arithmetic() -> None:
    kind = Resize(24)
    content = portable.write(Net.of(Input("uint8"), kind, Crop(24)).bind((1, 30, 40)), {})
    graph = onnx.load_from_string(content).graph
    graph.output[0].name = next(node.output[0] for node in graph.node if node.op_type == "Round")
    del graph.output[0].type.tensor_type.shape.dim[1:]
    graph.output[0].type.tensor_type.ClearField("shape")
    resized = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=8
    )
    session = onnxruntime.InferenceSession(
        resized.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    for height, width in [(1, 1), (48, 49), (49, 48), (7, 100), (16, 25), (24, 24), (333, 500)]:
        (made,) = session.run(None, {"picture": np.zeros((1, height, width, 1), np.uint8)})
        assert made.shape[1:] == kind.output(((1, height, width),))


ENTRANCES: list[tuple[tuple[Kind, ...], Shape]] = [
    ((Input("uint8"), Resize(16), Crop((16, 12))), (3, 20, 30)),
    ((Input("uint8"), Crop(12)), (3, 12, 12)),
    ((Input("uint8"), Resize((16, 12)), Normalise((100.0, 120.0, 140.0), (60.0,))), (3, 20, 30)),
]


@pytest.mark.parametrize(("kinds", "shape"), ENTRANCES)
def test_pictures_of_any_size_arrive(kinds: tuple[Kind, ...], shape: Shape) -> None:
    program = Net.of(*kinds, Conv(2, 3)).bind(shape)
    weights = random_weights(program, 0)
    content = portable.write(program, weights)
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    (value,) = model.graph.input
    assert value.name == "picture"
    assert value.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    sizes = [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim]
    assert sizes == ["N", "H", "W", 3]
    engines = [engine.build(program, weights) for engine in (portable, reference)]
    for height, width in [(16, 16), (32, 64), (13, 12)]:
        # Flat pictures have no ties.
        x = np.full((2, height, width, 3), (10, 100, 250), np.uint8)
        made, expected = (engine.run(x)[""] for engine in engines)
        assert np.abs(made - expected).max() <= 1e-5 * np.abs(expected).max()


def test_an_entrance_that_cuts_nothing_takes_one_size() -> None:
    program = Net.of(Input("uint8"), ReLU()).bind((3, 4, 6))
    graph = onnx.load_from_string(portable.write(program, {})).graph
    sizes = [size.dim_param or size.dim_value for size in graph.input[0].type.tensor_type.shape.dim]
    assert sizes == ["N", 4, 6, 3]
    x = np.arange(72, dtype=np.uint8).reshape(1, 4, 6, 3)
    assert np.array_equal(portable.build(program, {}).run(x)[""], x.transpose(0, 3, 1, 2))


def test_floats_of_any_size_arrive_where_the_net_cuts_them() -> None:
    program = Net.of(Crop(4), ReLU()).bind((1, 6, 6))
    x = np.arange(70.0).reshape(1, 1, 7, 10)
    assert np.array_equal(portable.build(program, {}).run(x)[""], x[:, :, 1:5, 3:7])


@pytest.mark.parametrize("parts", [(Identity(), Crop(6)), (Crop(6), Identity())])
def test_a_branch_that_does_not_cut_keeps_the_size_fixed(parts: tuple[Kind, ...]) -> None:
    program = Net.of(branches(Add(), *parts)).bind((1, 6, 6))
    graph = onnx.load_from_string(portable.write(program, {})).graph
    sizes = [size.dim_param or size.dim_value for size in graph.input[0].type.tensor_type.shape.dim]
    assert sizes == ["N", 1, 6, 6]


def test_series_and_volumes_of_bytes_arrive_channels_last() -> None:
    for shape in ((2, 5), (2, 3, 4, 5)):
        program = Net.of(Input("uint8"), ReLU()).bind(shape)
        x = np.random.default_rng(0).integers(0, 256, (2, *shape[1:], 2), np.uint8)
        assert np.array_equal(portable.build(program, {}).run(x)[""], np.moveaxis(x, -1, 1))


def test_a_picture_of_other_proportions_is_refused_where_nothing_crops() -> None:
    program = Net.of(Input("uint8"), Resize(8), ReLU()).bind((3, 16, 16))
    engine = portable.build(program, {})
    assert engine.run(np.zeros((1, 32, 32, 3), np.uint8))[""].shape == (1, 3, 8, 8)
    with pytest.raises(ShapeError) as error:
        engine.run(np.zeros((1, 16, 24, 3), np.uint8))
    assert str(error.value) == (
        "input: has another shape than the net was bound to\n"
        "  arrives:  1x16x24x3\n"
        "  expected: NxHxWx3"
    )


def test_a_picture_smaller_than_the_crop_is_refused() -> None:
    engine = portable.build(Net.of(Input("uint8"), Crop(8)).bind((3, 16, 16)), {})
    with pytest.raises(ShapeError) as error:
        engine.run(np.zeros((1, 7, 24, 3), np.uint8))
    assert str(error.value) == (
        "crop 8x8 is larger than the picture 7x24\n"
        "  arrives:  3x7x24\n"
        "  fix:      resize before it, or crop less"
    )
