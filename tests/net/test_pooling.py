"""Pooling and what undoes it: numbers worked by hand, in all three engines, and the errors."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from foveal import engines
from foveal.engines import portable, pytorch, reference
from foveal.engines.masks import uniform
from foveal.engines.reference import Training
from foveal.engines.weights import initial
from foveal.errors import ShapeError, SpecError
from foveal.net import Net
from foveal.net.arithmetic import arithmetic
from foveal.net.kind import Shape
from foveal.net.layers import AvgPool, MaxPool
from foveal.net.layers.window import Window
from foveal.net.notation import parse

GRID = "1 2 3 4/5 6 7 8/9 10 11 12/13 14 15 16"


def grid(text: str) -> np.ndarray:
    """One picture with one channel, written row by row, or one line without a slash."""
    rows = [[float(number) for number in row.split()] for row in text.split("/")]
    return np.array(rows if "/" in text else rows[0])[None, None]


def answers(net: str, x: np.ndarray) -> dict[str, np.ndarray]:
    """What each engine makes of a picture."""
    program = parse(net).bind(x.shape[1:])
    return {
        name: engines.build(name, program, {}).run(x.astype(np.float32))[""]
        for name in engines.ENGINES
    }


def gradients(net: str, x: np.ndarray, dy: np.ndarray) -> list[np.ndarray]:
    """The gradient of the picture by the reference engine and by PyTorch."""
    program = parse(net).bind(x.shape[1:])
    leaf = torch.tensor(x, requires_grad=True)
    pytorch.module(program, {}).double().eval()(leaf)[""].backward(torch.tensor(dy))
    assert leaf.grad is not None
    return [reference.build(program, {}).backward(x, {"": dy}).input, leaf.grad.numpy()]


VALUES: list[tuple[str, str, str]] = [
    ("maxpool 2", GRID, "6 8/14 16"),
    ("avgpool 2", GRID, "3.5 5.5/11.5 13.5"),
    ("minpool 2", GRID, "1 3/9 11"),
    ("sumpool 2", GRID, "14 22/46 54"),
    ("maxpool 2 stride 1", GRID, "6 7 8/10 11 12/14 15 16"),
    ("minpool 2 stride 1", GRID, "1 2 3/5 6 7/9 10 11"),
    ("maxpool 2 dilation 2 stride 1", GRID, "11 12/15 16"),
    ("maxpool 2 ceil", "1 5 2 4 3", "5 4 3"),
    ("minpool 2 ceil", "1 5 2 4 3", "1 2 3"),
    ("minpool 2 padding 1", "1 5 2 4", "1 2 4"),
    ("sumpool 2 ceil padding 1", "1 5 2 4", "1 7 4"),
    ("avgpool 2 ceil", "1 5 2 4 3", "3 3 3"),
    ("avgpool 2 padding 1", "1 5 2 4", "1 3.5 4"),
    ("avgpool 2 padding 1 count_include_pad", "1 5 2 4", "0.5 3.5 2"),
    ("avgpool 3 stride 2 padding 0:1 ceil count_include_pad", "1 5 3 3", "3 2"),
    # The last window holds 3, its padding, and a position that nothing declares: 3 / 2.
    ("avgpool 3 stride 3 padding 0:1 ceil count_include_pad", "1 5 3 3", "3 1.5"),
    ("avgpool 3 stride 3 padding 0:1 ceil", "1 5 3 3", "3 3"),
    ("lppool 2 p 1", "3 -4 0 0", "7 0"),
    ("lppool 2", "3 -4 0 0", "5 0"),
    ("lppool 2 p 3", "-1 0 2 2", "1 2.5198421"),
    ("lppool 2 p 1000", "30 -40 0 0", "40 0"),
    ("globallppool keep p 1000", "30 -40 0 0", "40"),
    ("globalminpool keep", GRID, "1/"),
    ("globalsumpool keep", GRID, "136/"),
    ("stochasticpool 2", "1 3 -2 4 -1 0", "2.5 4 0"),
    ("adaptiveavgpool 2", "1 2 3 4 5", "2 4"),
    ("adaptivemaxpool 2", "1 2 3 4 5", "3 5"),
    ("adaptiveavgpool 5", "1 2 3", "1 1.5 2 2.5 3"),
    ("adaptivemaxpool 5", "1 2 3", "1 2 2 3 3"),
    ("upsample 2", "1 2", "1 1 2 2"),
    ("upsample 2 linear", "1 5 3", "1 2 4 4.5 3.5 3"),
    ("upsample 3 linear", "3 0", "3 3 2 1 0 0"),
    ("upsample 2 linear align_corners", "0 3", "0 1 2 3"),
    ("upsample 2 linear", "0 4/8 12", "0 1 3 4/2 3 5 6/6 7 9 10/8 9 11 12"),
    ("b: identity -> maxpool 2 -> maxunpool 2( identity | @b )", "1 5 4 4 9", "0 5 4 0 0"),
    ("b: identity -> minpool 2 -> maxunpool 2( identity | @b )", "1 5 4 2", "0 1 2 0"),
]


@pytest.mark.parametrize(("net", "x", "y"), VALUES)
def test_values_worked_by_hand(net: str, x: str, y: str) -> None:
    expected = grid(y.removesuffix("/"))
    for engine, made in answers(net, grid(x)).items():
        assert made.size == expected.size, engine
        assert np.abs(made.ravel() - expected.ravel()).max() <= 1e-6 * np.abs(expected).max()


SLOPES: list[tuple[str, str, str, str]] = [
    ("maxpool 2", "3 3 1 2", "10 20", "10 0 0 20"),
    ("minpool 2", "3 3 1 2", "10 20", "10 0 20 0"),
    ("globalmaxpool keep", "3 1 3 2", "10", "10 0 0 0"),
    ("globalminpool keep", "3 1 3 1", "10", "0 10 0 0"),
    ("adaptivemaxpool 2", "1 3 3", "10 20", "0 30 0"),
    ("adaptiveavgpool 2", "1 3 3", "10 20", "5 15 10"),
    ("avgpool 2 padding 1 count_include_pad", "1 5 2 4", "10 20 30", "5 10 10 15"),
    ("sumpool 2 stride 1", "1 5 2", "10 20", "10 30 20"),
    ("lppool 2", "3 -4 0 0", "10 20", "6 -8 0 0"),
    ("lppool 2 p 1", "3 -4 0 0", "10 20", "10 -10 0 0"),
    ("lppool 2 p 4", "3 0 0 0", "10 20", "10 0 0 0"),
    ("globallppool keep p 3", "0 0", "10", "0 0"),
    ("globallppool keep", "0 0", "10", "0 0"),
    ("stochasticpool 2", "1 3 -2 0", "10 20", "-1.25 8.75 0 0"),
    ("upsample 2", "1 2", "1 2 3 4", "3 7"),
    ("upsample 2 linear", "1 2", "4 4 4 4", "8 8"),
    ("b: identity -> maxunpool 1( identity | @b )", "1 2", "10 20", "10 20"),
]


@pytest.mark.parametrize(("net", "x", "dy", "dx"), SLOPES)
def test_gradients_worked_by_hand(net: str, x: str, dy: str, dx: str) -> None:
    for made in gradients(net, grid(x), grid(dy)):
        assert np.allclose(made, grid(dx), rtol=1e-12, atol=0)


def test_every_window_size_is_that_of_pytorch() -> None:
    """With and without ceil; Foveal refuses what would see only padding."""
    for n, k, s, p, d, ceil in product(
        range(1, 9), (1, 2, 3), (1, 2, 3, 4), (0, 1), (1, 2), (False, True)
    ):
        if 2 * p > k or d * (k - 1) + 1 > n + 2 * p:
            continue
        pool = MaxPool(k, s, p, d, ceil)
        theirs = torch.nn.functional.max_pool1d(torch.arange(1.0, n + 1)[None], k, s, p, d, ceil)
        if torch.isinf(theirs).any():
            with pytest.raises(ShapeError):
                pool.output(((1, n),))
        else:
            assert pool.output(((1, n),)) == tuple(theirs.shape)


def test_means_are_those_of_pytorch_with_ceil_and_padding() -> None:
    random = np.random.default_rng(0)
    for n, k, s, p, ceil, included in product(
        range(2, 8), (2, 3), (1, 2, 3), (0, 1), (False, True), (False, True)
    ):
        if k > n + 2 * p:
            continue
        x = random.standard_normal((2, 3, n)).astype(np.float32)
        theirs = torch.nn.functional.avg_pool1d(torch.tensor(x), k, s, p, ceil, included).numpy()
        kind = AvgPool(k, s, p, ceil=ceil, count_include_pad=included)
        program = Net.of(kind).bind((3, n))
        for name in engines.ENGINES:
            ours = engines.build(name, program, {}).run(x)[""]
            assert ours.shape == theirs.shape
            assert np.abs(ours - theirs).max() <= 1e-6, (kind, n, name)


def test_what_sees_only_padding_is_found_for_every_dilation() -> None:
    refused = 0
    for n, k, s, d in product(range(1, 8), (1, 2, 3), (1, 2, 3, 5), (1, 2, 3, 5)):
        for before, after in product(range(7), range(7)):
            axis = Window(n, k, s, d, before, after)
            if axis.slack < 0:
                continue
            starts = [o * s - before for o in range(axis.output)]
            seen = [any(0 <= start + tap * d < n for tap in range(k)) for start in starts]
            pool = MaxPool(k, s, ((before, after),), d)
            if all(seen):
                assert pool.output(((1, n),)) == (1, axis.output)
            else:
                refused += 1
                with pytest.raises(ShapeError, match="would lie wholly in padding"):
                    pool.output(((1, n),))
    assert refused > 100


def test_stochastic_pooling_draws_in_proportion() -> None:
    program = parse("stochasticpool 4").bind((1, 4))
    x = np.tile([1.0, -5, 3, 0], (4000, 1))[:, None]
    drawn = reference.build(program, {}).run(x, Training(0, 0))[""].ravel()
    assert set(drawn) == {1.0, 3.0}
    assert abs((drawn == 3).mean() - 0.75) < 0.03


def test_stochastic_pooling_draws_another_cell_in_another_step() -> None:
    program = parse("stochasticpool 2").bind((1, 8, 8))
    x = np.random.default_rng(0).random((1, 1, 8, 8))
    engine = reference.build(program, {})
    first, again, other = (engine.run(x, Training(3, step))[""] for step in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_stochastic_pooling_takes_the_first_cell_at_which_the_sum_passes_the_number() -> None:
    program = parse("stochasticpool 4").bind((1, 4))
    x = np.array([[[1.0, 2, 3, 4]]])
    u = uniform(7, 2, "stochasticpool1", (1, 1, 1)).item()
    wanted = next(value for value, total in zip((1, 2, 3, 4), (1, 3, 6, 10), strict=True)
                  if total > 10 * u)  # fmt: skip
    learns = pytorch.module(program, {}).double().train()
    learns.at(7, 2)
    leaf = torch.tensor(x, requires_grad=True)
    made = learns(leaf)[""]
    made.backward(torch.ones_like(made))
    assert made.item() == wanted
    assert leaf.grad is not None
    assert leaf.grad.ravel().tolist() == [float(value == wanted) for value in (1, 2, 3, 4)]
    assert reference.build(program, {}).run(x, Training(7, 2))[""].item() == wanted


def test_a_picture_of_nothing_but_nan_ends_no_batch() -> None:
    """The places of onnxruntime's own MaxPool are then outside of the picture."""
    net = "b: identity -> maxpool 2x3 -> maxunpool 2x3( identity | @b )"
    program = parse(net).bind((2, 5, 7))
    x = np.random.default_rng(0).standard_normal((3, 2, 5, 7)).astype(np.float32)
    engine = portable.build(program, {})
    before = engine.run(x)[""]
    x[1] = np.nan
    assert np.array_equal(engine.run(x)[""][[0, 2]], before[[0, 2]])


PADDED = (
    "pad 1 -> maxpool 2",
    "pad 1 -> maxpool 3 padding 1",
    "pad 2 -> avgpool 2 ceil",
    "pad 2 -> pool 1",
)


@pytest.mark.parametrize("net", PADDED)
def test_zeros_of_a_step_before_are_values_not_padding(net: str) -> None:
    """onnxruntime fuses some Pads into poolings, where zeros would not win and not be counted."""
    x = -np.random.default_rng(0).random((2, 1, 4, 5))
    made = answers(net, x)
    for engine in ("portable", "pytorch"):
        assert np.abs(made[engine] - made["reference"]).max() < 1e-6, engine


@pytest.mark.parametrize("factor", [3, 41, 47])
def test_nearest_repeats_every_position_exactly_as_often(factor: int) -> None:
    """41 / 41 in float32, by the reciprocal of 41, is below 1."""
    x = np.arange(200.0)[None, None]
    for engine, y in answers(f"upsample {factor}", x).items():
        assert np.array_equal(y.ravel(), np.repeat(np.arange(200), factor)), engine


def test_norms_of_large_and_small_numbers_stay_in_float32() -> None:
    x = np.array([[[3e20, -4e20, 3e-20, 4e-20]]])
    for engine, y in answers("lppool 2 p 3", x).items():
        assert np.allclose(y.ravel() / [1e20, 1e-20], 91 ** (1 / 3), rtol=1e-5), engine


@pytest.mark.parametrize("pool", ["maxpool 2", "minpool 2", "avgpool 2", "adaptivemaxpool 3"])
def test_weights_before_a_pool_start_for_the_relu_behind_it(pool: str) -> None:
    program = parse(f"conv 64 3 -> {pool} -> relu -> conv 2 1").bind((32, 8, 8))
    deviation = initial(program, 0)["conv1.weight"].std()
    assert deviation == pytest.approx((2 / (32 * 9)) ** 0.5, rel=0.02)


BEFORE_FLATTEN = "put it before flatten and global pooling; a picture is 1x28x28, not 784"
ERRORS: list[tuple[str, Shape, str]] = [
    (
        "maxpool 2 dilation 3 padding 1",
        (3, 2, 2),
        "layer 1 'maxpool1' (MaxPool): a window of 2 (dilated over 4) would lie wholly in"
        " padding 1:1\n  arrives:  3x2x2 from the input\n"
        "  fix:      less padding, or a smaller dilation",
    ),
    (
        "lppool 3 padding 0:5",
        (3, 9),
        "layer 1 'lppool1' (LpPool): a window of 3 would lie wholly in padding 0:5\n"
        "  arrives:  3x9 from the input\n  fix:      padding below 3",
    ),
    (
        "adaptiveavgpool 3x3x3",
        (3, 8, 8),
        "layer 1 'adaptiveavgpool1' (AdaptiveAvgPool): size gives 3 sizes, but 2 spatial axes"
        " arrive\n  fix:      give size as one number, or 2 joined by x",
    ),
    (
        "globallppool",
        (784,),
        "layer 1 'globallppool1' (GlobalLpPool): globallppool reads a picture, but flat features"
        f" arrive\n  arrives:  784 from the input\n  fix:      {BEFORE_FLATTEN}",
    ),
    (
        "upsample 2",
        (784,),
        "layer 1 'upsample1' (Upsample): upsample reads a picture, but flat features arrive\n"
        f"  arrives:  784 from the input\n  fix:      {BEFORE_FLATTEN}",
    ),
    (
        "upsample 2 align_corners",
        (3, 8, 8),
        "layer 1 'upsample1' (Upsample): align_corners says where lines between values begin, but"
        " nearest draws none\n  fix:      mode linear, or leave out align_corners",
    ),
    (
        "maxunpool 2( identity )",
        (3, 8, 8),
        "layer 2 'maxunpool1' (MaxUnpool): needs two branches: what is put back, and what the max"
        " pool read\n  arrives:  3x8x8 from layer 1 'maxunpool1.0.identity1'\n"
        "  fix:      maxunpool 2( identity | @before )",
    ),
    (
        "maxunpool 2( identity | identity )",
        (3, 8, 8),
        "layer 3 'maxunpool1' (MaxUnpool): the first branch is not of the shape that max pooling"
        " makes of the second\n  arrives:  3x8x8 | 3x8x8\n  expected: 3x4x4 | 3x8x8\n"
        "  fix:      kernel_size, stride and padding of the max pool, and as many channels",
    ),
    (
        "maxunpool 3 stride 2( maxpool 3 stride 2 | identity )",
        (3, 9, 9),
        "layer 3 'maxunpool1' (MaxUnpool): windows overlap: stride 2 is below kernel_size 3, so a"
        " place may be that of two values\n  fix:      stride 3 here and in the max pool",
    ),
]


@pytest.mark.parametrize(("text", "shape", "sentence"), ERRORS)
def test_what_does_not_fit_is_said_in_full(text: str, shape: Shape, sentence: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(text).bind(shape)
    assert str(caught.value) == sentence


def test_unpooling_says_that_what_it_sees_depends_on_the_picture() -> None:
    net = parse("b: identity -> pool 2 -> maxunpool 2( identity | @b )")
    row = arithmetic(net.bind((1, 8, 8))).rows[-1]
    assert row.receptive_field is None
    assert row.note == (
        "where a value goes depends on the picture, and so does what a position sees"
    )


FORMULAS = {
    "maxpool 2 ceil": "floor((5 + 1 beyond - 2) / 2) + 1 = 3",
    "adaptivemaxpool 2": "2: o reads floor(o*5/2) to ceil((o + 1)*5/2) - 1",
    "upsample 3": "3 * 5 = 15",
    "globalminpool": "1",
}


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_have_the_numbers_put_in(text: str) -> None:
    row = arithmetic(parse(text).bind((1, 5, 5))).rows[0]
    assert row.formulas["output"] == FORMULAS[text]
