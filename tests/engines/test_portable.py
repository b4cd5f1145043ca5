"""The portable engine: valid ONNX, the numbers of the definitions, the same bytes each time."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from support.kinds import ALL_EXAMPLES, EXAMPLES, ORACLES, PRECISION, draw_arriving
from support.nets import random_input, random_net, random_weights
from support.steps import example_step

from foveal.engines import portable, pytorch, reference
from foveal.errors import ShapeError, SpecError
from foveal.net import Net
from foveal.net.combinators import (
    Again,
    Named,
    Outputs,
    Reference,
    branches,
    chain,
    named,
)
from foveal.net.kind import Kind, Shape
from foveal.net.layers import (
    KINDS,
    Add,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    Identity,
    Input,
    ReLU,
    Softmax,
    Tanh,
)
from foveal.net.notation import parse
from foveal.net.program import Program


def relative(a: np.ndarray, b: np.ndarray) -> float:
    """max|a - b| as a share of max|b|."""
    assert a.shape == b.shape
    scale = np.abs(b).max()
    return float(np.abs(a - b).max() / scale) if scale else float(np.abs(a).max())


@pytest.mark.parametrize(("kind", "ins", "shape"), ALL_EXAMPLES, ids=str)
def test_every_kind_computes_its_definition(
    kind: Kind, ins: tuple[Shape, ...], shape: Shape
) -> None:
    example = example_step(kind, ins)
    random, program = np.random.default_rng(1), example.program
    weights = example.weights(random)
    x = draw_arriving(random, program.steps[0].kind, 3, program.input)
    x = x.astype(np.float32) if x.dtype.kind == "f" else x
    content = portable.write(program, weights)
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)

    made = portable.build(program, weights).run(x)[""]
    assert made.shape == (3, *shape)
    values = {0: x.astype(float)}
    by_path = reference.build(program, weights).values(x)
    values |= {step.output: by_path[step.path] for step in program.steps}
    learns = pytorch.module(program, weights).double().eval()
    given = torch.from_numpy(x)
    with torch.no_grad():
        expected = [values[example.step.output]]
        expected.append(learns(given.double() if given.is_floating_point() else given)[""].numpy())
        if type(kind) in ORACLES:
            xs = tuple(torch.from_numpy(values[number]) for number in example.step.inputs)
            own = {n: torch.from_numpy(w) for n, w in example.own(weights).items()}
            expected.append(ORACLES[type(kind)](kind, xs, own).numpy())
    for y in expected:
        assert relative(made, y) < PRECISION.get(type(kind), 2e-7)


def test_every_kind_has_a_row_and_examples() -> None:
    assert set(portable.ROWS) == set(KINDS)
    assert set(EXAMPLES) == set(KINDS)


def test_what_only_training_does_leaves_no_node() -> None:
    program = Net.of(ReLU(), Dropout(), Tanh()).bind((3,))
    graph = onnx.load_from_string(portable.write(program, {})).graph
    assert [node.op_type for node in graph.node] == ["Relu", "Tanh", "Identity"]


def bound(seed: int) -> tuple[Program, dict[str, np.ndarray]]:
    net, shape = random_net(seed)
    program = net.bind(shape)
    return program, random_weights(program, seed)


@pytest.mark.parametrize("seed", range(60))
def test_random_nets_are_valid_onnx_with_the_shapes_of_the_program(seed: int) -> None:
    program, weights = bound(seed)
    model = onnx.load_from_string(portable.write(program, weights))
    onnx.checker.check_model(model, full_check=True)
    outputs = onnx.shape_inference.infer_shapes(
        model, strict_mode=True, data_prop=True
    ).graph.output
    for output, (name, shape) in zip(outputs, program.result_shapes().items(), strict=True):
        assert output.name == (name or "y")
        batch, *sizes = output.type.tensor_type.shape.dim
        assert batch.dim_param == "N"
        assert tuple(size.dim_value for size in sizes) == shape


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_bytes_are_those_of_protobuf_and_the_same_each_time(seed: int) -> None:
    program, weights = bound(seed)
    content = portable.write(program, weights, metadata={"b": "2", "a": "ä"})
    assert content == portable.write(program, weights, metadata={"a": "ä", "b": "2"})
    assert content == onnx.load_from_string(content).SerializeToString(deterministic=True)


@pytest.mark.parametrize("optimise", [True, False])
def test_weights_inside_and_outside_of_the_graph_give_the_same(optimise: bool) -> None:
    program = Net.of(Conv(4, 3), BatchNorm(), ReLU(), Flatten(), Dense(3)).bind((2, 6, 6))
    weights, x = random_weights(program, 3), random_input(program, 3)
    outside = portable.build(program, weights, optimise=optimise).run(x)[""]
    inside = portable.Portable(
        program, portable.write(program, weights, fold=optimise), optimise=optimise
    )
    assert np.array_equal(inside.run(x)[""], outside)


def test_a_tensor_that_several_steps_share_is_in_the_file_once() -> None:
    program = Net.of(named("c", Conv(2, 1)), Again("c"), Again("c")).bind((2, 3, 3))
    weights = random_weights(program, 0)
    graph = onnx.load_from_string(portable.write(program, weights)).graph
    assert [tensor.name for tensor in graph.initializer] == ["c.weight", "c.bias"]
    assert [list(node.input[1:]) for node in graph.node[:3]] == [["c.weight", "c.bias"]] * 3


def test_metadata_and_names_are_what_the_runtime_reads() -> None:
    program = Net.of(Dense(2), Softmax()).bind((3,))
    content = portable.write(
        program,
        random_weights(program, 0),
        metadata={"classes": '["cat", "dog"]'},
        result_names={"": "probabilities"},
    )
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    about = session.get_modelmeta()
    assert about.producer_name == "foveal"
    assert about.custom_metadata_map == {"classes": '["cat", "dog"]'}
    assert [(value.name, value.shape) for value in session.get_inputs()] == [("x", ["N", 3])]
    (output,) = session.get_outputs()
    assert (output.name, output.shape) == ("probabilities", ["N", 2])


def test_steps_may_be_called_like_the_input_the_result_and_a_tensor() -> None:
    net = Net.of(named("x", Dense(2)), named("y", Named("weight", ReLU()), Tanh()))
    program = net.bind((3,))
    weights, x = random_weights(program, 0), random_input(program, 0)
    expected = reference.build(program, weights).run(x)[""]
    assert relative(portable.build(program, weights).run(x)[""], expected) < 1e-6


def test_a_result_may_be_the_input_itself_and_be_there_twice() -> None:
    same = Outputs((Named("a", chain(Reference("n"))), Named("b", chain(Dropout()))))
    program = Net.of(named("n", Identity()), same).bind((3,))
    x = random_input(program, 0)
    made = portable.build(program, {}).run(x)
    assert np.array_equal(made["a"], x)
    assert np.array_equal(made["b"], x)


def test_wider_and_strided_numbers_are_taken_as_float32() -> None:
    program = Net.of(Tanh()).bind((3,))
    engine = portable.build(program, {})
    x = np.arange(12.0).reshape(3, 4).T
    assert np.array_equal(engine.run(x)[""], engine.run(x.astype(np.float32))[""])
    assert np.array_equal(engine.run(x.astype(int))[""], engine.run(x.astype(np.float32))[""])


def test_weights_of_any_float_type_are_written_as_float32() -> None:
    program = Net.of(Dense(2)).bind((3,))
    weights = random_weights(program, 0)
    wide = {path: weight.astype(np.float64) for path, weight in weights.items()}
    assert portable.write(program, wide) == portable.write(program, weights)


def test_importing_and_writing_load_neither_onnxruntime_nor_onnx() -> None:
    code = (
        "import sys\nfrom foveal.engines import portable\nfrom foveal.net import Net\n"
        "from foveal.net.layers import ReLU\n"
        "portable.write(Net.of(ReLU()).bind((3,)), {})\n"
        "print({'onnxruntime', 'onnx', 'torch', 'google.protobuf'} & set(sys.modules))"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout == "set()\n"


def test_missing_and_foreign_tensors_are_refused_by_name() -> None:
    program = Net.of(Conv(2, 1), Conv(2, 1), Conv(2, 1)).bind((1, 2, 2))
    with pytest.raises(SpecError) as error:
        portable.write(program, {})
    assert str(error.value) == (
        "weights: missing tensors: conv1.bias, conv1.weight, conv2.bias, …\n"
        "  fix:      weights of the same net; its paths are those of Program.tensors()"
    )
    with pytest.raises(SpecError) as error:
        portable.build(program, {**random_weights(program, 0), "conv4.bias": np.zeros(2)})
    assert str(error.value) == (
        "weights: tensors of no step: conv4.bias\n"
        "  fix:      weights of the same net; its paths are those of Program.tensors()"
    )


def test_a_tensor_of_another_shape_is_refused() -> None:
    program = Net.of(Dense(2, bias=False)).bind((3,))
    with pytest.raises(SpecError) as error:
        portable.write(program, {"dense1.weight": np.zeros((3, 2))})
    assert str(error.value) == (
        "weights 'dense1.weight': has another shape than its step\n"
        "  arrives:  3x2\n"
        "  expected: 2x3\n"
        "  fix:      weights of the same net"
    )


def test_a_file_that_protobuf_cannot_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Net.of(ReLU()).bind((3,))
    monkeypatch.setattr(portable.wire, "LARGEST_MESSAGE", 100)
    with pytest.raises(SpecError) as error:
        portable.write(program, {})
    assert str(error.value) == (
        "net: would have 135 bytes, more than an ONNX file can hold\n"
        "  expected: at most 100\n"
        "  fix:      fewer channels or features"
    )


def test_the_name_of_a_result_must_be_free() -> None:
    program = Net.of(Outputs((Named("x", chain(ReLU())), Named("b", chain(Dense(1)))))).bind((3,))
    weights = random_weights(program, 0)
    with pytest.raises(SpecError) as error:
        portable.write(program, weights)
    assert str(error.value) == (
        "'x': cannot be the name of a result\n"
        "  expected: a name without slash that neither input nor tensor nor other result has\n"
        "  fix:      another one in result_names"
    )
    for taken in ("b", "", "a/b", *weights):
        with pytest.raises(SpecError, match=f"^'{taken}': cannot be the name of a result"):
            portable.write(program, weights, result_names={"x": taken})
    assert portable.write(program, weights, result_names={"x": "a"})
    assert set(portable.build(program, weights).run(np.ones((1, 3)))) == {"x", "b"}


def test_a_name_for_a_result_that_is_not_there_is_refused() -> None:
    program = Net.of(Outputs((Named("boxes", chain(ReLU())),))).bind((3,))
    with pytest.raises(SpecError) as error:
        portable.write(program, {}, result_names={"boxs": "b"})
    assert str(error.value) == "'boxs': is not a result\n  fix:      did you mean 'boxes'?"


@pytest.mark.parametrize("shape", [(2, 3, 5, 4), (3, 5, 5), (2, 3, 5, 5, 1), (0, 3, 5, 5)])
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError) as error:
        portable.build(Net.of(ReLU()).bind((3, 5, 5)), {}).run(np.zeros(shape))
    assert str(error.value) == (
        "input: has another shape than the net was bound to\n"
        f"  arrives:  {'x'.join(map(str, shape))}\n"
        "  expected: Nx3x5x5"
    )


def test_other_numbers_are_refused() -> None:
    with pytest.raises(SpecError) as error:
        portable.build(Net.of(ReLU()).bind((3,)), {}).run(np.zeros((1, 3), complex))
    assert str(error.value) == "input: cannot be of complex128\n  expected: real numbers"
    picture = portable.build(Net.of(Input("uint8")).bind((3, 2, 2)), {})
    with pytest.raises(SpecError) as error:
        picture.run(np.zeros((1, 2, 2, 3), np.float32))
    assert str(error.value) == (
        "input: cannot be of float32\n  expected: uint8, as the net begins with `input uint8`"
    )


def test_bytes_in_one_branch_only_are_refused() -> None:
    program = Net.of(branches(Add(), Identity(), Input("uint8"))).bind((3, 4, 4))
    with pytest.raises(SpecError) as error:
        portable.write(program, {})
    assert str(error.value) == (
        "add1.1.input1: bytes arrive here, but not in every branch\n"
        "  fix:      put `input uint8` first, before all branches"
    )


@pytest.mark.parametrize(
    "text",
    ["lppool {0} p 3", "local 1 {0}", "a: gain 2 -> maxpool {0} -> maxunpool {0}( identity | @a )"],
)
def test_a_graph_does_not_grow_with_the_kernel(text: str) -> None:
    """onnxruntime takes 16 s to open one that has a node for each of 64x64 taps."""
    counts = []
    for kernel in (2, 16):
        program = parse(text.format(kernel)).bind((1, 32, 32))
        content = portable.write(program, random_weights(program, 0))
        counts.append(len(onnx.load_from_string(content).graph.node))
    assert counts[0] == counts[1]
