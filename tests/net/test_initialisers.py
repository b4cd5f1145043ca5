"""How weights start, as text and as numbers."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
import torch

from foveal.engines.starts import STARTS, start
from foveal.engines.weights import check, initial
from foveal.errors import NotationError, SpecError
from foveal.net.initialisers import NUMBERS, Init
from foveal.net.kind import Tensor
from foveal.net.layers import Conv
from foveal.net.notation import parse

TEXTS = ["xavier", "normal:0.02", "uniform:-0.1,0.1", "constant:-2", "sharpen", "1,0,-1", "0.5"]


@pytest.mark.parametrize("text", TEXTS)
def test_a_start_is_written_as_it_is_read(text: str) -> None:
    net = parse(f"conv 1 3x1 init {text} -> relu")
    assert net.write() == f"conv 1 3x1 init {text} -> relu"


@pytest.mark.parametrize("bad", ["normal", "normal:x", "normal:-1", "nonsense", "uniform:1,0"])
def test_bad_starts_are_refused_at_their_place(bad: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse(f"conv 1 3 init {bad}")
    assert caught.value.column == 15
    assert str(caught.value).startswith(
        "line 1, column 15: conv init must be one of zero, one, constant:0.5, uniform:-1,1, "
        "normal:0.02, xavier, xavier_uniform, kaiming, kaiming_uniform, orthogonal, dirac, "
        "partial_dirac, sign, whitening, the name of a filter, or the kernel's numbers row by row "
        f"such as 1,0,-1, or unset, not '{bad}'"
    )


def test_every_word_has_a_row_that_starts_a_tensor() -> None:
    assert set(STARTS) == set(NUMBERS)
    assert Init().accept("uniform:-1,1") == "uniform:-1,1"


def drawn(init: str, shape: tuple[int, ...] = (64, 32, 3, 3)) -> np.ndarray:
    fans = (prod(shape[1:]), shape[0] * prod(shape[2:]))
    return start(Tensor("weight", shape, init=init, fans=fans), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("init", "deviation"),
    [
        ("normal:0.02", 0.02),
        ("uniform:-3,3", 3**0.5),
        ("kaiming", (2 / 288) ** 0.5),
        ("kaiming_uniform", (2 / 288) ** 0.5),
        ("xavier", (2 / (288 + 576)) ** 0.5),
        ("xavier_uniform", (2 / (288 + 576)) ** 0.5),
        ("sign", 1),
    ],
)
def test_deviations_are_those_of_the_papers(init: str, deviation: float) -> None:
    made = drawn(init)
    assert made.std() == pytest.approx(deviation, rel=0.02)
    assert abs(made.mean()) < 0.02 * deviation


def test_uniform_starts_stay_within_their_bounds() -> None:
    assert np.abs(drawn("kaiming_uniform")).max() <= (6 / 288) ** 0.5
    assert np.abs(drawn("xavier_uniform")).max() <= (6 / 864) ** 0.5
    assert set(np.unique(drawn("sign"))) == {-1, 1}


@pytest.mark.parametrize("shape", [(6, 4, 3), (4, 6, 3), (5, 5)])
def test_orthogonal_rows_or_columns_have_length_one_and_right_angles(
    shape: tuple[int, ...],
) -> None:
    matrix = drawn("orthogonal", shape).reshape(shape[0], -1)
    square = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    assert np.allclose(square, np.eye(len(square)), atol=1e-12)


def test_partial_dirac_draws_the_filters_that_dirac_leaves_empty() -> None:
    made, passing = drawn("partial_dirac", (6, 2, 3, 3)), drawn("dirac", (6, 2, 3, 3))
    assert np.array_equal(made[:2], passing[:2])
    assert 0.9 / 18**0.5 < np.abs(made[2:]).max() <= 1 / 18**0.5
    assert np.array_equal(drawn("partial_dirac", (2, 6, 3, 3)), drawn("dirac", (2, 6, 3, 3)))


def test_dirac_is_pytorchs_and_passes_channels_on() -> None:
    for shape in ((4, 4, 3), (2, 4, 3, 3), (6, 4, 1, 2)):
        expected = torch.nn.init.dirac_(torch.empty(shape)).numpy()
        assert np.array_equal(drawn("dirac", shape), expected)


def test_numbers_go_to_every_channel_every_filter_or_all() -> None:
    def started(init: tuple[float, ...]) -> np.ndarray:
        program = parse("conv 2 2 no bias").bind((2, 4))
        (step,) = program.steps
        kind = Conv(2, 2, bias=False, init=init)
        (tensor,) = kind.tensors(step.ins)
        return start(tensor, np.random.default_rng(0))

    assert started((1, 2)).tolist() == [[[1, 2], [1, 2]]] * 2
    assert started((1, 2, 3, 4)).tolist() == [[[1, 2], [3, 4]]] * 2
    assert started(tuple(range(8))).ravel().tolist() == list(range(8))


def test_the_length_of_weight_norm_starts_as_that_of_its_filters() -> None:
    made = initial(parse("conv 3 2 weight_norm init normal:2").bind((2, 4)), 0)
    lengths = np.linalg.norm(made["conv1.weight"].reshape(3, -1), axis=1)
    assert np.allclose(made["conv1.gain"], lengths, rtol=1e-6)


def test_a_filter_that_sums_to_nothing_cannot_be_divided() -> None:
    program = parse("conv 2 1x3 no bias unit_sum").bind((1, 4, 4))
    weight = np.array([[0.1, 0.2, 0.3], [0.1, 0.2, -0.3]], np.float32).reshape(2, 1, 1, 3)
    with pytest.raises(SpecError) as caught:
        check(program, {"conv1.weight": weight})
    assert str(caught.value) == (
        "conv1: filter 1 cannot be divided by the sum of its weights, which is 0\n"
        "  fix:      leave out unit_sum: "
        "a filter for edges sums to 0 and cannot keep a flat picture"
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [("conv 2 3 weight_norm init zero", 0), ("conv 4 3 weight_norm init dirac", 2)],
)
def test_a_filter_of_zeros_has_no_direction(text: str, number: int) -> None:
    program = parse(text).bind((2, 4, 4))
    with pytest.raises(SpecError) as caught:
        check(program, initial(program, 0))
    assert str(caught.value) == (
        f"conv1: all weights of filter {number} are 0, and weight_norm needs a direction\n"
        "  fix:      leave out weight_norm, or another init: zero and dirac have filters of zeros"
    )


def test_a_start_without_a_row_is_refused() -> None:
    with pytest.raises(SpecError, match="weight: no engine knows how to start with magic"):
        start(Tensor("weight", (1,), init="magic"), np.random.default_rng(0))
