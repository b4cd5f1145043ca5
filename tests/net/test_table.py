"""What people read: the table, the formulas, the symbols."""

from __future__ import annotations

import pytest

from foveal.net import Net
from foveal.net.arithmetic import arithmetic
from foveal.net.kind import Shape
from foveal.net.notation import parse
from foveal.net.symbols import symbols
from foveal.net.table import explained, memory_text, table
from foveal.zoo import ENTRIES


def shown(text: str, shape: Shape, **options: object) -> str:
    return table(arithmetic(parse(text).bind(shape)), **options)  # type: ignore[arg-type]


def after_totals(text: str, shape: Shape) -> list[str]:
    """The remarks under the totals."""
    return shown(text, shape).partition("\n\n")[2].splitlines()


def test_the_table() -> None:
    text = "conv 10 3 -> c2: conv 20 4 stride 2 -> bn -> relu -> flatten -> dense 1000"
    assert shown(text, (3, 39, 39)) == TABLE.strip("\n")


TABLE = """
Layer        Output shape     Param #        MACs   Receptive field     Memory
──────────────────────────────────────────────────────────────────────────────
input             3x39x39                                             17.8 KiB
conv1            10x37x37         280     369,630               3x3   53.5 KiB
c2 (Conv)        20x17x17       3,220     924,800               6x6   22.6 KiB
batchnorm1       20x17x17          40           0               6x6   22.6 KiB
relu1            20x17x17           0           0               6x6   22.6 KiB
flatten1             5780           0           0     whole picture   22.6 KiB
dense1               1000   5,781,000   5,780,000     whole picture    3.9 KiB
──────────────────────────────────────────────────────────────────────────────
Total params                          5,784,540
Trainable params                      5,784,540
Statistics, not trained                      40
MACs                                  7,074,430
Memory of activations (one picture)   147.7 KiB
Memory needed at once to predict       76.1 KiB

Maps shrink from 39x39 to 17x17 while depth grows from 3 to 20.
c2: never sees the last row and column: (37 - 4) mod 2 = 1; padding 0:1x0:1 would fit
"""


def test_the_net_shows_its_own_table() -> None:
    net = Net.of(*parse("conv 6 5 -> relu").root.items)
    assert net.table((3, 32, 32)) == shown("conv 6 5 -> relu", (3, 32, 32))


def test_bold_is_only_for_the_heading() -> None:
    plain, bold = (shown("relu", (3, 8, 8), bold=bold) for bold in (False, True))
    assert "\033" not in plain
    heading = plain.splitlines()[0]
    assert bold == plain.replace(heading, f"\033[1m{heading}\033[0m", 1)


@pytest.mark.parametrize("width", [80, 90, 100, 120])
def test_a_deep_net_fits_the_width(width: int) -> None:
    net = ENTRIES["resnet18"].build((3, 224, 224), 1000)
    lines = table(arithmetic(net.bind((3, 224, 224))), width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert ("Memory" in lines[0]) == (width == 120)


def test_long_paths_lose_their_middle() -> None:
    lines = table(
        arithmetic(ENTRIES["resnet18"].build((3, 224, 224), 1000).bind((3, 224, 224))), width=80
    ).splitlines()
    names = [line.split()[0] for line in lines if line]
    assert "layer1.0.add1.1.conv1" in names
    assert "layer1…1.batchnorm1" in names


def test_where_nothing_helps_names_are_cut() -> None:
    lines = shown("an_uncommonly_long_name: relu", (3, 8, 8), width=40).splitlines()
    assert lines[3].split()[0] == "an_uncommonly_l…"


def test_no_line_ends_in_spaces() -> None:
    assert all(line == line.rstrip() for line in shown("relu", (3, 8, 8), width=60).splitlines())


def test_a_trend_is_said_only_where_it_is_true() -> None:
    assert after_totals("conv 8 3 -> maxpool 2", (3, 32, 32)) == [
        "Maps shrink from 32x32 to 15x15 while depth grows from 3 to 8."
    ]
    assert after_totals("conv 8 3 same", (3, 32, 32)) == []
    assert after_totals("conv 3 3", (3, 32, 32)) == []
    assert after_totals("conv 8 3 padding 2 -> conv 9 5", (3, 32, 32)) == []
    assert after_totals("conv 8 1x3", (3, 32, 32)) == []
    assert after_totals("dense 8", (3,)) == []


def test_preprocessing_is_where_receptive_fields_count_from() -> None:
    text = "input uint8 -> resize 32 -> crop 28 -> normalise -> conv 8 3"
    assert after_totals(text, (3, 60, 80)) == [
        "Maps shrink from 28x28 to 26x26 while depth grows from 3 to 8.",
        "Receptive fields are counted in the picture after crop1.",
    ]


def test_an_input_step_replaces_the_first_line() -> None:
    lines = shown("input uint8 -> relu", (3, 8, 8)).splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["input1", "relu1"]
    assert after_totals("input uint8 -> relu", (3, 8, 8)) == []


def test_several_results_are_named() -> None:
    assert after_totals("outputs( a: [relu] | b: [maxpool 2] )", (3, 8, 8)) == [
        "Results: a 3x8x8, b 3x4x4"
    ]


def test_notes_that_are_alike_are_said_once() -> None:
    text = "[conv 3 1 stride 2 same]*5"
    assert after_totals(text, (3, 99, 99)) == [
        "repeat1.0.conv1, repeat1.1.conv1 and 3 more: reads only 1 of every 2 rows and columns"
    ]


def test_flat_features_and_fields_that_vary_have_a_word() -> None:
    assert shown("relu", (5,)).splitlines()[3].split() == [
        "relu1",
        "5",
        "0",
        "0",
        "-",
        "20",
        "bytes",
    ]
    varies = shown("add( conv 4 3 stride 2 | maxpool 7 stride 1 )", (4, 11, 11))
    assert varies.splitlines()[5].split()[:5] == ["add1", "4x5x5", "0", "0", "varies"]


def test_a_net_without_steps_is_shown_too() -> None:
    assert len(shown("[relu]*0", (3, 8, 8)).splitlines()) == 9


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (2**20 - 1, "1,024.0 KiB"),
        (2**20, "1.0 MiB"),
        (3 * 2**29, "1.5 GiB"),
        (2**50, "1,024.0 TiB"),
    ],
)
def test_memory_is_said_in_binary_units(size: int, text: str) -> None:
    assert memory_text(size) == text


def test_formulas_of_all_steps() -> None:
    made = explained(
        arithmetic(parse("c: conv 4 3 same -> again c -> globalavgpool").bind((4, 8, 8)))
    )
    assert made.split("\n\n")[1:] == [AGAIN.strip("\n"), POOL.strip("\n")]


AGAIN = """
again1 (Conv): 4x8x8 -> 4x8x8
  output           floor((8 + 2*1 - 3) / 1) + 1 = 8
  parameters       shared with c
  MACs             4*8*8 outputs * 4*3*3 = 9,216
  memory           4*8*8 * 4 bytes = 1,024 bytes
  receptive field  3 + (3 - 1) * 1 = 5
  sparsity         each output reads 4*3*3 = 36 of 256 values
  sharing          148 instead of 256 * 256 + 256 = 65,792 if fully connected (445 times)
"""

POOL = """
globalavgpool1: 4x8x8 -> 4
  output           4
  parameters       none
  MACs             none
  memory           4 * 4 bytes = 16 bytes
  receptive field  the whole picture
"""


def test_flat_features_have_no_receptive_field_to_explain() -> None:
    made = explained(arithmetic(parse("dense 3 -> reshape 1x3").bind((2,))))
    assert made.split("\n\n")[0].splitlines() == [
        "dense1: 2 -> 3",
        "  output           3",
        "  parameters       3*2 + 3 = 9",
        "  MACs             3 outputs * 2 = 6",
        "  memory           3 * 4 bytes = 12 bytes",
        "  receptive field  none: what arrives has no positions",
    ]


def test_a_net_may_become_a_picture_and_flat_again() -> None:
    text = "reshape 1x4x4 -> conv 2 3 -> conv 3 2 -> flatten -> dense 2"
    assert after_totals(text, (16,))[0] == (
        "Maps shrink from 4x4 to 1x1 while depth grows from 1 to 3."
    )
    assert after_totals(f"dense 16 -> {text}", (5,)) == []


def symbols_of(text: str, *shape: int) -> list[str]:
    return symbols(parse(text).bind(shape)).splitlines()


def test_symbols_of_the_articles_example() -> None:
    text = "conv 10 3 -> conv 20 5 stride 2 -> conv 40 5 stride 2"
    assert symbols_of(text, 3, 39, 39) == EXAMPLE.strip("\n").splitlines()


EXAMPLE = """
n[0] = 39, n_c[0] = 3

l = 1: conv1 (Conv)
n[1] = ⌊(n[0] + 2p - f)/s + 1⌋ = ⌊(39 + 0 - 3)/1 + 1⌋ = 37
n_c[1] = 10
learnable params l[1] = (f[1] x f[1] x n_c[0] + 1) x n_c[1] = (3 x 3 x 3 + 1) x 10 = 280

l = 2: conv2 (Conv)
n[2] = ⌊(n[1] + 2p - f)/s + 1⌋ = ⌊(37 + 0 - 5)/2 + 1⌋ = 17
n_c[2] = 20
learnable params l[2] = (f[2] x f[2] x n_c[1] + 1) x n_c[2] = (5 x 5 x 10 + 1) x 20 = 5020

l = 3: conv3 (Conv)
n[3] = ⌊(n[2] + 2p - f)/s + 1⌋ = ⌊(17 + 0 - 5)/2 + 1⌋ = 7
n_c[3] = 40
learnable params l[3] = (f[3] x f[3] x n_c[2] + 1) x n_c[3] = (5 x 5 x 20 + 1) x 40 = 20040

learnable params in all = 25340
"""

LINES: list[tuple[str, Shape, str]] = [
    (
        "maxpool 2",
        (3, 4, 4),
        "n[1] = ⌊(n[0] + 2p - f)/s + 1⌋ = ⌊(4 + 0 - 2)/2 + 1⌋ = 2",
    ),
    ("maxpool 2", (3, 4, 4), "learnable params l[1] = 0"),
    (
        "minpool 2 ceil",
        (3, 5, 5),
        "n[1] = ⌈(n[0] + 2p - f)/s + 1⌉ = ⌈(5 + 0 - 2)/2 + 1⌉ = 3",
    ),
    ("sumpool 2", (3, 4), "n_c[1] = n_c[0] = 3"),
    ("adaptiveavgpool 3 -> lppool 2", (3, 8, 8), "n[adaptiveavgpool1] = 3"),
    (
        "b: conv 2 1 -> pool 2 -> maxunpool 2( identity | @b ) -> conv 2 3",
        (3, 8, 8),
        "n[3] = ⌊(n[1] + 2p - f)/s + 1⌋ = ⌊(8 + 0 - 3)/1 + 1⌋ = 6",
    ),
    ("maxpool 2", (3, 4, 4), "n_c[1] = n_c[0] = 3"),
    (
        "conv 2 3x5 padding 1",
        (3, 9, 9),
        "n_w[1] = ⌊(n_w[0] + 2p - f)/s + 1⌋ = ⌊(9 + 2 - 5)/1 + 1⌋ = 7",
    ),
    (
        "conv 2 3x5",
        (3, 9, 9),
        "learnable params l[1] = (f_h[1] x f_w[1] x n_c[0] + 1) x n_c[1]"
        " = (3 x 5 x 3 + 1) x 2 = 92",
    ),
    (
        "conv 2 4 same",
        (3, 9),
        "n[1] = ⌊(n[0] + p_before + p_after - f)/s + 1⌋ = ⌊(9 + 1 + 2 - 4)/1 + 1⌋ = 9",
    ),
    (
        "conv 2 3 dilation 2",
        (3, 9, 9, 9),
        "n[1] = ⌊(n[0] + 2p - d(f - 1) - 1)/s + 1⌋ = ⌊(9 + 0 - 2(3 - 1) - 1)/1 + 1⌋ = 5",
    ),
    (
        "conv 4 3 groups 2 no bias",
        (6, 9, 9),
        "learnable params l[1] = f[1] x f[1] x n_c[0]/2 x n_c[1] = 3 x 3 x 6/2 x 4 = 108",
    ),
    (
        "depthwise 3 multiplier 2 shared no bias",
        (3, 9, 9),
        "learnable params l[1] = f[1] x f[1] x n_c[1]/n_c[0] = 3 x 3 x 6/3 = 18",
    ),
    (
        "depthwise 2x3 multiplier 2 shared weight_norm",
        (3, 9, 9),
        "learnable params l[1] = f_h[1] x f_w[1] x n_c[1]/n_c[0] + n_c[1]/n_c[0] + n_c[1]"
        " = 2 x 3 x 6/3 + 6/3 + 6 = 20",
    ),
    (
        "convtranspose 2 3 stride 2 dilation 2 padding 1:0 output_padding 1",
        (3, 4),
        "n[1] = s(n[0] - 1) + d(f - 1) + 1 - p_before - p_after + p_more"
        " = (4 - 1) * 2 + 5 - 1 - 0 + 1 = 11",
    ),
    (
        "relu -> flatten -> dense 5",
        (3, 4, 6),
        "learnable params l[1] = (n_h[0] x n_w[0] x n_c[0] + 1) x n_c[1]"
        " = (4 x 6 x 3 + 1) x 5 = 365",
    ),
    (
        "conv 8 3 -> globalavgpool -> dense 5",
        (3, 9, 9),
        "learnable params l[2] = (n_c[1] + 1) x n_c[2] = (8 + 1) x 5 = 45",
    ),
    (
        "concat( conv 4 1 | conv 5 1 ) -> conv 2 1",
        (3, 9, 9),
        "learnable params l[3] = (f[3] x f[3] x (n_c[1] + n_c[2]) + 1) x n_c[3]"
        " = (1 x 1 x (4 + 5) + 1) x 2 = 20",
    ),
    ("batchnorm", (8, 4, 4), "learnable params batchnorm1 = 8 + 8 = 16"),
    (
        "c: conv 3 1 -> again c",
        (3, 4, 4),
        "learnable params l[2] = (f[2] x f[2] x n_c[1] + 1) x n_c[2]"
        " = (1 x 1 x 3 + 1) x 3 = 12 (shared with c)",
    ),
    ("c: conv 3 1 -> again c", (3, 4, 4), "learnable params in all = 12"),
    ("b: batchnorm -> again b", (3, 4, 4), "learnable params again1 = 3 + 3 = 6 (shared with b)"),
    ("input uint8 -> resize 8x6 -> conv 2 1", (3, 9, 9), "n_h[0] = 8, n_w[0] = 6, n_c[0] = 3"),
    (
        "input uint8 -> resize 8x6 -> conv 2 1",
        (3, 9, 9),
        "n_h[1] = ⌊(n_h[0] + 2p - f)/s + 1⌋ = ⌊(8 + 0 - 1)/1 + 1⌋ = 8",
    ),
    ("conv 2 1 -> resize 8 -> maxpool 2", (3, 9, 9), "n[resize1] = 8"),
    (
        "conv 2 1 -> resize 8 -> maxpool 2",
        (3, 9, 9),
        "n[2] = ⌊(n[resize1] + 2p - f)/s + 1⌋ = ⌊(8 + 0 - 2)/2 + 1⌋ = 4",
    ),
    ("dense 10", (784,), "n_c[0] = 784"),
    (
        "dense 10",
        (784,),
        "learnable params l[1] = (n_c[0] + 1) x n_c[1] = (784 + 1) x 10 = 7850",
    ),
]


@pytest.mark.parametrize(("text", "shape", "line"), LINES)
def test_symbols_say_what_is_the_case(text: str, shape: Shape, line: str) -> None:
    assert line in symbols_of(text, *shape)
