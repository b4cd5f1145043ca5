"""The PyTorch engine: the same net as the arithmetic says, in the names the program says."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import weakref
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from support.nets import random_input, random_net, random_weights
from torch import nn
from torch.nn import functional as F

from foveal.engines import pytorch, reference
from foveal.errors import ShapeError, SpecError
from foveal.net import Net
from foveal.net.combinators import Again, Named, branches, chain, named, repeat
from foveal.net.kind import Kind
from foveal.net.layers import (
    KINDS,
    Add,
    AvgPool,
    BatchNorm,
    Conv,
    Crop,
    Dense,
    Dropout,
    Flatten,
    GlobalMaxPool,
    Identity,
    Input,
    MaxPool,
    Normalise,
    ReLU,
    Resize,
)
from foveal.net.notation import parse
from foveal.net.program import Program


def run(net: Net, shape: tuple[int, ...], x: np.ndarray) -> np.ndarray:
    program = net.bind(shape)
    return pytorch.build(program, random_weights(program, 0)).run(x)[""]


def test_every_kind_has_a_row_and_no_row_is_left_over() -> None:
    assert set(pytorch.ROWS) == set(KINDS)


@pytest.mark.parametrize("first", range(0, 500, 50))
def test_random_nets_have_the_tensors_and_shapes_the_arithmetic_says(first: int) -> None:
    for seed in range(first, first + 50):
        net, shape = random_net(seed)
        program = net.bind(shape)
        made = pytorch.module(program, random_weights(program, seed)).eval()
        held = {path: tuple(tensor.shape) for path, tensor in made.state_dict().items()}
        assert held == {path: tensor.shape for path, tensor in program.tensors().items()}
        trained = sum(tensor.size for tensor in program.tensors().values() if tensor.trained)
        assert sum(p.numel() for p in made.parameters()) == trained
        x = random_input(program, seed)
        shapes = {name: value.shape for name, value in pytorch.Torch(made).run(x).items()}
        assert shapes == {name: (2, *size) for name, size in program.result_shapes().items()}


def residual() -> Program:
    """A residual block in a repeat, as in ResNet."""
    conv = chain(Conv(4, 3, padding="same", bias=False), BatchNorm())
    block = branches(Add(), Identity(), conv)
    return Net.of(named("layer1", repeat(2, block)), Flatten(), Dense(3)).bind((4, 5, 5))


def test_state_dict_has_the_paths_of_the_program() -> None:
    program = residual()
    made = pytorch.module(program, 0)
    assert set(made.state_dict()) == set(program.tensors())
    assert "layer1.0.add1.1.conv1.weight" in made.state_dict()
    buffers = {name for name, _ in made.named_buffers()}
    assert buffers == {path for path, tensor in program.tensors().items() if not tensor.trained}


def test_every_step_is_a_module_under_its_path() -> None:
    program = residual()
    found = dict(pytorch.module(program, 0).named_modules())
    for step in program.steps:
        assert found[step.path].kind == step.kind


def test_a_step_may_be_called_like_a_method_of_a_module() -> None:
    net = Net.of(named("type", Conv(2, 1)), named("forward", ReLU()), named("train", Dropout()))
    made = pytorch.module(net.bind((1, 2, 2)), 0)
    assert set(made.state_dict()) == {"type.weight", "type.bias"}
    made.train()
    assert made.eval()(torch.ones(1, 1, 2, 2))[""].shape == (1, 2, 2, 2)


def test_shared_weights_are_one_tensor_whose_gradients_add_up() -> None:
    net = Net.of(named("c", Conv(1, 3, padding="same")), MaxPool(2), Again("c"))
    ones = {"c.weight": np.ones((1, 1, 3, 3), np.float32), "c.bias": np.zeros(1, np.float32)}
    made = pytorch.module(net.bind((1, 6, 6)), ones)
    assert set(made.state_dict()) == {"c.weight", "c.bias"}
    made(torch.ones(1, 1, 6, 6))[""].sum().backward()
    bias = dict(made.named_parameters())["c.bias"]
    assert bias.grad is not None
    through_first = 4 * 4 + 4 * 6 + 1 * 9  # windows of the second use over each of 3x3 positions
    assert bias.grad.tolist() == [9 + through_first]


def test_values_are_dropped_after_their_last_use() -> None:
    made = pytorch.module(Net.of(Conv(2, 1), ReLU(), Conv(2, 1)).bind((1, 4, 4)), 0)
    values: list[weakref.ref[torch.Tensor]] = []
    alive: list[list[bool]] = []

    def watch(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        alive.append([value() is not None for value in values])
        values.append(weakref.ref(output))

    for _, layer in made.calls:
        layer.register_forward_hook(watch)
    with torch.no_grad():
        made(torch.ones(1, 1, 4, 4))
    assert alive == [[], [True], [False, True]]


def test_survives_pickling_and_deep_copying() -> None:
    program = residual()
    made = pytorch.module(program, 3).eval()
    x = torch.ones(2, 4, 5, 5)
    for twin in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):  # noqa: S301
        assert torch.equal(twin(x)[""], made(x)[""])
        with torch.no_grad():
            next(twin.parameters()).zero_()
        assert not torch.equal(twin(x)[""], made(x)[""])


def test_weights_come_back_as_they_went_in() -> None:
    program = residual()
    given = random_weights(program, 1)
    back = pytorch.weights(pytorch.module(program, given))
    assert given.keys() == back.keys()
    assert all(np.array_equal(given[path], back[path]) for path in given)
    assert all(value.dtype == np.float32 for value in back.values())


def test_average_pooling_does_not_count_padding() -> None:
    x = np.ones((1, 1, 4, 4), np.float32)
    for padding in (1, ((0, 1), (2, 1)), "same"):
        assert np.allclose(run(Net.of(AvgPool(3, 1, padding)), (1, 4, 4), x), 1)


def test_average_pooling_pads_where_the_kernel_alone_does_not_fit() -> None:
    x = np.ones((1, 1, 2, 3, 5), np.float32)
    assert np.allclose(run(Net.of(AvgPool(3, 1, "same")), (1, 2, 3, 5), x), 1)


def test_padding_never_wins_max_pooling() -> None:
    x = -np.ones((1, 1, 4, 4), np.float32)
    for padding in (1, 2, ((0, 1), (2, 1)), "same"):
        assert np.all(run(Net.of(MaxPool(3, 1, padding)), (1, 4, 4), x) == -1)


def test_odd_same_padding_goes_after() -> None:
    x = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    program = Net.of(Conv(1, 2, padding="same", bias=False)).bind((1, 4, 4))
    weights = random_weights(program, 0)
    made = pytorch.build(program, weights).run(x)[""]
    padded = F.pad(torch.from_numpy(x), (0, 1, 0, 1))
    wanted = F.conv2d(padded, torch.from_numpy(weights["conv1.weight"]))
    np.testing.assert_allclose(made, wanted.numpy(), rtol=1e-6)


def test_of_equal_values_the_first_has_the_gradient_of_global_max_pooling() -> None:
    made = pytorch.module(Net.of(GlobalMaxPool()).bind((1, 2, 2)), 0)
    x = torch.ones(1, 1, 2, 2, requires_grad=True)
    made(x)[""].sum().backward()
    assert x.grad is not None
    assert x.grad.flatten().tolist() == [1, 0, 0, 0]


def test_bytes_arrive_channels_last_without_a_copy() -> None:
    made = pytorch.module(Net.of(Input("uint8"), Normalise((10.0,), (2.0,))).bind((3, 2, 2)), 0)
    x = torch.arange(24, dtype=torch.uint8).reshape(2, 2, 2, 3)
    y = made(x)[""]
    assert y.shape == (2, 3, 2, 2)
    assert y.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(y, (x.permute(0, 3, 1, 2).float() - 10) / 2)


def test_resizing_follows_its_definition_for_any_arriving_size() -> None:
    net = Net.of(Input("uint8"), Resize(8), Crop(8))
    made = pytorch.module(net.bind((3, 20, 13)), 0)
    random = np.random.default_rng(0)
    for height, width in ((20, 13), (5, 7), (16, 16)):
        x = random.integers(0, 256, (1, height, width, 3), np.uint8)
        y = made(torch.from_numpy(x))[""].numpy()[0]
        short = min(height, width)
        sizes = [int(np.floor(n * 8 / short + 0.5)) for n in (height, width)]
        wanted = np.rint(_resized(x[0].astype(float), *sizes))
        top, left = (sizes[0] - 8) // 2, (sizes[1] - 8) // 2
        wanted = wanted[top : top + 8, left : left + 8].transpose(2, 0, 1)
        assert np.abs(y - wanted).max() <= 1
        assert np.mean(y == wanted) > 0.99


def _resized(x: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Position by position, as the formula of Resize is written."""
    for axis, m in ((0, rows), (1, columns)):
        n = x.shape[axis]
        s = max(1, n / m)
        made = []
        for o in range(m):
            weights = [max(0, 1 - abs(i + 0.5 - (o + 0.5) * n / m) / s) for i in range(n)]
            made.append(np.average(x, axis=axis, weights=weights))
        x = np.stack(made, axis=axis)
    return x


def test_batch_norm_learns_its_statistics_and_uses_them_when_it_predicts() -> None:
    made = pytorch.module(Net.of(BatchNorm(momentum=1.0)).bind((2, 3, 3)), 0)
    x = torch.randn(8, 2, 3, 3, generator=torch.Generator().manual_seed(0)) * 3 + 5
    trained = made.train()(x)[""]
    assert abs(float(trained.detach().mean())) < 1e-5
    predicted = made.eval()(x)[""]
    assert torch.allclose(trained, predicted, atol=0.03)


def test_float64_modules_keep_their_precision() -> None:
    mean = (0.485, 0.456, 0.406)
    made = pytorch.module(Net.of(Input(), Normalise(mean, (0.3,))).bind((3, 1, 1)), 0).double()
    y = made(torch.zeros(1, 3, 1, 1))[""]
    assert y.dtype == torch.float64
    assert y.flatten().tolist() == [-m / 0.3 for m in mean]


def test_a_mean_first_used_in_inference_mode_can_be_trained_through() -> None:
    made = pytorch.module(Net.of(Conv(2, 1), Normalise((1.5, 2.5), (3.5, 4.5))).bind((2, 2, 2)), 0)
    with torch.inference_mode():
        made(torch.ones(1, 2, 2, 2))
    made(torch.ones(1, 2, 2, 2))[""].sum().backward()


def test_dropout_is_a_function_of_seed_step_and_path() -> None:
    made = pytorch.module(Net.of(Dropout(), Named("other", Dropout())).bind((1000,)), 0).train()
    x = torch.ones(1, 1000)

    def drawn(seed: int, step: int) -> torch.Tensor:
        made.at(seed, step)
        return made(x)[""]

    assert torch.equal(drawn(0, 1), drawn(0, 1))
    assert not torch.equal(drawn(0, 1), drawn(0, 2))
    assert not torch.equal(drawn(0, 1), drawn(1, 1))
    share = (drawn(0, 1) != 0).float().mean()
    assert 0.2 < share < 0.3  # two independent masks, a quarter survives both
    assert set(drawn(0, 1).unique().tolist()) == {0.0, 4.0}
    assert torch.equal(made.eval()(x)[""], x)


def test_missing_and_foreign_weights_are_named() -> None:
    program = Net.of(Dense(2)).bind((3,))
    given = random_weights(program, 0)
    with pytest.raises(SpecError) as error:
        pytorch.module(program, {"dense1.weight": given["dense1.weight"]})
    assert str(error.value) == (
        "weights: missing tensors: dense1.bias\n"
        "  fix:      weights of the same net; its paths are those of Program.tensors()"
    )
    with pytest.raises(SpecError) as error:
        pytorch.module(
            program, given | {f"dense{n}.bias": given["dense1.bias"] for n in range(2, 7)}
        )
    assert error.value.problem == ("tensors of no step: dense2.bias, dense3.bias, dense4.bias, …")
    with pytest.raises(SpecError) as error:
        pytorch.module(program, given | {"dense1.weight": np.zeros((2, 4), np.float32)})
    assert str(error.value) == (
        "weights 'dense1.weight': has another shape than its step\n"
        "  arrives:  2x4\n"
        "  expected: 2x3\n"
        "  fix:      weights of the same net"
    )


def test_another_shape_than_the_net_was_bound_to_is_refused() -> None:
    with pytest.raises(ShapeError) as error:
        run(Net.of(Conv(2, 1)), (1, 4, 4), np.zeros((1, 1, 4, 5), np.float32))
    assert str(error.value) == (
        "'conv1': another shape arrives than the net was bound to\n"
        "  arrives:  1x4x5\n"
        "  expected: 1x4x4\n"
        "  fix:      bind the net to the shape that arrives"
    )


def test_batch_norm_refuses_to_learn_from_one_value() -> None:
    made = pytorch.module(Net.of(BatchNorm()).bind((3,)), 0).train()
    with pytest.raises(SpecError) as error:
        made(torch.ones(1, 3))
    assert str(error.value) == (
        "batchnorm1: batch norm cannot learn from a batch with one value per channel\n"
        "  fix:      batch_size 2 or more, or flatten before it"
    )


@dataclass(frozen=True)
class Unknown(Kind):
    word = "unknown"


def test_a_kind_without_a_row_is_named() -> None:
    program = Net.of(ReLU()).bind((3,))
    steps = (replace(program.steps[0], kind=Unknown()),)
    with pytest.raises(SpecError) as error:
        pytorch.module(replace(program, steps=steps), 0)
    assert str(error.value) == "relu1: the PyTorch engine has no row for Unknown"


def test_a_module_is_an_ordinary_one() -> None:
    assert isinstance(pytorch.module(residual(), 0), nn.Module)


def test_a_kernel_of_one_with_unequal_strides_keeps_to_its_memory() -> None:
    """PyTorch 2.13 by itself does not: it breaks off, or ends with a segmentation fault."""
    learn = (
        "import torch\n"
        "from foveal.engines.pytorch import module\n"
        "from foveal.net.notation import parse\n"
        "net = module(parse('conv 5 1 stride 2x1').bind((4, 10, 6)), 0)\n"
        "for _ in range(60):\n"
        "    x = torch.randn(3, 10, 6, 4).movedim(-1, 1).requires_grad_()\n"
        "    net(x)[''].square().sum().backward()\n"
    )
    subprocess.run([sys.executable, "-c", learn], check=True)


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_the_norm_of_few_channels_that_are_nearly_equal(channels: int) -> None:
    program = parse("layernorm").bind((channels, 30, 30))
    weights = random_weights(program, 0)
    x = np.random.default_rng(0).standard_normal((8, channels, 30, 30), np.float32)
    wanted = reference.build(program, weights).run(x)[""]
    made = pytorch.build(program, weights).run(x)[""]
    assert np.abs(made - wanted).max() <= 2e-6 * np.abs(wanted).max()
