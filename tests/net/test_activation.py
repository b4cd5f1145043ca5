"""Activations: values and slopes worked by hand, at kinks and far out, and what is refused."""

from __future__ import annotations

from math import inf, nan, sqrt

import numpy as np
import pytest
import torch

from foveal import engines
from foveal.engines.pytorch import module
from foveal.engines.reference import Reference, build
from foveal.engines.weights import HEAD_GAIN, initial
from foveal.errors import NotationError, ShapeError, SpecError
from foveal.net.layers import ACTIVATIONS, GELU, HardTanh, Maxout, ReLU
from foveal.net.notation import parse, write

PLAIN = [
    "relu",
    "relu max 6",
    "leakyrelu",
    "elu",
    "gelu",
    "gelu approximate tanh",
    "silu",
    "hardswish",
    "softplus",
    "softplus 3",
    "tanh",
    "tanh amplitude 1.7159 slope 0.6667",
    "hardtanh",
    "sigmoid",
    "hardsigmoid",
]
"""One value for each value, whatever its neighbours."""

KINKS = [
    ("relu", [-1, 0, 2], [0, 0, 2], [0, 0, 1]),
    ("relu max 6", [-1, 0, 2, 6, 7], [0, 0, 2, 6, 6], [0, 0, 1, 0, 0]),
    ("leakyrelu 0.25", [-4, 0, 2], [-1, 0, 2], [0.25, 0.25, 1]),
    ("leakyrelu 0", [-4, 0, 2], [0, 0, 2], [0, 0, 1]),
    ("elu 2", [0, 3], [0, 3], [2, 1]),
    ("hardtanh", [-2, -1, 0, 1, 2], [-1, -1, 0, 1, 1], [0, 0, 1, 0, 0]),
    ("hardtanh -3 2", [-4, -3, -2, 2, 3], [-3, -3, -2, 2, 2], [0, 0, 1, 0, 0]),
    ("hardsigmoid", [-4, -3, 0, 3, 4], [0, 0, 0.5, 1, 1], [0, 0, 1 / 6, 0, 0]),
    ("hardswish", [-4, -3, -1.5, 0, 3, 4], [0, 0, -0.375, 0, 3, 4], [0, 0, 0, 0.5, 1, 1]),
    ("gelu", [0], [0], [0.5]),
    ("silu", [0], [0], [0.5]),
    ("softplus 2", [0], [np.log(2) / 2], [0.5]),
    ("tanh amplitude 3 slope 2", [0], [0], [6]),
]
"""A net, what arrives, what leaves, and the slope there."""

SMOOTH = [
    ("elu 2", -1, 2 / np.e - 2),
    ("gelu", 1, 0.8413447460685429),
    ("gelu", -1, -0.15865525393145707),
    ("gelu approximate tanh", 1, 0.8411919906082768),
    ("silu", 1, 1 / (1 + 1 / np.e)),
    ("softplus", 1, np.log(1 + np.e)),
    ("softplus 2", 1, np.log(1 + np.e**2) / 2),
    ("tanh amplitude 1.7159 slope 0.6666666666666666", 1, 1.7159 * np.tanh(2 / 3)),
]


def reference(text: str, shape: tuple[int, ...] = (1,)) -> Reference:
    return build(parse(text).bind(shape), {})


def by_definition(text: str, places: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Values and slopes of an activation at some places."""
    x = np.array(places, float)[:, None]
    engine = reference(text)
    return engine.run(x)[""][:, 0], engine.backward(x, {"": np.ones_like(x)}).input[:, 0]


def by_pytorch(text: str, places: list[float]) -> tuple[np.ndarray, np.ndarray]:
    x = torch.tensor(places, dtype=torch.float64)[:, None].requires_grad_()
    y = module(parse(text).bind((1,)), {})(x)[""]
    y.sum().backward()
    assert x.grad is not None
    return y.detach().numpy()[:, 0], x.grad.numpy()[:, 0]


@pytest.mark.parametrize("engine", [by_definition, by_pytorch])
@pytest.mark.parametrize(("text", "places", "values", "slopes"), KINKS)
def test_values_and_slopes_at_kinks(
    engine: object, text: str, places: list[float], values: list[float], slopes: list[float]
) -> None:
    y, slope = engine(text, places)  # type: ignore[operator]
    assert y == pytest.approx(values, abs=1e-15)
    assert slope == pytest.approx(slopes, abs=1e-15)


@pytest.mark.parametrize(("text", "x", "y"), SMOOTH)
def test_known_values(text: str, x: float, y: float) -> None:
    assert by_definition(text, [x])[0] == pytest.approx([y], rel=1e-14)


@pytest.mark.parametrize("text", PLAIN)
def test_far_out_nothing_overflows_and_nan_stays(text: str) -> None:
    y, slopes = by_definition(text, [-1e300, -1e4, 1e4, 1e300, nan])
    assert np.isfinite(y[:4]).all()
    assert np.isfinite(slopes[:4]).all()
    assert np.isnan(y[4])
    x = np.array([[-1e30], [-1e4], [1e4], [1e30], [nan], [1]], np.float32)
    expected = reference(text).run(x)[""]
    for name in ("portable", "pytorch"):
        made = engines.build(name, parse(text).bind((1,)), {}).run(x)[""]
        assert np.allclose(made, expected, rtol=1e-6, atol=1e-6, equal_nan=True), name


def test_softplus_has_all_digits_where_it_becomes_straight() -> None:
    places = [15.0, 20.001, 36.0, 39.999, 40.001, 80.0]
    assert by_pytorch("softplus", places)[0] == pytest.approx(
        by_definition("softplus", places)[0], rel=1e-15
    )


def test_gelu_keeps_small_values() -> None:
    y, _ = by_definition("gelu", [-10.0])
    assert y == pytest.approx([-7.61985302416047e-23], rel=1e-12)


@pytest.mark.parametrize("scores", [[1e4, -1e4, 0], [-1e300, 0, 1], [2, 2, 2]])
def test_log_softmax_is_the_logarithm_of_softmax(scores: list[float]) -> None:
    x = np.array([scores])
    logs = reference("logsoftmax", (3,)).run(x)[""]
    assert np.isfinite(logs).all()
    assert np.exp(logs) == pytest.approx(reference("softmax", (3,)).run(x)[""])


def test_maxout_compares_neighbouring_channels() -> None:
    x = np.array([[1.0, 5, 2, 2, -3, -4]])
    engine = reference("maxout 2", (6,))
    assert engine.run(x)[""].tolist() == [[5, 2, -3]]
    dx = engine.backward(x, {"": np.array([[10.0, 20, 30]])}).input
    assert dx.tolist() == [[0, 10, 20, 0, 30, 0]]
    assert reference("maxout 3", (6,)).run(x)[""].tolist() == [[5, 2]]


@pytest.mark.parametrize("engine", engines.ENGINES)
def test_maxout_of_nan_is_nan(engine: str) -> None:
    x = np.array([[nan, 1, 2, 3], [1, nan, 2, 3]], np.float32)
    made = engines.build(engine, parse("maxout 2").bind((4,)), {}).run(x)[""]
    assert np.array_equal(made, [[nan, 3], [nan, 3]], equal_nan=True)


def test_a_slope_of_a_slope_is_there_for_all() -> None:
    for text in PLAIN:
        x = torch.tensor([[-2.0], [0.5]], dtype=torch.float64, requires_grad=True)
        y = module(parse(text).bind((1,)), {})(x)[""]
        (slope,) = torch.autograd.grad((y**2).sum(), x, create_graph=True)
        (bend,) = torch.autograd.grad(slope.sum(), x)
        assert torch.isfinite(bend).all(), text


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_each_may_stand_behind_a_layer(kind: type) -> None:
    word = "maxout 2" if kind is Maxout else kind.word
    behind, joined = (parse(f"conv 4 3{arrow}{word}") for arrow in (" ", " -> "))
    assert behind == joined
    assert type(behind.root.items[1]) is kind


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("relu max 6.0", "relu max 6"),
        ("leakyrelu slope 0.2", "leakyrelu 0.2"),
        ("elu alpha 1", "elu"),
        ("GELU Approximate TANH", "gelu approximate tanh"),
        ("gelu approximate none", "gelu"),
        ("swish -> hardsilu", "silu -> hardswish"),
        ("softplus beta 2", "softplus 2"),
        ("tanh slope 0.5", "tanh slope 0.5"),
        ("hardtanh max 6", "hardtanh -1 6"),
        ("conv 8 3 leakyrelu 0.2", "conv 8 3 -> leakyrelu 0.2"),
        ("conv 8 3 gelu approximate tanh", "conv 8 3 -> gelu approximate tanh"),
        ("dense 8 maxout 4", "dense 8 -> maxout 4"),
    ],
)
def test_notation(text: str, written: str) -> None:
    assert write(parse(text)) == written
    assert parse(written) == parse(text)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (
            (6, 5),
            "layer 1 'maxout1' (Maxout): 6 channels cannot be parted into pieces of 4\n"
            "  arrives:  6x5 from the input\n"
            "  fix:      a multiple of 4 channels before it",
        ),
        (
            (6,),
            "layer 1 'maxout1' (Maxout): 6 features cannot be parted into pieces of 4\n"
            "  arrives:  6 from the input\n"
            "  fix:      a multiple of 4 features before it",
        ),
    ],
)
def test_pieces_must_divide_the_channels(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        parse("maxout 4").bind(shape)
    assert str(caught.value) == message


@pytest.mark.parametrize("bounds", [(2, 1), (1, 1)])
def test_the_lower_bound_must_be_below_the_upper(bounds: tuple[float, float]) -> None:
    with pytest.raises(SpecError) as caught:
        HardTanh(*bounds)
    assert str(caught.value) == (
        f"hardtanh min: must be below max, which is 1, not {bounds[0]}\n"
        "  fix:      the lower bound first: hardtanh -1 1"
    )


@pytest.mark.parametrize(
    ("kind", "field", "value", "message"),
    [
        (ReLU, "max", 0, "relu max: must be a number above 0, or unset, not 0"),
        (ReLU, "max", inf, "relu max: must be a number above 0, or unset, not inf"),
        (GELU, "approximate", True, "gelu approximate: must be one of none, tanh, not True"),
        (Maxout, "pieces", 1, "maxout pieces: must be a whole number from 2, not 1"),
    ],
)
def test_bad_values_say_what_is_accepted(
    kind: type, field: str, value: object, message: str
) -> None:
    with pytest.raises(SpecError) as caught:
        kind(**{field: value})
    assert str(caught.value) == message


def test_numbers_and_formulas_that_are_none_are_refused_at_their_place() -> None:
    with pytest.raises(NotationError) as caught:
        parse("gelu approximate fast")
    assert str(caught.value) == (
        "line 1, column 18: gelu approximate must be one of none, tanh, not 'fast'\n"
        "  gelu approximate fast\n"
        "                   ^"
    )
    with pytest.raises(NotationError) as caught:
        parse("maxout")
    assert str(caught.value) == (
        "line 1, column 1: maxout needs pieces\n  maxout\n  ^\n  fix:      such as: maxout 2"
    )


@pytest.mark.parametrize(
    ("behind", "gain"),
    [
        ("relu", sqrt(2)),
        ("relu max 6", sqrt(2)),
        ("batchnorm -> gelu", sqrt(2)),
        ("leakyrelu 0", sqrt(2)),
        ("leakyrelu 0.5", sqrt(1.6)),
        ("leakyrelu 1", 1),
        ("softplus", 1),
        ("tanh", 1),
        ("maxout 2", 1),
        ("dropout", HEAD_GAIN),
    ],
)
def test_weights_start_with_the_gain_that_the_activation_asks_for(behind: str, gain: float) -> None:
    last = " -> dense 2" if gain != HEAD_GAIN else ""
    program = parse(f"dense 400 -> {behind}{last}").bind((100,))
    weight = initial(program, seed=0)["dense1.weight"]
    assert weight.std() * sqrt(100) == pytest.approx(gain, rel=0.02)
