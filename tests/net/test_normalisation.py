"""Normalisations: what shares a mean, who sees what, and numbers that lie far from 0."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from foveal.engines import portable, pytorch, reference
from foveal.engines.reference import Training
from foveal.engines.rewrites import fold_batch_norm
from foveal.engines.weights import initial
from foveal.errors import NotationError, ShapeError
from foveal.net.arithmetic import arithmetic
from foveal.net.kind import Shape
from foveal.net.notation import parse, write

OWN = ["groupnorm 2", "groupnorm 1", "layernorm", "layernorm all", "instancenorm"]
"""Those that take the statistics of each sample."""


def computed(text: str, x: np.ndarray, training: Training | None = None) -> np.ndarray:
    """By definition, with the weights that a net starts with."""
    program = parse(text).bind(x.shape[1:])
    return reference.build(program, initial(program, 0)).run(x, training)[""]


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("groupnorm 2 eps 3", [1, 3, 10, 12], [-0.5, 0.5, -0.5, 0.5]),
        ("groupnorm 2 eps 3", [[1, 1], [3, 3], [7, 7], [9, 9]], [[-0.5] * 2, [0.5] * 2] * 2),
        ("groupnorm 1 eps 3", [[1, 3], [1, 3]], [[-0.5, 0.5], [-0.5, 0.5]]),
        ("layernorm eps 3", [[1, 10], [3, 12]], [[-0.5, -0.5], [0.5, 0.5]]),
        ("layernorm all eps 3", [[1, 1], [3, 3]], [[-0.5, -0.5], [0.5, 0.5]]),
        ("layernorm eps 3", [1, 3], [-0.5, 0.5]),
        ("instancenorm eps 3", [[1, 3], [10, 12]], [[-0.5, 0.5], [-0.5, 0.5]]),
    ],
)
def test_what_shares_a_mean(text: str, x: list[object], expected: list[object]) -> None:
    """Two numbers 1 beside their mean have variance 1; with eps 3 the deviation is 2."""
    assert computed(text, np.array([x], float))[0].tolist() == expected


@pytest.mark.parametrize("text", OWN)
def test_a_sample_is_treated_alike_in_every_batch_and_while_learning(text: str) -> None:
    x = np.random.default_rng(0).standard_normal((4, 4, 3, 3))
    alone = np.concatenate([computed(text, x[n : n + 1]) for n in range(4)])
    assert np.array_equal(computed(text, x), alone)
    assert np.array_equal(computed(text, x, Training(0, 0)), alone)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lrn 1 alpha 1 beta 1", [1 / 2, 2 / 5, 3 / 10, 4 / 17]),
        ("lrn 2 alpha 2 beta 1", [1 / 6, 2 / 14, 3 / 26, 4 / 17]),
        ("lrn 3 alpha 3 beta 1", [1 / 6, 2 / 15, 3 / 30, 4 / 26]),
        ("lrn 4 alpha 4 beta 1", [1 / 15, 2 / 31, 3 / 30, 4 / 26]),
        ("lrn 9 alpha 9 beta 0.5 k 6", [1 / 6, 2 / 6, 3 / 6, 4 / 6]),
    ],
)
def test_windows_of_neighbouring_channels(text: str, expected: list[float]) -> None:
    """An even size has its odd channel after."""
    assert computed(text, np.array([[1.0, 2, 3, 4]]))[0] == pytest.approx(expected, rel=1e-15)


def test_the_constants_of_alexnet() -> None:
    """The paper sums without dividing by n: k + alpha Σ, with k 2, n 5, alpha 1e-4, beta 0.75."""
    x = np.random.default_rng(0).normal(0, 100, (1, 8))
    sums = [(x[0, max(0, c - 2) : c + 3] ** 2).sum() for c in range(8)]
    expected = x / (2 + 1e-4 * np.array(sums)) ** 0.75
    assert computed("lrn 5 alpha 5e-4 k 2", x) == pytest.approx(expected, rel=1e-14)


FAR: list[tuple[str, Shape]] = [
    ("groupnorm 2", (4, 9, 7)),
    ("groupnorm 4", (64,)),
    ("layernorm", (64, 5, 5)),
    ("layernorm", (64,)),
    ("layernorm all", (4, 9, 9)),
    ("instancenorm", (3, 40, 40)),
    ("instancenorm", (3, 50)),
]


@pytest.mark.parametrize("optimise", [True, False])
@pytest.mark.parametrize(("text", "shape"), FAR)
def test_numbers_far_from_zero_keep_their_digits_in_onnx(
    text: str, shape: Shape, optimise: bool
) -> None:
    program = parse(text).bind(shape)
    weights = initial(program, 0)
    x = np.random.default_rng(0).normal(1000, 1, (3, *shape)).astype(np.float32)
    expected = reference.build(program, weights).run(x)[""]
    made = portable.build(program, weights, optimise=optimise).run(x)[""]
    assert np.abs(made - expected).max() <= 5e-7 * np.abs(expected).max()
    learns = pytorch.build(program, weights).run(x)[""]  # its own functions shift by mean/deviation
    assert np.abs(learns - expected).max() <= 5e-5 * np.abs(expected).max()


def test_numbers_far_from_zero_in_batch_norm() -> None:
    program = parse("bn").bind((4, 9, 9))
    weights = initial(program, 0) | {"batchnorm1.running_mean": np.full(4, 1000, np.float32)}
    x = np.random.default_rng(0).normal(1000, 1, (3, 4, 9, 9)).astype(np.float32)
    expected = reference.build(program, weights).run(x)[""]
    for engine in (portable, pytorch):
        made = engine.build(program, weights).run(x)[""]
        assert np.abs(made - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("text", [*OWN, "instancenorm no affine", "bn", "lrn 2 alpha 1"])
def test_gradients_have_gradients(text: str) -> None:
    program = parse(text).bind((4, 2, 2))
    learns = pytorch.module(program, initial(program, 0)).double().train()
    x = torch.randn(2, 4, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.autograd.gradgradcheck(lambda x: learns(x)[""], x.requires_grad_())


@pytest.mark.parametrize("text", [*OWN, "bn no affine", "lrn 3"])
def test_layers_take_bfloat16_with_weights_in_float32(text: str) -> None:
    program = parse(text).bind((4, 3, 3))
    learns = pytorch.module(program, initial(program, 0)).train()
    x = torch.ones(2, 4, 3, 3, dtype=torch.bfloat16).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        learns(x)[""].sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == torch.bfloat16


@pytest.mark.parametrize("before", ["conv 4 3", "conv 4 3 no bias", "depthwise 3 multiplier 2"])
def test_a_batch_norm_without_weight_and_bias_folds(before: str) -> None:
    program = parse(f"{before} -> bn no affine -> relu").bind((2, 5, 5))
    random = np.random.default_rng(0)
    weights = initial(program, 0)
    weights |= {path: random.uniform(1, 2, w.shape) for path, w in weights.items() if "run" in path}
    x = random.standard_normal((3, 2, 5, 5))
    folded, changed = fold_batch_norm(program, weights)
    assert len(folded.steps) == 2
    made, expected = (
        reference.build(*pair).run(x)[""] for pair in ((folded, changed), (program, weights))
    )
    assert np.abs(made - expected).max() <= 1e-6 * np.abs(expected).max()


def test_batch_norm_without_weight_and_bias_keeps_its_statistics() -> None:
    program = parse("bn no affine momentum 1").bind((2,))
    assert list(program.tensors()) == ["batchnorm1.running_mean", "batchnorm1.running_var"]
    learns = pytorch.module(program, 0).train()
    learns(torch.tensor([[1.0, 10], [3, 14]]))
    assert pytorch.weights(learns)["batchnorm1.running_mean"].tolist() == [2, 12]
    assert pytorch.weights(learns)["batchnorm1.running_var"].tolist() == [2, 8]


@pytest.mark.parametrize(
    "between", ["bn", "groupnorm 2", "layernorm", "instancenorm", "lrn", "dropout", "droppath 0.2"]
)
def test_weights_start_for_the_activation_behind_it(between: str) -> None:
    alone, followed = (
        initial(parse(f"conv 4 3 -> {text}relu").bind((2, 6, 6)), 0)["conv1.weight"]
        for text in ("", f"{between} -> ")
    )
    assert np.array_equal(alone, followed)


@pytest.mark.parametrize("text", ["groupnorm 2", "layernorm all", "instancenorm"])
def test_a_mean_of_the_picture_is_told_beside_the_receptive_field(text: str) -> None:
    rows = arithmetic(parse(f"conv 4 3 -> {text} -> conv 4 3 -> {text}").bind((2, 9, 9))).rows
    assert [row.receptive_field for row in rows] == [(3, 3), (3, 3), (5, 5), (5, 5)]
    assert [row.gated for row in rows] == [False, True, True, True]
    note = "its mean and variance see more than this field"
    assert [row.note for row in rows] == ["", note, "", ""]


@pytest.mark.parametrize("text", ["bn", "layernorm", "lrn"])
def test_the_mean_of_a_position_is_within_the_receptive_field(text: str) -> None:
    (row,) = arithmetic(parse(text).bind((2, 9, 9))).rows
    assert (row.receptive_field, row.gated, row.note) == ((1, 1), False, "")


@pytest.mark.parametrize(
    "text",
    [
        "batchnorm no affine",
        "groupnorm 32 eps 1e-06",
        "layernorm all no affine",
        "instancenorm eps 0.001",
        "lrn 4 alpha 0.0005 k 2",
    ],
)
def test_text_comes_back_as_it_was(text: str) -> None:
    assert write(parse(text)) == text
    assert parse("layernorm over channels") == parse("layernorm")
    assert parse("localresponsenorm size 5") == parse("lrn 5") == parse("lrn")


ONE = "would take each mean over one value, and 0 would be left of it"
ERRORS: list[tuple[str, Shape, str]] = [
    (
        "groupnorm 3",
        (4, 8, 8),
        "layer 1 'groupnorm1' (GroupNorm): groups 3 does not divide the 4 channels that arrive\n"
        "  arrives:  4x8x8 from the input\n  fix:      groups that divide 4",
    ),
    (
        "groupnorm 4",
        (4,),
        f"layer 1 'groupnorm1' (GroupNorm): groupnorm {ONE}\n"
        "  arrives:  4 from the input\n  fix:      fewer groups",
    ),
    (
        "conv 3 2 -> instancenorm",
        (1, 2, 2),
        f"layer 2 'instancenorm1' (InstanceNorm): instancenorm {ONE}\n"
        "  arrives:  3x1x1 from layer 1 'conv1'\n"
        "  fix:      put it where maps are larger, or layernorm instead",
    ),
    (
        "instancenorm",
        (784,),
        "layer 1 'instancenorm1' (InstanceNorm): "
        "instancenorm reads a picture, but flat features arrive\n"
        "  arrives:  784 from the input\n"
        "  fix:      put it before flatten and global pooling; a picture is 1x28x28, not 784",
    ),
    (
        "layernorm",
        (1, 28, 28),
        f"layer 1 'layernorm1' (LayerNorm): layernorm {ONE}\n"
        "  arrives:  1x28x28 from the input\n  fix:      more channels, or take it out",
    ),
    (
        "layernorm all",
        (1, 1, 1),
        f"layer 1 'layernorm1' (LayerNorm): layernorm {ONE}\n"
        "  arrives:  1x1x1 from the input\n  fix:      more channels, or take it out",
    ),
]


@pytest.mark.parametrize(("text", "shape", "sentence"), ERRORS)
def test_what_has_no_mean_is_refused_before_anything_is_computed(
    text: str, shape: Shape, sentence: str
) -> None:
    with pytest.raises(ShapeError) as caught:
        parse(text).bind(shape)
    assert str(caught.value) == sentence


def test_groups_must_be_given() -> None:
    with pytest.raises(NotationError) as caught:
        parse("groupnorm")
    assert str(caught.value) == (
        "line 1, column 1: groupnorm needs groups\n"
        "  groupnorm\n  ^\n"
        "  fix:      such as: groupnorm 8"
    )


@pytest.mark.parametrize("turned", [(False, True), (True, False), (True, True)])
def test_the_gradient_of_one_sample_does_not_depend_on_its_layout(
    turned: tuple[bool, bool],
) -> None:
    """PyTorch 2.13 mixes layouts up where a map has one row or one column."""
    random = np.random.default_rng(0)
    program = parse("batchnorm").bind((4, 7, 1))
    layer = pytorch.module(program, initial(program, 0)).double().train()

    def gradient(x: torch.Tensor, dy: torch.Tensor) -> torch.Tensor:
        leaf = x.detach().requires_grad_()
        layer(leaf)[""].backward(dy)
        assert leaf.grad is not None
        return leaf.grad

    x, dy = (torch.from_numpy(random.standard_normal((1, 4, 7, 1))) for _ in range(2))
    other = [
        t.transpose(1, 2).contiguous().transpose(1, 2) if turn else t
        for t, turn in zip((x, dy), turned, strict=True)
    ]
    assert torch.allclose(gradient(other[0], other[1]), gradient(x, dy), atol=1e-12)
