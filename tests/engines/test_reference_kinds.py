"""Each kind of the reference engine: numbers worked by hand, and derivatives by differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from support.kinds import ALL_EXAMPLES, EXAMPLES, NUMBERED, draw_arriving, draw_weight

from foveal.engines.masks import mask
from foveal.engines.reference import ROWS, Training
from foveal.engines.reference.row import Arrays, Context, Weights
from foveal.errors import ShapeError
from foveal.net.kind import Kind, Shape
from foveal.net.layers import (
    KINDS,
    Add,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Crop,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    Input,
    MaxPool,
    Normalise,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
    Upsample,
)

BATCH = 3
MOMENTS = (None, Training(seed=3, step=7))


def test_every_kind_has_a_row_and_examples() -> None:
    assert set(ROWS) == set(KINDS)
    assert set(EXAMPLES) == set(KINDS)


def drawn(kind: Kind, ins: tuple[Shape, ...]) -> tuple[Arrays, Weights]:
    random = np.random.default_rng(0)
    xs = tuple(draw_arriving(random, kind, BATCH, shape).astype(float) for shape in ins)
    return xs, {tensor.name: draw_weight(random, kind, tensor) for tensor in kind.tensors(ins)}


def differences(f: Callable[[], float], array: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """The derivative of f by each number of an array that it reads, by central differences."""
    made = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        middle = array[index]
        array[index] = middle + h
        above = f()
        array[index] = middle - h
        made[index] = (above - f()) / (2 * h)
        array[index] = middle
    return made


@pytest.mark.parametrize("training", MOMENTS, ids=["evaluate", "train"])
@pytest.mark.parametrize(("kind", "ins", "shape"), ALL_EXAMPLES, ids=str)
def test_backward_is_the_derivative_of_forward(
    kind: Kind, ins: tuple[Shape, ...], shape: Shape, training: Training | None
) -> None:
    row, context = ROWS[type(kind)], Context("step", training)
    xs, weights = drawn(kind, ins)
    y = row.forward(kind, xs, weights, context)
    assert y.shape == (BATCH, *shape)
    dy = np.random.default_rng(1).standard_normal(y.shape)

    dxs, dweights = row.backward(kind, xs, y, weights, dy, context)

    def loss() -> float:
        return float((dy * row.forward(kind, xs, weights, context)).sum())

    assert set(dweights) == {tensor.name for tensor in kind.tensors(ins) if tensor.trained}
    pairs = [*zip(xs, dxs, strict=True), *((weights[name], dw) for name, dw in dweights.items())]
    for array, gradient in pairs:
        still = type(kind) in NUMBERED and any(array is x for x in xs)
        expected = np.zeros_like(array) if still else differences(loss, array)
        assert gradient.shape == array.shape
        assert np.abs(gradient - expected).max() <= 1e-8 * max(1, np.abs(expected).max())


@pytest.mark.parametrize(("kind", "ins", "shape"), ALL_EXAMPLES, ids=str)
def test_rows_leave_what_arrives_as_it_is(kind: Kind, ins: tuple[Shape, ...], shape: Shape) -> None:
    row, context = ROWS[type(kind)], Context("step", Training(0, 0))
    xs, weights = drawn(kind, ins)
    for array in (*xs, *weights.values()):
        array.flags.writeable = False
    y = row.forward(kind, xs, weights, context)
    y.flags.writeable = False
    row.backward(kind, xs, y, weights, y, context)
    row.statistics(kind, xs, weights)


def grid(text: str) -> np.ndarray:
    """One picture with one channel, written row by row."""
    rows = [[float(number) for number in row.split()] for row in text.split("/")]
    return np.array(rows)[None, None]


def forward(
    kind: Kind, *xs: np.ndarray, training: Training | None = None, **weights: object
) -> np.ndarray:
    arrays = {name: np.asarray(value, float) for name, value in weights.items()}
    return ROWS[type(kind)].forward(kind, xs, arrays, Context("step", training))


def backward(kind: Kind, x: np.ndarray, dy: np.ndarray) -> np.ndarray:
    y = forward(kind, x)
    (dx,), _ = ROWS[type(kind)].backward(kind, (x,), y, {}, dy, Context("step"))
    return dx


def test_convolution_of_the_articles_picture() -> None:
    picture = grid("1 1 1 0 0/0 1 1 1 0/0 0 1 1 1/0 0 1 1 0/0 1 1 0 0")
    y = forward(Conv(1, 3, bias=False), picture, weight=grid("1 0 1/0 1 0/1 0 1"))
    assert np.array_equal(y, grid("4 3 4/2 4 3/2 3 4"))


def test_convolution_sums_over_channels_and_adds_the_bias() -> None:
    x = np.concatenate([grid("1 2/3 4"), grid("10 20/30 40")], axis=1)
    y = forward(Conv(1, 2), x, weight=[[[[1, 0], [0, 1]], [[0, 1], [0, 0]]]], bias=[100])
    assert y.item() == (1 + 4) + 20 + 100


def test_groups_see_only_their_own_channels() -> None:
    x = np.array([[[1.0], [10], [100], [1000]]])
    weight = [[[1], [2]], [[3], [4]]]
    y = forward(Conv(2, 1, groups=2, bias=False), x, weight=weight)
    assert y.ravel().tolist() == [1 + 2 * 10, 3 * 100 + 4 * 1000]


def test_dilation_reads_every_second_position() -> None:
    x = np.arange(6.0)[None, None] ** 2
    y = forward(Conv(1, 3, dilation=2, bias=False), x, weight=[[[1, 10, 100]]])
    assert y.ravel().tolist() == [0 + 40 + 1600, 1 + 90 + 2500]


@pytest.mark.parametrize(
    ("padding", "expected"),
    [
        ("valid", [12, 34]),
        ("same", [12, 34, 50]),
        (1, [1, 23, 45]),
        (((2, 0),), [0, 12, 34]),
        (((0, 3),), [12, 34, 50, 0]),
    ],
)
def test_padding_before_and_after(padding: object, expected: list[float]) -> None:
    x = np.arange(1.0, 6)[None, None]
    conv = Conv(1, 2, stride=2, padding=padding, bias=False)
    assert forward(conv, x, weight=[[[10, 1]]]).ravel().tolist() == expected


def test_same_puts_an_odd_pixel_after() -> None:
    x = np.arange(1.0, 5)[None, None]
    conv = Conv(1, 4, padding="same", bias=False)
    y = forward(conv, x, weight=[[[1000, 100, 10, 1]]])
    assert y.ravel().tolist() == [123, 1234, 2340, 3400]


POOLED = grid("1 1 2 4/5 6 7 8/3 2 1 0/1 2 3 4")


def test_pooling_of_the_articles_sizes() -> None:
    assert np.array_equal(forward(MaxPool(2), POOLED), grid("6 8/3 4"))
    assert np.array_equal(forward(MaxPool(2, 1), POOLED), grid("6 7 8/6 7 8/3 3 4"))
    assert np.array_equal(forward(AvgPool(2), POOLED), grid("3.25 5.25/2 2"))


def test_padding_never_wins_the_maximum() -> None:
    assert np.array_equal(
        forward(MaxPool(2, padding=1), -POOLED), grid("-1 -1 -4/-3 -1 0/-1 -2 -4")
    )


def test_padding_is_not_counted_in_the_mean() -> None:
    assert np.array_equal(forward(AvgPool(2, padding=1), POOLED), grid("1 1.5 4/4 4 4/1 2.5 4"))


def test_of_equal_values_the_first_receives_the_gradient() -> None:
    x, dy = grid("3 3/3 3"), grid("7")
    assert np.array_equal(backward(MaxPool(2), x, dy), grid("7 0/0 0"))
    assert np.array_equal(backward(GlobalMaxPool(True), x, dy), grid("7 0/0 0"))


def test_a_window_of_minus_infinity_gives_its_gradient_to_a_pixel() -> None:
    x, dy = np.full((1, 1, 2), -np.inf), np.ones((1, 1, 2))
    assert backward(MaxPool(2, padding=1), x, dy).ravel().tolist() == [1, 1]


def test_global_pooling() -> None:
    assert forward(GlobalMaxPool(), POOLED).tolist() == [[8]]
    assert forward(GlobalAvgPool(True), POOLED).tolist() == [[[[50 / 16]]]]


def test_the_derivative_of_relu_at_zero_is_zero() -> None:
    x = np.array([[-1.0, 0, 2]])
    assert forward(ReLU(), x).tolist() == [[0, 0, 2]]
    assert backward(ReLU(), x, np.ones((1, 3))).tolist() == [[0, 0, 1]]


def test_activations_at_known_and_extreme_places() -> None:
    x = np.array([[-1e4, 0.0, np.log(3), 1e4]])
    assert forward(Sigmoid(), x)[0] == pytest.approx([0, 0.5, 0.75, 1])
    assert forward(Tanh(), x)[0] == pytest.approx([-1, 0, 0.8, 1])
    assert forward(Softmax(), x[:, 1:3])[0] == pytest.approx([0.25, 0.75])
    assert forward(Softmax(), x)[0].tolist() == [0, 0, 0, 1]


def test_batch_norm_predicts_with_running_and_learns_with_batch_statistics() -> None:
    x = np.array([[1.0], [3.0]])
    weights = {"weight": [2], "bias": [5], "running_mean": [4], "running_var": [0.75]}
    norm = BatchNorm(eps=0.25, momentum=0.1)
    assert forward(norm, x, **weights).ravel().tolist() == [-1, 3]
    trained = forward(norm, x, **weights, training=Training(0, 0))
    assert trained.ravel() == pytest.approx([5 - 2 / 1.25**0.5, 5 + 2 / 1.25**0.5])


def test_batch_norm_keeps_the_unbiased_variance() -> None:
    weights = {"running_mean": np.array([4.0]), "running_var": np.array([1.0])}
    made = ROWS[BatchNorm].statistics(BatchNorm(momentum=0.5), (np.array([[1.0], [3]]),), weights)
    assert made == {"running_mean": [3], "running_var": [1.5]}


def test_batch_norm_cannot_learn_from_one_value() -> None:
    weights = {tensor.name: [1.0] for tensor in BatchNorm().tensors(((1,),))}
    with pytest.raises(ShapeError) as caught:
        forward(BatchNorm(), np.ones((1, 1, 1, 1)), **weights, training=Training(0, 0))
    assert str(caught.value) == (
        "step: batch norm cannot learn from one value per channel\n"
        "  arrives:  1x1x1x1\n"
        "  fix:      a batch of two or more"
    )


def test_dropout_does_nothing_but_in_training() -> None:
    x = np.arange(1.0, 9).reshape(1, 8)
    assert np.array_equal(forward(Dropout(0.5), x), x)
    kept = mask(2, 9, "step", (1, 8), 0.5)
    y = forward(Dropout(0.5), x, training=Training(seed=2, step=9))
    assert 0 < kept.sum() < 8
    assert np.array_equal(y, np.where(kept, 2 * x, 0))


def test_masks_follow_seed_step_and_path_and_keep_the_share() -> None:
    shape = (50, 40)
    made = [
        mask(*key, shape, 0.3)
        for key in ((0, 0, "a"), (1, 0, "a"), (0, 1, "a"), (0, 0, "b"), (0, 0, "a"))
    ]
    assert np.array_equal(made[0], made[4])
    assert all(abs((made[0] == other).mean() - (0.7**2 + 0.3**2)) < 0.05 for other in made[1:4])
    assert abs(made[0].mean() - 0.7) < 0.05
    assert mask(0, 0, "a", shape, 0.0).all()


def test_dense_flatten_and_merges() -> None:
    x = np.array([[[1.0, 2], [3, 4]]])
    assert forward(Flatten(), x).tolist() == [[1, 2, 3, 4]]
    assert forward(Dense(1), x[0], weight=[[10, 1]], bias=[100]).tolist() == [[112], [134]]
    assert np.array_equal(forward(Add(), x, x, x), 3 * x)
    assert np.array_equal(forward(Concat(), x, x[:, :1]), [[[1, 2], [3, 4], [1, 2]]])


def test_bytes_come_with_the_channels_last() -> None:
    x = np.arange(6.0).reshape(1, 1, 2, 3)
    assert np.array_equal(forward(Input("uint8"), x), [[[[0, 3]], [[1, 4]], [[2, 5]]]])
    assert np.array_equal(forward(Input(), x), x)


def test_normalise_takes_one_number_or_one_per_channel() -> None:
    x = np.array([[[10.0], [20]]])
    assert forward(Normalise((5,), (5,)), x).ravel().tolist() == [1, 3]
    assert forward(Normalise((5, 0), (5, 10)), x).ravel().tolist() == [1, 2]


def test_crop_cuts_an_odd_pixel_at_the_end() -> None:
    assert forward(Crop((1, 3)), POOLED).ravel().tolist() == [5, 6, 7]


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_upsampling_reads_no_more_than_its_neighbours(mode: str) -> None:
    """Nothing times infinity would be NaN, all along the axis."""
    x = np.array([[[np.inf, 1.0, 2.0, np.nan]]])
    y = ROWS[Upsample].forward(Upsample(2, mode), (x,), {}, Context("upsample1"))
    expected = {
        "nearest": [np.inf, np.inf, 1, 1, 2, 2, np.nan, np.nan],
        "linear": [np.inf, np.inf, np.inf, 1.25, 1.75, np.nan, np.nan, np.nan],
    }
    assert np.array_equal(y[0, 0], expected[mode], equal_nan=True)
