"""The convolution family: its words, its arithmetic, and what it refuses."""

from __future__ import annotations

import pytest

from foveal.errors import SpecError
from foveal.net.arithmetic import arithmetic
from foveal.net.kind import Pads, Shape
from foveal.net.notation import parse
from foveal.net.symbols import symbols
from foveal.net.table import explained

PADS: list[tuple[str, Shape, Pads, Shape]] = [
    ("conv 1 5 same", (3, 5, 5), ((2, 2),) * 2, (1, 5, 5)),
    ("conv 1 4 stride 2 same", (1, 5), ((1, 2),), (1, 3)),
    ("conv 1 4 stride 2 same_lower", (1, 5), ((2, 1),), (1, 3)),
    ("conv 1 4 stride 2 preserve", (1, 288), ((145, 145),), (1, 288)),
    ("conv 1 4 stride 2 preserve", (1, 5), ((3, 4),), (1, 5)),
    ("conv 1 3 dilation 2 causal", (1, 5), ((4, 0),), (1, 5)),
    ("conv 1 3 stride 2 causal", (1, 5), ((2, 0),), (1, 3)),
    ("conv 1 3 padding 1:0x2", (1, 5, 5), ((1, 0), (2, 2)), (1, 4, 7)),
    ("convtranspose 1 4 stride 2 padding 1", (1, 5), ((1, 1),), (1, 10)),
    ("convtranspose 1 3 stride 2 same", (1, 5), ((0, 1),), (1, 10)),
    ("convtranspose 1 3 stride 2 same_lower", (1, 5), ((1, 0),), (1, 10)),
    ("convtranspose 1 2 stride 3 same", (1, 5), ((0, 0),), (1, 15)),
]


@pytest.mark.parametrize(("text", "shape", "pads", "made"), PADS)
def test_padding_by_word(text: str, shape: Shape, pads: Pads, made: Shape) -> None:
    (step,) = parse(text).bind(shape).steps
    assert (step.pads, step.shape) == (pads, made)


REFUSED: list[tuple[str, Shape, str]] = [
    (
        "conv 1 3 padding 3 reflect",
        (1, 3, 5),
        "layer 1 'conv1' (Conv): reflect padding of 3:3 needs more than 3 positions\n"
        "  arrives:  1x3x5 from the input\n"
        "  fix:      padding of at most 2, or replicate",
    ),
    (
        "depthwise 3 padding 4 circular",
        (1, 3),
        "layer 1 'depthwise1' (Depthwise): circular padding of 4:4 needs more than 3 positions\n"
        "  arrives:  1x3 from the input\n"
        "  fix:      padding of at most 3, or replicate",
    ),
    (
        "conv 1 3 causal",
        (1, 5, 5),
        "layer 1 'conv1' (Conv): causal padding is for one axis, but 2 arrive\n"
        "  fix:      say it for each axis, before:after, such as 2:0x1",
    ),
    (
        "convtranspose 1 2 padding 2",
        (1, 2, 3),
        "layer 1 'convtranspose1' (ConvTranspose): padding 2:2 cuts off all of 3 positions\n"
        "  arrives:  1x2x3 from the input\n"
        "  fix:      less padding",
    ),
    (
        "convtranspose 1 3 stride 2 output_padding 2",
        (1, 2, 3),
        "layer 1 'convtranspose1' (ConvTranspose): output_padding 2 is as much as the stride "
        "and the dilation\n"
        "  arrives:  1x2x3 from the input\n"
        "  fix:      output_padding below 2",
    ),
    (
        "convtranspose 3 2 groups 2",
        (2, 2, 3),
        "layer 1 'convtranspose1' (ConvTranspose): groups 2 does not divide the 3 filters\n"
        "  arrives:  2x2x3 from the input\n"
        "  fix:      groups that divide both 2 and 3",
    ),
    (
        "local 2 5",
        (1, 4, 4),
        "layer 1 'local1' (LocallyConnected): kernel 5x5 does not fit into 4x4\n"
        "  arrives:  1x4x4 from the input\n"
        "  fix:      padding same, a smaller kernel, or one pooling layer fewer",
    ),
    (
        "conv 1 5 init sharpen",
        (1, 8, 8),
        "layer 1 'conv1' (Conv): filter sharpen is 3x3, the kernel is 5x5\n"
        "  fix:      kernel_size 3x3",
    ),
    (
        "conv 2 3 init 1,2",
        (1, 8, 8),
        "layer 1 'conv1' (Conv): init gives 2 numbers for weights of 2x1x3x3\n"
        "  expected: as many as a kernel, a filter or all weights have: 9, 18",
    ),
    (
        "conv 2 3 init 1,2",
        (4, 8),
        "layer 1 'conv1' (Conv): init gives 2 numbers for weights of 2x4x3\n"
        "  expected: as many as a kernel, a filter or all weights have: 3, 12, 24",
    ),
]


@pytest.mark.parametrize(("text", "shape", "message"), REFUSED)
def test_what_does_not_fit_says_why(text: str, shape: Shape, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(text).bind(shape)
    assert str(caught.value) == message


NOTES = [
    ("conv 4 3 reflect", "reflect has no padding to fill"),
    ("depthwise 3 fill -0.5 padding 0", "fill -0.5 has no padding to fill"),
    ("conv 4 3 reflect padding 0:1x0", ""),
    ("conv 1 16 same", "same pads unevenly, as an even kernel has no middle: 7 before, 8 after"),
    ("conv 1 3 stride 2 same", "same pads unevenly, 0 before, 1 after"),
    ("conv 1 3 stride 2 same_lower", "same_lower pads unevenly, 1 before, 0 after"),
    (
        "conv 1 3 stride 2 preserve",
        "preserve: p = ½[20(2 - 1) + 3 - 2] = 10½; some windows lie wholly in padding, as p >= f; "
        "preserve pads unevenly, 10 before, 11 after",
    ),
    ("conv 1 5 preserve", "preserve: p = ½[20(1 - 1) + 5 - 1] = 2"),
    ("conv 1 3 same", ""),
    ("local 2 3", "6,480 parameters; with the same weights at every position it would have 20"),
]


@pytest.mark.parametrize(("text", "note"), NOTES)
def test_notes_say_what_padding_and_sharing_come_to(text: str, note: str) -> None:
    (row,) = arithmetic(parse(text).bind((1, 20, 20))).rows
    assert row.note == note


def test_frozen_parameters_are_counted_but_not_trainable() -> None:
    made = arithmetic(parse("conv 2 3 frozen -> conv 2 1 no bias").bind((1, 8, 8)))
    assert (made.parameters, made.trainable) == (24, 4)


def test_numbers_of_an_unshared_layer_are_explained() -> None:
    text = explained(arithmetic(parse("local 1 5").bind((3, 28, 28))))
    assert "parameters       1*24*24*3*5*5 + 1*24*24 = 43,776" in text
    assert "each output reads 3*5*5 = 75 of 2,352 values" in text


def test_transposed_and_unshared_layers_in_symbols() -> None:
    net = "convtranspose 8 4 stride 2 padding 1 -> depthwise 3 weight_norm -> local 2 3x5 stride 2"
    blocks = symbols(parse(net).bind((3, 28, 28))).split("\n\n")
    assert blocks[1:4] == [
        "l = 1: convtranspose1 (ConvTranspose)\n"
        "n[1] = s(n[0] - 1) + f - 2p = (28 - 1) * 2 + 4 - 1 - 1 = 56\n"
        "n_c[1] = 8\n"
        "learnable params l[1] = (f[1] x f[1] x n_c[0] + 1) x n_c[1] = (4 x 4 x 3 + 1) x 8 = 392",
        "l = 2: depthwise1 (Depthwise)\n"
        "n[2] = ⌊(n[1] + 2p - f)/s + 1⌋ = ⌊(56 + 0 - 3)/1 + 1⌋ = 54\n"
        "n_c[2] = 8\n"
        "learnable params l[2] = (f[2] x f[2] + 1 + 1) x n_c[2] = (3 x 3 + 1 + 1) x 8 = 88",
        "l = 3: local1 (LocallyConnected)\n"
        "n_h[3] = ⌊(n_h[2] + 2p - f)/s + 1⌋ = ⌊(54 + 0 - 3)/2 + 1⌋ = 26\n"
        "n_w[3] = ⌊(n_w[2] + 2p - f)/s + 1⌋ = ⌊(54 + 0 - 5)/2 + 1⌋ = 25\n"
        "n_c[3] = 2\n"
        "learnable params l[3] = (f_h[3] x f_w[3] x n_c[2] + 1) x n_c[3] x n_h[3] x n_w[3]"
        " = (3 x 5 x 8 + 1) x 2 x 26 x 25 = 157300",
    ]


def test_shared_kernels_in_symbols() -> None:
    text = symbols(parse("conv 4 3 shared -> conv 4 3 no bias groups 2").bind((6, 9, 9)))
    assert "l[1] = (f[1] x f[1] + 1) x n_c[1] = (3 x 3 + 1) x 4 = 40" in text
    assert "l[2] = f[2] x f[2] x n_c[1]/2 x n_c[2] = 3 x 3 x 4/2 x 4 = 72" in text
