"""Folding batch norm: the same function, no step renamed, and hands off what others use."""

from __future__ import annotations

import numpy as np
import pytest
from support.nets import differs, random_input, random_net, random_weights

from foveal.engines import portable, reference
from foveal.engines.rewrites import fold_batch_norm, plain_weights
from foveal.net import Net
from foveal.net.combinators import (
    Again,
    Each,
    Item,
    Named,
    Outputs,
    Reference,
    branches,
    chain,
    named,
    repeat,
)
from foveal.net.kind import Shape
from foveal.net.layers import Add, BatchNorm, Conv, Dense, Flatten, Identity, ReLU
from foveal.net.notation import parse


def folded_paths(net: Net, shape: Shape) -> list[str]:
    """The steps that are left, after checking that they make the same of a random input."""
    program = net.bind(shape)
    weights, x = random_weights(program, 1), random_input(program, 1, batch=3)
    folded, changed = fold_batch_norm(program, weights)
    assert {path: weight.shape for path, weight in changed.items()} == {
        path: tensor.shape for path, tensor in folded.tensors().items()
    }
    before = reference.build(program, weights).run(x)
    after = reference.build(folded, changed).run(x)
    assert before.keys() == after.keys()
    for name, y in before.items():
        assert np.abs(after[name] - y).max() <= 1e-6 * np.abs(y).max()
    return [step.path for step in folded.steps]


@pytest.mark.parametrize(
    ("before", "shape"),
    [
        (Conv(4, 3, bias=False), (2, 5, 5)),
        (Conv(4, 3, padding=1, groups=2), (2, 5)),
        (Conv(4, 2), (2, 3, 3, 3)),
        (Dense(4), (3,)),
        (Dense(4, bias=False), (3,)),
    ],
)
def test_batch_norm_folds_into_the_layer_before(before: Item, shape: Shape) -> None:
    net = Net.of(named("layer", before), BatchNorm(eps=0.01), ReLU())
    assert folded_paths(net, shape) == ["layer", "relu1"]


def test_two_batch_norms_fold_one_after_the_other() -> None:
    assert folded_paths(Net.of(Dense(4), BatchNorm(), BatchNorm()), (3,)) == ["dense1"]


def test_folding_the_first_does_not_rename_the_second() -> None:
    net = Net.of(Conv(2, 1), BatchNorm(), ReLU(), BatchNorm(), Flatten())
    assert folded_paths(net, (1, 2, 2)) == ["conv1", "relu1", "batchnorm2", "flatten1"]


def test_batch_norms_of_branches_and_repeats_fold() -> None:
    long = chain(Conv(2, 3, padding=1, bias=False), BatchNorm())
    net = Net.of(repeat(2, branches(Add(), long, Identity()), ReLU()))
    assert not [path for path in folded_paths(net, (2, 4, 4)) if "batchnorm" in path]


def test_a_batch_norm_that_is_a_result_folds() -> None:
    ends = Outputs((Named("a", chain(Conv(2, 1), BatchNorm())), Named("b", chain(ReLU()))))
    paths = folded_paths(Net.of(ends), (2, 2, 2))
    assert [path.rpartition(".")[2] for path in paths] == ["conv1", "relu1"]


@pytest.mark.parametrize(
    "net",
    [
        Net.of(named("c", Conv(2, 1)), BatchNorm(), branches(Add(), Identity(), Reference("c"))),
        Net.of(
            named("c", Conv(2, 1)),
            Outputs((Named("a", chain(BatchNorm())), Named("b", chain(Reference("c"))))),
        ),
        Net.of(Conv(2, 1), branches(Add(), BatchNorm(), BatchNorm())),
        Net.of(named("c", Conv(2, 1)), BatchNorm(), Again("c")),
        Net.of(Conv(2, 1), named("n", BatchNorm()), ReLU(), Again("n")),
        Net.of(Outputs((chain(Identity()), chain(ReLU()))), Each(chain(Conv(2, 1), BatchNorm()))),
        Net.of(ReLU(), BatchNorm()),
        Net.of(BatchNorm(), Conv(2, 1)),
    ],
    ids=[
        "the value of the convolution is referred to",
        "the value of the convolution is a result",
        "two batch norms read the convolution",
        "the weights of the convolution are shared",
        "the weights of the batch norm are shared",
        "each shares both",
        "nothing to fold into",
        "batch norm before the convolution",
    ],
)
def test_nothing_folds_where(net: Net) -> None:
    assert folded_paths(net, (2, 3, 3)) == [step.path for step in net.bind((2, 3, 3)).steps]


def test_what_is_given_does_not_change() -> None:
    program = Net.of(Dense(2), BatchNorm()).bind((3,))
    weights = random_weights(program, 0)
    before = {path: weight.copy() for path, weight in weights.items()}
    fold_batch_norm(program, weights)
    assert weights.keys() == before.keys()
    assert all(np.array_equal(weights[path], before[path]) for path in before)


@pytest.mark.parametrize("first", range(0, 200, 40))
def test_random_nets_are_the_same_with_and_without_folding(first: int) -> None:
    folded = 0
    for seed in range(first, first + 40):
        net, shape = random_net(seed)
        program = net.bind(shape)
        weights, x = random_weights(program, seed), random_input(program, seed)
        contents = [portable.write(program, weights, fold=fold) for fold in (True, False)]
        folded += contents[0] != contents[1]
        made, expected = (portable.Portable(program, content).run(x) for content in contents)
        for name, y in expected.items():
            assert differs(made[name], y) <= 1e-5
    assert folded > 0


def test_weights_that_are_used_as_they_are_are_not_touched() -> None:
    program = parse("conv 4 3 init normal:1 frozen -> relu -> flatten -> dense 2").bind((1, 5, 5))
    weights = random_weights(program, 0)
    plain, made = plain_weights(program, weights)
    assert plain == program
    assert all(made[path] is weight for path, weight in weights.items())


def test_a_layer_that_starts_by_a_word_is_folded_too() -> None:
    program = parse("conv 4 3 init orthogonal frozen -> batchnorm").bind((1, 5, 5))
    folded, _ = fold_batch_norm(program, random_weights(program, 0))
    assert [step.path for step in folded.steps] == ["conv1"]


def test_a_filter_that_is_worked_on_is_folded_when_it_is_plain() -> None:
    text = "conv 4 3 flip shared unit_sum -> batchnorm -> depthwise 3 weight_norm -> batchnorm"
    program = parse(text).bind((2, 7, 7))
    weights = {path: np.abs(w) for path, w in random_weights(program, 0).items()}
    assert fold_batch_norm(program, weights)[0] == program
    folded, made = fold_batch_norm(*plain_weights(program, weights))
    assert [step.path for step in folded.steps] == ["conv1", "depthwise1"]
    x = random_input(program, 0)
    expected = reference.build(program, weights).run(x)[""]
    assert differs(reference.build(folded, made).run(x)[""], expected) <= 1e-6
