"""The reference engine as a whole: results, liveness, sharing, training and refusals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from support.nets import random_input, random_net, random_weights

from foveal.engines import build as build_engine
from foveal.engines.reference import Reference, Training, build
from foveal.errors import SpecError
from foveal.net import Net
from foveal.net.combinators import Again, Each, Named, Outputs, branches, chain, named
from foveal.net.combinators import Reference as At
from foveal.net.layers import (
    Add,
    BatchNorm,
    Conv,
    Crop,
    Dense,
    Dropout,
    Flatten,
    Identity,
    Input,
    MaxPool,
    Normalise,
    ReLU,
    Resize,
    Softmax,
    Tanh,
)


def engine(net: Net, shape: tuple[int, ...]) -> Reference:
    program = net.bind(shape)
    return build(program, random_weights(program, 0))


def test_a_net_is_its_steps_one_after_another() -> None:
    net = Net.of(Conv(2, 3), ReLU(), MaxPool(2), Flatten(), Dense(3), Softmax())
    made = engine(net, (1, 6, 6))
    x = random_input(made.program, 0)
    values = made.values(x)
    assert list(values) == ["conv1", "relu1", "maxpool1", "flatten1", "dense1", "softmax1"]
    assert np.array_equal(values["relu1"], np.maximum(values["conv1"], 0))
    w = made.weights
    assert np.allclose(
        values["dense1"], values["flatten1"] @ w["dense1.weight"].T + w["dense1.bias"]
    )
    assert np.array_equal(made.run(x)[""], values["softmax1"])
    assert values["softmax1"].dtype == np.float64


def test_the_table_of_engines_builds_it() -> None:
    program = Net.of(ReLU()).bind((2,))
    made = build_engine("reference", program, {})
    assert made.run(np.array([[-1, 2]]))[""].tolist() == [[0, 2]]


def test_several_results_by_their_names() -> None:
    net = Net.of(Outputs((Named("up", chain(ReLU())), chain(Identity()))))
    assert {name: y.tolist() for name, y in engine(net, (1,)).run(np.array([[-1.0]])).items()} == {
        "up": [[0]],
        "1": [[-1]],
    }


def test_values_are_dropped_after_their_last_use() -> None:
    net = Net.of(
        named("a", Tanh()), ReLU(), branches(Add(), At("a"), Identity()), At("a"), Tanh(), Tanh()
    )
    made = engine(net, (3,))
    x = np.ones((1, 3))
    kept = made._forward(x, None, keep=False)
    assert list(kept) == [number for _, number in made.program.results]
    assert np.array_equal(made.run(x)[""], list(made.values(x).values())[-1])


def test_a_shared_weight_collects_the_gradients_of_all_its_uses() -> None:
    net = Net.of(named("d", Dense(1, bias=False)), Again("d"))
    made = build(net.bind((1,)), {"d.weight": np.array([[3.0]])})
    found = made.backward(np.array([[5.0]]), {"": np.array([[1.0]])})
    assert found.weights["d.weight"].item() == 2 * 3 * 5  # the derivative of w²x by w
    assert found.input.item() == 9


def test_each_shares_its_weights_between_results() -> None:
    net = Net.of(Outputs((chain(ReLU()), chain(Identity()))), Each(chain(Dense(1))))
    made = build(
        net.bind((1,)),
        {"each1.dense1.weight": np.array([[2.0]]), "each1.dense1.bias": np.array([1.0])},
    )
    assert {name: y.item() for name, y in made.run(np.array([[-4.0]])).items()} == {"0": 1, "1": -7}
    found = made.backward(np.array([[-4.0]]), {"1": np.array([[1.0]])})
    assert found.weights["each1.dense1.weight"].item() == -4
    assert found.weights["each1.dense1.bias"].item() == 1


def test_what_no_result_reads_has_no_gradient() -> None:
    net = Net.of(named("a", Dense(1)), named("b", Dense(1)), At("a"))
    made = engine(net, (2,))
    found = made.backward(np.ones((1, 2)), {"": np.ones((1, 1))})
    assert found.weights["b.weight"].tolist() == [[0]]
    nothing = made.backward(np.ones((1, 2)), {})
    assert not nothing.input.any()
    assert not any(gradient.any() for gradient in nothing.weights.values())


def test_gradients_are_of_trained_tensors_only() -> None:
    found = engine(Net.of(BatchNorm()), (2,)).backward(np.ones((2, 2)), {"": np.ones((2, 2))})
    assert list(found.weights) == ["batchnorm1.weight", "batchnorm1.bias"]


@pytest.mark.parametrize("seed", range(0, 500, 25))
@pytest.mark.parametrize("training", [None, Training(1, 2)], ids=["evaluate", "train"])
def test_backward_through_a_whole_net_is_its_derivative(
    seed: int, training: Training | None
) -> None:
    net, shape = random_net(seed)
    program = net.bind(shape)
    weights, random = random_weights(program, seed), np.random.default_rng(seed)
    made = build(program, weights)
    x = random_input(program, seed, batch=3)
    gradients = {name: random.standard_normal(y.shape) for name, y in made.run(x).items()}
    found = made.backward(x, gradients, training)

    toward = {path: random.standard_normal(g.shape) for path, g in found.weights.items()}
    expected = sum((toward[path] * found.weights[path]).sum() for path in toward)
    step = np.zeros_like(x, dtype=float)
    if x.dtype.kind == "f":
        step = random.standard_normal(x.shape)
        expected += (step * found.input).sum()

    def loss(h: float) -> float:
        moved = {p: w + h * toward[p] if p in toward else w for p, w in made.weights.items()}
        at = x + h * step if x.dtype.kind == "f" else x
        results = Reference(program, moved).run(at, training)
        return float(sum((gradients[name] * y).sum() for name, y in results.items()))

    h = 1e-7
    assert (loss(h) - loss(-h)) / (2 * h) == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_training_uses_masks_of_the_step_and_the_batchs_statistics() -> None:
    made = engine(Net.of(BatchNorm(), Dropout(0.5)), (8,))
    x = random_input(made.program, 0, batch=4)
    first, again, later = (made.run(x, Training(0, step))[""] for step in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first == 0, later == 0)
    assert not np.array_equal(made.run(x)[""] == 0, first == 0)


def test_new_statistics_are_returned_and_the_old_ones_stay() -> None:
    net = Net.of(named("n", BatchNorm(momentum=0.5)), Again("n"))
    start = {"n.weight": [1.0], "n.bias": [0.0], "n.running_mean": [0.0], "n.running_var": [1.0]}
    made = build(net.bind((1,)), {path: np.array(value) for path, value in start.items()})
    found = made.statistics(np.array([[1.0], [3.0]]), Training(0, 0))
    assert found["n.running_mean"].tolist() == pytest.approx([0.5])  # 0 -> 1 -> 0.5
    assert found["n.running_var"].tolist() == pytest.approx([0.5 * 1.5 + 0.5 * 2], rel=1e-4)
    assert made.weights["n.running_mean"].tolist() == [0]
    assert list(found) == ["n.running_mean", "n.running_var"]


PREPROCESSING = (Input("uint8"), Resize(4), Crop(4), Normalise((100.0,), (50.0,)))


def test_pictures_of_any_size_arrive_before_resize_and_crop() -> None:
    made = engine(Net.of(*PREPROCESSING, Conv(2, 3), Flatten()), (3, 9, 7))
    for sizes in ((9, 7), (4, 4), (5, 40), (3, 3)):
        x = np.random.default_rng(0).integers(0, 256, (2, *sizes, 3), np.uint8)
        assert made.run(x)[""].shape == (2, 8)
    gradients = made.backward(x, {"": np.ones((2, 8))})
    assert gradients.input.shape == x.shape


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(SpecError) as caught:
        call()
    return f"{type(caught.value).__name__}: {caught.value}"


PLAIN = Net.of(Conv(2, 3), ReLU())
BYTES = Net.of(*PREPROCESSING, Conv(2, 3))


@pytest.mark.parametrize(
    ("net", "x", "message"),
    [
        (
            PLAIN,
            np.zeros((2, 1, 6, 6)),
            "ShapeError: input: another shape arrives than the net was bound to\n"
            "  arrives:  2x1x6x6\n"
            "  expected: Nx3x6x6",
        ),
        (
            PLAIN,
            np.zeros((3, 6, 6)),
            "ShapeError: input: another shape arrives than the net was bound to\n"
            "  arrives:  3x6x6\n"
            "  expected: Nx3x6x6",
        ),
        (
            PLAIN,
            np.zeros((2, 3, 6, 7)),
            "ShapeError: input: another shape arrives than the net was bound to\n"
            "  arrives:  2x3x6x7\n"
            "  expected: Nx3x6x6",
        ),
        (
            PLAIN,
            np.zeros((0, 3, 6, 6)),
            "ShapeError: input: another shape arrives than the net was bound to\n"
            "  arrives:  0x3x6x6\n"
            "  expected: Nx3x6x6",
        ),
        (
            PLAIN,
            np.full((2, 3, 6, 6), "a"),
            "SpecError: input: this net reads numbers\n"
            "  arrives:  an array of <U1\n"
            "  expected: float Nx3x6x6",
        ),
        (
            BYTES,
            np.zeros((2, 6, 6, 3)),
            "SpecError: input: this net reads pictures as bytes\n"
            "  arrives:  an array of float64\n"
            "  expected: uint8 Nx6x6x3",
        ),
        (
            BYTES,
            np.zeros((2, 3, 6, 6), np.uint8),
            "ShapeError: input: another shape arrives than the net was bound to\n"
            "  arrives:  2x3x6x6\n"
            "  expected: Nx6x6x3",
        ),
        (
            Net.of(Resize(4), Conv(2, 3)),
            np.zeros((2, 3, 6, 8)),
            "ShapeError: layer 2 'conv1' (Conv): another shape arrives than the net was bound to\n"
            "  arrives:  2x3x4x5\n"
            "  expected: Nx3x4x4",
        ),
        (
            Net.of(Crop(4), Conv(2, 3)),
            np.zeros((2, 3, 6, 3)),
            "ShapeError: crop1: the picture is smaller than the crop\n"
            "  arrives:  6x3\n"
            "  expected: 4x4 or more\n"
            "  fix:      resize before it, or crop less",
        ),
    ],
)
def test_what_does_not_fit_is_refused(net: Net, x: np.ndarray, message: str) -> None:
    assert refused(lambda: engine(net, (3, 6, 6)).run(x)) == message


def test_gradients_must_be_those_of_results() -> None:
    made = engine(PLAIN, (3, 6, 6))
    x = np.zeros((1, 3, 6, 6))
    assert refused(lambda: made.backward(x, {"relu": x})) == (
        "SpecError: gradient 'relu': is not that of a result\n  expected: ''"
    )
    assert refused(lambda: made.backward(x, {"": x})) == (
        "ShapeError: gradient '': another shape arrives than the net was bound to\n"
        "  arrives:  1x3x6x6\n"
        "  expected: Nx2x4x4"
    )


def test_weights_must_be_exactly_those_of_the_program() -> None:
    program = Net.of(*[BatchNorm()] * 2).bind((2,))
    weights = random_weights(program, 0)
    fix = "\n  fix:      weights of the same net"
    paths = "; its paths are those of Program.tensors()"
    assert refused(lambda: build(program, {})) == (
        "SpecError: weights: missing tensors: batchnorm1.bias, batchnorm1.running_mean, "
        "batchnorm1.running_var, …" + fix + paths
    )
    assert refused(lambda: build(program, {**weights, "b": weights["batchnorm1.bias"]})) == (
        "SpecError: weights: tensors of no step: b" + fix + paths
    )
    assert refused(lambda: build(program, {**weights, "batchnorm2.bias": np.zeros((2, 3))})) == (
        "SpecError: weights 'batchnorm2.bias': has another shape than its step\n"
        "  arrives:  2x3\n"
        "  expected: 2" + fix
    )


def test_a_kind_without_a_row_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from foveal.engines.reference import engine as module

    monkeypatch.setattr(module, "ROWS", {})
    assert refused(lambda: engine(Net.of(ReLU()), (2,))) == (
        "SpecError: relu1: the reference engine has no row for relu"
    )
