"""Shapes, parameters, work and memory: the figures of articles and papers, and their formulas."""

from __future__ import annotations

import json
from fractions import Fraction
from math import prod

import pytest
from support.nets import random_net

from foveal.errors import ShapeError
from foveal.net.arithmetic import Arithmetic, arithmetic
from foveal.net.kind import Shape
from foveal.net.notation import parse

EXAMPLE = "conv 10 3 -> conv 20 5 stride 2 -> conv 40 5 stride 2"


def shown(text: str, *shape: int) -> Arithmetic:
    return arithmetic(parse(text).bind(shape))


def test_the_articles_example_of_three_convolutions() -> None:
    made = shown(EXAMPLE, 3, 39, 39)
    assert [row.output for row in made.rows] == [(10, 37, 37), (20, 17, 17), (40, 7, 7)]
    assert [row.parameters for row in made.rows] == [280, 5020, 20040]
    assert [row.macs for row in made.rows] == [369_630, 1_445_000, 980_000]
    assert [row.receptive_field for row in made.rows] == [(3, 3), (7, 7), (15, 15)]
    assert [row.jump for row in made.rows] == [(1, 1), (2, 2), (4, 4)]
    assert [row.start for row in made.rows] == [(1, 1), (3, 3), (7, 7)]
    assert (made.parameters, made.macs) == (25_340, 2_794_630)


@pytest.mark.parametrize("side", [32, 1024])
def test_a_convolution_has_the_same_parameters_on_every_picture(side: int) -> None:
    assert shown("conv 6 5", 3, side, side).parameters == 456


def test_what_a_fully_connected_layer_would_need_instead() -> None:
    small = shown("flatten -> dense 4704", 3, 32, 32)
    assert small.parameters == 14_455_392
    assert small.macs == 14_450_688
    assert shown("flatten -> dense 4704 no bias", 3, 1024, 1024).parameters == 14_797_504_512
    formulas = shown("conv 6 5", 3, 32, 32).rows[0].formulas
    assert formulas["sparsity"] == "each output reads 3*5*5 = 75 of 3,072 values"
    assert formulas["sharing"] == (
        "456 instead of 3,072 * 4,704 + 4,704 = 14,455,392 if fully connected (31,700 times)"
    )


OUTPUTS: list[tuple[str, Shape, Shape]] = [
    ("conv 5 4 stride 2", (3, 288, 288), (5, 143, 143)),
    ("conv 1 3 same", (1, 5, 5), (1, 5, 5)),
    ("conv 1 3 padding 1", (1, 5, 5), (1, 5, 5)),
    ("conv 1 3", (1, 4, 4), (1, 2, 2)),
    ("conv 2 3x5 stride 2x3", (1, 20, 31), (2, 9, 9)),
    ("maxpool 2", (3, 4, 4), (3, 2, 2)),
    ("maxpool 2 stride 1", (3, 4, 4), (3, 3, 3)),
    ("conv 1 16", (3, 256, 256), (1, 241, 241)),
    ("conv 1 16 stride 16", (3, 256, 256), (1, 16, 16)),
    ("conv 4 3", (2, 9), (4, 7)),
    ("conv 4 3", (2, 9, 8, 7), (4, 7, 6, 5)),
]


@pytest.mark.parametrize(("text", "shape", "output"), OUTPUTS)
def test_output_sizes(text: str, shape: Shape, output: Shape) -> None:
    assert shown(text, *shape).rows[0].output == output


def test_pooling_has_no_parameters() -> None:
    row = shown("maxpool 2", 3, 4, 4).rows[0]
    assert (row.parameters, row.macs, row.formulas["parameters"]) == (0, 0, "none")


def test_resnet_50_has_its_published_figures() -> None:
    made = arithmetic(parse(RESNET_50).bind((3, 224, 224)))
    assert len(made.rows) == 186
    assert made.parameters == made.trainable == 25_557_032  # torchvision
    assert made.macs == 4_089_184_256  # torchvision: 4.09 billion
    assert made.statistics == 2 * 26_560  # a mean and a variance for each normalised channel
    assert round(made.memory / 2**20) == 159
    assert round(made.peak_memory / 2**20) == 9


def _bottleneck(channels: int, stride: int, short: str) -> str:
    wide = 4 * channels
    return (
        f"add( conv {channels} 1 no bias -> bn -> relu"
        f" -> conv {channels} 3 stride {stride} padding 1 no bias -> bn -> relu"
        f" -> conv {wide} 1 no bias -> bn | {short} ) -> relu"
    )


def _stage(channels: int, blocks: int, stride: int) -> str:
    short = f"conv {4 * channels} 1 stride {stride} no bias -> bn"
    more = f"[{_bottleneck(channels, 1, 'identity')}]*{blocks - 1}"
    return f"{_bottleneck(channels, stride, short)} -> {more}"


RESNET_50 = " -> ".join(
    [
        "conv 64 7 stride 2 padding 3 no bias -> bn -> relu -> maxpool 3 stride 2 padding 1",
        *(_stage(*stage) for stage in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))),
        "globalavgpool -> dense 1000",
    ]
)


def test_receptive_fields_as_published_by_araujo_norris_and_sim() -> None:
    alexnet = (
        "conv 64 11 stride 4 padding 2 -> maxpool 3 stride 2 -> conv 192 5 padding 2"
        " -> maxpool 3 stride 2 -> [conv 256 3 same]*3 -> maxpool 3 stride 2"
    )
    vgg16 = " -> ".join(f"[conv 8 3 same]*{n} -> maxpool 2" for n in (2, 2, 3, 3, 3))
    assert shown(alexnet, 3, 224, 224).rows[-1].receptive_field == (195, 195)
    assert shown(vgg16, 3, 224, 224).rows[-1].receptive_field == (212, 212)


def test_totals_of_random_nets_are_those_of_their_tensors() -> None:
    for seed in range(100):
        net, shape = random_net(seed)
        program = net.bind(shape)
        made, tensors = arithmetic(program), program.tensors().values()
        assert made.parameters == sum(prod(t.shape) for t in tensors if t.trained)
        assert made.statistics == sum(prod(t.shape) for t in tensors if not t.trained)
        assert made.memory == 4 * sum(prod(step.shape) for step in program.steps)


def test_shared_weights_count_once_and_say_where_they_are() -> None:
    made = shown("c: conv 4 3 same -> again c -> again c", 4, 8, 8)
    assert [row.parameters for row in made.rows] == [148, 0, 0]
    assert [row.note for row in made.rows] == ["", "shared with c", "shared with c"]
    assert made.rows[1].formulas["parameters"] == "shared with c"
    assert made.parameters == 148
    assert [row.macs for row in made.rows] == [9216] * 3


def test_weights_shared_by_each_count_once() -> None:
    made = shown("outputs( a: [relu] | b: [maxpool 2] ) -> each( conv 2 1 )", 3, 8, 8)
    assert [row.parameters for row in made.rows] == [0, 0, 8, 0]
    assert made.rows[3].note == "shared with each1.a.conv1"
    assert dict(made.results) == {"a": (2, 8, 8), "b": (2, 4, 4)}


def test_statistics_of_batch_norm_are_no_parameters() -> None:
    made = shown("batchnorm", 16, 8, 8)
    assert (made.parameters, made.statistics) == (32, 32)


def test_a_value_is_alive_until_its_last_use() -> None:
    # 4 bytes * 64 values each: input, relu, tanh; then a sum that needs the input again.
    assert shown("relu -> tanh", 1, 8, 8).peak_memory == 2 * 256
    assert shown("a: relu -> b: tanh -> add( @a | @b )", 1, 8, 8).peak_memory == 3 * 256
    assert shown("outputs( relu | tanh )", 1, 8, 8).peak_memory == 3 * 256
    assert shown("a: relu -> dropout -> @a -> tanh", 1, 8, 8).peak_memory == 2 * 256


NEVER_SEEN: list[tuple[str, Shape, str]] = [
    ("conv 1 4 stride 2", (1, 8, 8), ""),
    (
        "conv 1 4 stride 2",
        (1, 9, 9),
        "never sees the last row and column: (9 - 4) mod 2 = 1; padding 0:1x0:1 would fit",
    ),
    (
        "conv 1 3 stride 2",
        (1, 9, 8),
        "never sees the last column: (8 - 3) mod 2 = 1; padding 0x0:1 would fit",
    ),
    (
        "conv 1 5 stride 4",
        (1, 11, 12),
        "never sees the last 2 rows and the last 3 columns: "
        "(11 - 5) mod 4 = 2, (12 - 5) mod 4 = 3; padding 1x0:1 would fit",
    ),
    (
        "maxpool 3",
        (1, 10),
        "never sees the last position: (10 - 3) mod 3 = 1; padding 1 would fit",
    ),
    (
        "conv 1 5 stride 5 padding 1",
        (1, 15),
        "never sees the last position: (15 + 2*1 - 5) mod 5 = 2; padding 0 would fit",
    ),
    (
        "conv 1 2 stride 2 padding 1:0",
        (1, 10),
        "never sees the last position: (10 + 1 + 0 - 2) mod 2 = 1; padding 1 would fit",
    ),
    (
        "conv 1 3 stride 3 dilation 2",
        (1, 9, 9, 9),
        "never sees the last slice, row and column: (9 - 5) mod 3 = 1; padding 1 would fit",
    ),
    ("conv 1 3 stride 2 padding 1", (1, 8, 8), ""),
    ("conv 1 1 stride 2", (1, 8, 8), "reads only 1 of every 2 rows and columns"),
    ("conv 1 3 stride 2 dilation 2", (1, 9), "reads only 1 of every 2 positions"),
    (
        "conv 1 1x2 stride 3x4",
        (1, 9, 9),
        "reads only 1 of every 3 rows and 2 of every 4 columns",
    ),
]


@pytest.mark.parametrize(("text", "shape", "note"), NEVER_SEEN)
def test_what_is_never_seen_and_the_padding_that_fits(text: str, shape: Shape, note: str) -> None:
    said = shown(text, *shape).rows[0].note
    assert said.partition("; reads 60%")[0] == note


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(3, 2, 0), (5, 4, 1), (7, 5, 3), (4, 3, 2)]
)
def test_the_padding_that_is_said_to_fit_does_fit(kernel: int, stride: int, padding: int) -> None:
    for n in range(8, 30):
        note = shown(f"conv 1 {kernel} stride {stride} padding {padding}", 1, n).rows[0].note
        if note:
            fit = note.partition("; padding ")[2].removesuffix(" would fit")
            step = parse(f"conv 1 {kernel} stride {stride} padding {fit}").bind((1, n)).steps[0]
            (axis,) = step.kind.windows(step.ins)
            assert (axis.rest, axis.unseen) == (0, 0)


def test_formulas_have_the_numbers_of_the_row() -> None:
    row = shown("maxpool 2 -> conv 20 5 stride 2 padding 1 groups 2", 4, 38, 74).rows[1]
    assert dict(row.formulas) == {
        "output": "floor((19 + 2*1 - 5) / 2) + 1 = 9, floor((37 + 2*1 - 5) / 2) + 1 = 18",
        "parameters": "20*2*5*5 + 20 = 1,020",
        "MACs": "20*9*18 outputs * 2*5*5 = 162,000",
        "memory": "20*9*18 * 4 bytes = 12,960 bytes",
        "receptive field": "2 + (5 - 1) * 2 = 10",
        "sparsity": "each output reads 2*5*5 = 50 of 2,812 values",
        "sharing": "1,020 instead of 2,812 * 3,240 + 3,240 = 9,114,120 if fully connected"
        " (8,940 times)",
    }
    assert (row.parameters, row.macs, row.memory) == (1020, 162_000, 12_960)


@pytest.mark.parametrize(
    ("text", "quantity", "formula"),
    [
        ("flatten", "output", "3*8*8 = 192"),
        ("flatten", "receptive field", "the whole picture"),
        ("relu", "output", "3x8x8"),
        ("relu", "MACs", "none"),
        ("relu", "receptive field", "1, as before"),
        ("concat( relu | conv 5 3 same )", "output", "3 + 5 = 8 channels"),
        ("concat( relu | conv 5 3 same )", "receptive field", "hull of 1 and 3 = 3"),
        ("crop 6", "receptive field", "counted from here: 1"),
        ("conv 4 3x1", "receptive field", "1 + (3 - 1) * 1 = 3, 1, as before"),
        (
            "conv 4 3 same no bias",
            "sharing",
            "108 instead of 192 * 256 = 49,152 if fully connected (455 times)",
        ),
        (
            "add( conv 3 3 stride 2 | maxpool 6 stride 1 )",
            "receptive field",
            "varies from place to place",
        ),
        ("batchnorm", "parameters", "3 + 3 = 6"),
        ("flatten -> dense 5 no bias", "parameters", "5*192 = 960"),
        ("flatten -> dense 5 no bias", "MACs", "5 outputs * 192 = 960"),
    ],
)
def test_formulas_of_other_kinds(text: str, quantity: str, formula: str) -> None:
    assert shown(text, 3, 8, 8).rows[-1].formulas[quantity] == formula


def test_facts_are_plain_numbers_that_json_takes() -> None:
    made = shown("conv 2 2 same -> batchnorm -> flatten", 1, 4, 5)
    facts = json.loads(json.dumps(made.facts()))
    first, second, last = facts.pop("layers")
    assert facts == {
        "input": [1, 4, 5],
        "results": {"": [40]},
        "parameters": 14,
        "trainable": 14,
        "statistics": 4,
        "macs": 160,
        "memory": 480,
        "peak_memory": 320,
    }
    formulas = first.pop("formulas")
    assert formulas["MACs"] == "2*4*5 outputs * 1*2*2 = 160"
    assert first == {
        "name": "conv1",
        "kind": "Conv",
        "in_channels": 1,
        "output": [2, 4, 5],
        "parameters": 10,
        "statistics": 0,
        "macs": 160,
        "memory": 160,
        "origin": "",
        "receptive_field": [2, 2],
        "jump": [1, 1],
        "start": [0.5, 0.5],
        "coverage": [1, 1],
        "global": False,
        "gated": False,
        "note": "same pads unevenly, as an even kernel has no middle: 0 before, 1 after",
    }
    assert second["statistics"] == 4
    assert last["global"] is True
    assert last["receptive_field"] is last["jump"] is last["start"] is last["coverage"] is None


def test_every_figure_is_exact() -> None:
    row = shown("conv 1 3 dilation 3", 1, 99).rows[0]
    assert row.coverage == (Fraction(3, 7),)


def test_in_channels_are_those_of_the_first_value() -> None:
    assert shown("concat( conv 4 1 | conv 2 1 )", 3, 8, 8).rows[-1].in_channels == 4


def test_errors_of_binding_come_through() -> None:
    with pytest.raises(ShapeError):
        shown("conv 6 5", 3, 4, 4)
