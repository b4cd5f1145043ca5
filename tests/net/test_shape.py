"""Reshape, pad, take, crop and resize in the middle; factors; tables of vectors."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest

from foveal import engines
from foveal.engines import portable
from foveal.engines.weights import initial
from foveal.errors import ShapeError, SpecError
from foveal.net import Net
from foveal.net.arithmetic import arithmetic
from foveal.net.kind import Shape
from foveal.net.layers import RBF, Embed, Gain, Pad, Reshape, Scale, Take
from foveal.net.notation import parse
from foveal.net.notation.writer import write_kind
from foveal.net.reach import POINT, shift
from foveal.net.symbols import symbols

FLAT = "put it before flatten and global pooling; a picture is 1x28x28, not 784"
ERRORS: list[tuple[str, Shape, str]] = [
    (
        "reshape 8x2x3",
        (4, 4, 4),
        "layer 1 'reshape1' (Reshape): 64 values cannot be laid out as 48\n"
        "  arrives:  4x4x4 from the input\n"
        "  expected: as many as in 8x2x3\n"
        "  fix:      sizes whose product is the number of values that arrive",
    ),
    (
        "pad 1",
        (784,),
        "layer 1 'pad1' (Pad): pad reads a picture, but flat features arrive\n"
        f"  arrives:  784 from the input\n  fix:      {FLAT}",
    ),
    (
        "pad 1:2",
        (3, 8, 8),
        "layer 1 'pad1' (Pad): padding gives 1 size, but 2 spatial axes arrive\n"
        "  fix:      give padding as one number, or 2 joined by x",
    ),
    (
        "relu -> pad 4:0x0 reflect",
        (3, 4, 4),
        "layer 2 'pad1' (Pad): reflect padding of 4:0 needs more than 4 positions\n"
        "  arrives:  3x4x4 from layer 1 'relu1'\n"
        "  fix:      padding of at most 3, or replicate",
    ),
    (
        "pad 5 circular",
        (3, 4),
        "layer 1 'pad1' (Pad): circular padding of 5:5 needs more than 4 positions\n"
        "  arrives:  3x4 from the input\n"
        "  fix:      padding of at most 4, or replicate",
    ),
    (
        "take 0,6,7",
        (6, 14, 14),
        "layer 1 'take1' (Take): there is no channel 6: counting begins with 0\n"
        "  arrives:  6x14x14 from the input\n"
        "  expected: numbers from 0 to 5\n"
        "  fix:      other numbers, or more channels in the layer before",
    ),
    (
        "embed 5000 128",
        (3, 8, 8),
        "layer 1 'embed1' (Embed): embed reads one number at each position, but 3 channels arrive\n"
        "  arrives:  3x8x8 from the input\n"
        "  expected: a row of numbers such as 40, or one channel such as 1x19x19\n"
        "  fix:      take 0 before it, or flatten",
    ),
    (
        "conv 8 3 -> rbf 10",
        (1, 8, 8),
        "layer 2 'rbf1' (RBF): rbf reads flat features, but a picture arrives\n"
        "  arrives:  8x6x6 from layer 1 'conv1'\n"
        "  fix:      put flatten or globalavgpool before it",
    ),
    (
        "rbf 10 init 1,2",
        (3,),
        "layer 1 'rbf1' (RBF): init gives 2 numbers for weights of 10x3\n"
        "  expected: as many as a kernel, a filter or all weights have: 1, 3, 30",
    ),
    (
        "conv 4 3 -> crop 7",
        (1, 8, 8),
        "layer 2 'crop1' (Crop): crop 7x7 is larger than the picture 6x6\n"
        "  arrives:  4x6x6 from layer 1 'conv1'\n"
        "  fix:      resize before it, or crop less",
    ),
]


@pytest.mark.parametrize(("text", "shape", "message"), ERRORS)
def test_what_does_not_fit_says_so(text: str, shape: Shape, message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        parse(text).bind(shape)
    assert str(caught.value) == message


PADDING = "a whole number from 0, or one per axis such as 1x2 or 1:2x0:1"
TEXT_ERRORS = [
    ("pad", "line 1, column 1: pad needs padding\n  pad\n  ^\n  fix:      such as: pad 1"),
    (
        "pad same",
        "line 1, column 5: pad has no 'same'\n  pad same\n      ^\n"
        "  fix:      known: circular, fill, padding, reflect, replicate",
    ),
    (
        "pad padding same",
        f"line 1, column 13: pad padding must be {PADDING}, not 'same'\n"
        "  pad padding same\n              ^",
    ),
    (
        "pad 1 fill mirror",
        "line 1, column 12: pad fill must be a number, or reflect, replicate, circular, "
        "not 'mirror'\n  pad 1 fill mirror\n             ^",
    ),
    (
        "take -1",
        "line 1, column 6: take channels must be a list of whole numbers from 0 such as 0 or "
        "0,1,2, not '-1'\n  take -1\n       ^",
    ),
]


@pytest.mark.parametrize(("text", "message"), TEXT_ERRORS)
def test_what_cannot_be_said_is_refused_at_its_place(text: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Reshape(24), "reshape 24"),
        (Reshape((8, 1, 3)), "reshape 8x1x3"),
        (Pad(1), "pad 1"),
        (Pad(((2, 0),), "reflect"), "pad 2:0 reflect"),
        (Pad((1, (0, 2)), 0.5), "pad 1x0:2 fill 0.5"),
        (Pad(1, -1e-7), "pad 1 fill -1e-07"),
        (Take((2, 0, 0)), "take 2,0,0"),
        (Scale(), "scale"),
        (Scale(1e-6, bias=True), "scale 1e-06 bias"),
        (Gain(-1), "gain -1"),
        (Embed(5000, 128), "embed 5000 128"),
        (RBF(10, "sign", frozen=True), "rbf 10 sign frozen"),
        (RBF(1, (1, -1)), "rbf 1 init 1,-1"),
    ],
)
def test_how_they_are_written(kind: Pad, text: str) -> None:
    assert write_kind(kind) in (text, text.replace("10 sign", "10 init sign"))
    assert parse(text.replace("10 sign", "10 init sign")) == Net.of(kind)


def made(text: str, x: object) -> list[object]:
    """What a net without weights makes of one picture, the same in all engines."""
    arriving = np.array(x, np.float32)
    program = parse(text).bind(arriving.shape)
    answers = [engines.build(name, program, {}).run(arriving[None])[""] for name in engines.ENGINES]
    assert all(np.array_equal(answers[0], answer) for answer in answers)
    found: list[object] = answers[0][0].tolist()
    return found


def test_reshape_counts_row_by_row() -> None:
    assert made("reshape 2x1x3", [0, 1, 2, 3, 4, 5]) == [[[0, 1, 2]], [[3, 4, 5]]]
    assert made("reshape 3x2", [[[0, 1], [2, 3], [4, 5]]]) == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("pad 2", [0, 0, 1, 2, 3, 0, 0]),
        ("pad 2 fill -0.5", [-0.5, -0.5, 1, 2, 3, -0.5, -0.5]),
        ("pad 2 reflect", [3, 2, 1, 2, 3, 2, 1]),
        ("pad 2 replicate", [1, 1, 1, 2, 3, 3, 3]),
        ("pad 2 circular", [2, 3, 1, 2, 3, 1, 2]),
        ("pad 0:1 circular", [1, 2, 3, 1]),
        ("pad 2:0", [0, 0, 1, 2, 3]),
    ],
)
def test_what_a_border_holds(text: str, row: list[float]) -> None:
    assert made(text, [[1, 2, 3]]) == [row]


def test_a_border_of_zeros_makes_6x6_of_4x4() -> None:
    (padded,) = made("pad 1", np.ones((1, 4, 4)))
    assert padded == np.pad(np.ones((4, 4)), 1).tolist()


@pytest.mark.parametrize("fill", ["", " reflect", " replicate", " circular", " fill 0.5"])
def test_a_step_that_pads_is_the_padding_of_the_layer_after_it(fill: str) -> None:
    apart = parse(f"pad 1:2x0:1{fill} -> conv 2 3 stride 2").bind((2, 5, 6))
    joined = parse(f"conv 2 3 stride 2 padding 1:2x0:1{fill}").bind((2, 5, 6))
    weights = initial(apart, 0)
    x = np.random.default_rng(0).standard_normal((2, 2, 5, 6))
    first, second = (engines.build("reference", p, weights).run(x)[""] for p in (apart, joined))
    assert np.array_equal(first, second)
    rows = [arithmetic(program).rows[-1] for program in (apart, joined)]
    assert len({(row.receptive_field, row.jump, row.start) for row in rows}) == 1


def test_padding_before_all_others_lets_no_window_see_ahead() -> None:
    program = parse("pad 4:0 -> conv 1 3 dilation 2").bind((1, 9))
    weights = initial(program, 0)
    x = np.random.default_rng(0).standard_normal((2, 1, 9))
    later = x.copy()
    later[..., 5:] += 1
    first, second = (engines.build("reference", program, weights).run(a)[""] for a in (x, later))
    assert np.array_equal(first[..., :5], second[..., :5])
    assert not np.array_equal(first, second)


def test_take_may_repeat_and_reorder() -> None:
    assert made("take 2,0,2", [[1, 2], [3, 4], [5, 6]]) == [[5, 6], [1, 2], [5, 6]]
    assert made("take 1", [7, 8]) == [8]


def test_gain_multiplies_and_is_not_trained() -> None:
    assert made("gain -2", [[1, -2]]) == [[-2, 4]]
    assert arithmetic(parse("gain -2").bind((1, 2))).parameters == 0


def test_scale_starts_at_its_value_and_the_bias_at_zero() -> None:
    program = parse("sumpool 2 -> scale 0.25 bias").bind((2, 4, 4))
    weights = initial(program, 0)
    assert weights["scale1.weight"].tolist() == [0.25, 0.25]
    assert weights["scale1.bias"].tolist() == [0, 0]
    x = np.random.default_rng(0).integers(-8, 9, (1, 2, 4, 4))
    mean = engines.build("reference", parse("avgpool 2").bind((2, 4, 4)), {}).run(x)[""]
    assert np.array_equal(engines.build("reference", program, weights).run(x)[""], mean)


def test_the_trainable_subsampling_of_lenet_has_12_parameters() -> None:
    program = parse("conv 6 5 -> sumpool 2 -> scale 0.25 bias -> sigmoid").bind((1, 32, 32))
    assert [row.parameters for row in arithmetic(program).rows] == [156, 0, 12, 0]


def test_rbf_is_exact_where_the_expanded_square_is_not() -> None:
    program = parse("rbf 2").bind((2,))
    weights = {"rbf1.weight": np.array([[3000, 4001], [3000, 4000]], np.float32)}
    x = np.array([[3000, 4000]], np.float32)
    for name in engines.ENGINES:
        assert engines.build(name, program, weights).run(x)[""].tolist() == [[1, 0]]


def test_prototypes_that_are_given_stay() -> None:
    program = parse("rbf 2 init 1,-1,1 frozen").bind((3,))
    assert initial(program, 0)["rbf1.weight"].tolist() == [[1, -1, 1]] * 2
    found = arithmetic(program)
    assert (found.parameters, found.trainable) == (6, 0)


def test_embed_lays_the_features_of_a_position_into_channels() -> None:
    table = np.arange(6, dtype=np.float32).reshape(3, 2)
    for arriving, expected in (
        ([2, 0, 2], [[4, 0, 4], [5, 1, 5]]),
        ([[[1, 0]]], [[[2, 0]], [[3, 1]]]),
    ):
        x = np.array([arriving])
        program = parse("embed 3 2").bind(x.shape[1:])
        for name in engines.ENGINES:
            engine = engines.build(name, program, {"embed1.weight": table})
            for dtype in (np.int64, np.int32, np.uint8, np.float32):
                assert engine.run(x.astype(dtype))[""].tolist() == [expected]


NO_EMBEDDING = [(3, "3"), (-1, "-1"), (1.5, "1.5"), (np.nan, "nan"), (np.inf, "inf")]


@pytest.mark.parametrize("name", ["reference", "pytorch"])
@pytest.mark.parametrize(("number", "said"), NO_EMBEDDING)
def test_a_number_of_no_embedding_is_refused(name: str, number: float, said: str) -> None:
    program = parse("embed 3 2").bind((1, 2, 2))
    x = np.zeros((2, 1, 2, 2), np.float32)
    x[1, 0, 1, 0] = number
    with pytest.raises(SpecError) as caught:
        engines.build(name, program, initial(program, 0)).run(x)
    assert str(caught.value) == (
        f"embed1: {said} is the number of no embedding\n"
        "  arrives:  at (0, 1, 0) of sample 1\n"
        "  expected: a whole number from 0 to 2\n"
        "  fix:      count from 0, or say a larger num_embeddings"
    )


@pytest.mark.parametrize("number", [number for number, _ in NO_EMBEDDING])
def test_the_runtime_refuses_a_number_of_no_embedding(
    number: float, capfd: pytest.CaptureFixture[str]
) -> None:
    from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

    program = parse("embed 3 2").bind((2,))
    engine = engines.build("portable", program, initial(program, 0))
    with pytest.raises(InvalidArgument, match="indices element out of data bounds"):
        engine.run(np.array([[0, number]], np.float32))
    capfd.readouterr()  # the runtime says it on stderr as well


def test_numbers_have_no_slope_and_a_vector_learns_from_all_its_places() -> None:
    program = parse("embed 3 1").bind((4,))
    engine = engines.build("reference", program, initial(program, 0))
    gradients = engine.backward(np.array([[2, 0, 2, 2]]), {"": np.array([[[1, 10, 100, 1000]]])})  # type: ignore[attr-defined]
    assert gradients.input.tolist() == [[0, 0, 0, 0]]
    assert gradients.weights["embed1.weight"].tolist() == [[10], [0], [1101]]


def test_files_with_embeddings_and_prototypes_are_valid(tmp_path: Path) -> None:
    text = "embed 9 4 -> pad 1 circular -> take 3,0 -> scale bias -> gain 2 -> reshape 24 -> rbf 3"
    program = parse(text).bind((10,))
    path = tmp_path / "net.onnx"
    path.write_bytes(portable.write(program, initial(program, 0)))
    onnx.checker.check_model(onnx.load(path), full_check=True)


def test_a_border_and_a_cut_move_positions() -> None:
    assert Pad(((1, 2), 0)).reach(((1, 4, 4),), 0) == shift(-1)
    assert Pad(((1, 2), 0)).reach(((1, 4, 4),), 1) is POINT
    assert Pad(1).pads(((1, 4, 4),)) == ((1, 1), (1, 1))


@pytest.mark.parametrize(
    ("text", "size", "field", "start", "origin"),
    [
        ("crop 7 -> conv 1 3", 11, (3, 3), 1, "crop1"),
        ("conv 1 3 -> crop 7 -> conv 1 3", 11, (5, 5), 3, ""),
        ("conv 1 3 stride 2 -> crop 2 -> crop 1", 9, (3, 3), 3, ""),
        ("pad 2 -> crop 11 -> conv 1 3", 13, (3, 3), 2, ""),
        ("conv 1 3 -> resize 7 -> conv 1 3", 11, (3, 3), 1, "resize1"),
        ("conv 1 3 -> resize 7 -> crop 5 -> conv 1 3", 11, (3, 3), 1, "crop1"),
        ("take 0 -> gain 2 -> scale -> conv 1 3", 11, (3, 3), 1, ""),
    ],
)
def test_cutting_in_the_middle_of_a_net(
    text: str, size: int, field: Shape, start: int, origin: str
) -> None:
    row = arithmetic(parse(text).bind((2, size, size))).rows[-1]
    assert (row.receptive_field, row.origin) == (field, origin)
    assert row.start == (Fraction(start),) * 2


@pytest.mark.parametrize("text", ["conv 2 3 -> crop 4x3 -> conv 2 2", "relu -> resize 5 -> crop 3"])
def test_engines_agree_where_a_net_cuts_in_its_middle(text: str) -> None:
    program = parse(text).bind((2, 9, 10))
    weights = initial(program, 0)
    x = 100 * np.random.default_rng(0).standard_normal((3, 2, 9, 10)).astype(np.float32)
    answers = [engines.build(name, program, weights).run(x)[""] for name in engines.ENGINES]
    for answer in answers[1:]:
        assert np.abs(answer - answers[0]).max() <= 1e-5 * np.abs(answers[0]).max()


def test_resizing_in_the_middle_keeps_what_is_no_level_of_a_picture() -> None:
    """Levels are 0 … 255; the values of a net are any."""
    assert made("resize 2", [[[-7.0, -7.0], [300.0, 300.0]]]) == [[[-7, -7], [300, 300]]]


def test_reshaping_loses_which_position_was_where_unless_there_was_none() -> None:
    rows = arithmetic(parse("conv 2 3 -> reshape 2x36 -> conv 1 3").bind((1, 8, 8))).rows
    assert [row.whole_picture for row in rows] == [False, True, True]
    rows = arithmetic(parse("reshape 1x8x8 -> conv 2 3").bind((64,))).rows
    assert [row.receptive_field for row in rows] == [(1, 1), (3, 3)]
    assert rows[-1].origin == "reshape1"


def test_where_the_numbers_come_from() -> None:
    text = "pad 1x0:2 -> take 0,0,1 -> scale -> reshape 72 -> rbf 3"
    rows = arithmetic(parse(text).bind((2, 2, 4))).rows
    assert [row.formulas["output"] for row in rows] == [
        "2 + 2*1 = 4, 4 + 0 + 2 = 6",
        "3 of 2 channels",
        "3x4x6",
        "3*4*6 = 72",
        "3",
    ]
    assert rows[0].formulas["receptive field"] == "1, as before"
    assert rows[2].formulas["MACs"] == "3*4*6 outputs * 1 = 72"
    assert rows[4].formulas["MACs"] == "3 outputs * 72 = 216"
    embedded = arithmetic(parse("embed 50 8").bind((12,))).rows[0].formulas
    assert embedded["output"] == "8 numbers for each of 12"
    assert embedded["parameters"] == "50*8 = 400"


def test_symbols_name_what_these_kinds_change() -> None:
    said = symbols(parse("pad 1 -> conv 4 3 -> take 0,1 -> conv 2 1").bind((1, 4, 4)))
    assert "n[0] = 4, n_c[0] = 1\n\nn[pad1] = 6\n\nl = 1: conv1 (Conv)\n" in said
    assert "n[1] = ⌊(n[pad1] + 2p - f)/s + 1⌋ = ⌊(6 + 0 - 3)/1 + 1⌋ = 4\n" in said
    assert "\n\nn_c[take1] = 2\n\n" in said
    assert "(f[2] x f[2] x n_c[take1] + 1) x n_c[2] = (1 x 1 x 2 + 1) x 2 = 6" in said
    said = symbols(parse("embed 50 8 -> conv 4 3").bind((8,)))
    assert "n[embed1] = 8\nn_c[embed1] = 8\nlearnable params embed1 = 50 x 8 = 400\n" in said
    assert "(f[1] x n_c[embed1] + 1) x n_c[1] = (3 x 8 + 1) x 4 = 100" in said
