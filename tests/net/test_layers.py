"""What each layer kind says of itself for what arrives, and what it says where it does not fit."""

from __future__ import annotations

import pytest
from support.kinds import ALL_EXAMPLES, EXAMPLES, WORK
from support.kinds.drawing import Example, Work

from foveal.errors import ShapeError
from foveal.net.kind import Kind, Shape
from foveal.net.layers import (
    KINDS,
    Conv,
    Crop,
    Dense,
    Dropout,
    DropPath,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    Input,
    MaxPool,
    ReLU,
    Resize,
)
from foveal.net.notation import parse
from foveal.net.reach import POINT, window

LARGE: list[Example] = [
    (Resize(256), ((3, 300, 400),), (3, 256, 341)),
    (Resize(256), ((3, 400, 300),), (3, 341, 256)),
    (Resize((20, 30)), ((3, 9, 7),), (3, 20, 30)),
]
"""Too large to be computed wherever an example is."""


@pytest.mark.parametrize(("kind", "ins", "shape"), [*ALL_EXAMPLES, *LARGE], ids=str)
def test_output_shape(kind: Kind, ins: tuple[Shape, ...], shape: Shape) -> None:
    assert kind.output(ins) == shape


def test_every_kind_has_examples_of_its_own() -> None:
    assert set(EXAMPLES) == set(KINDS)
    assert all(made for made in EXAMPLES.values())
    assert all(type(row[0]) is kind for kind, made in EXAMPLES.items() for row in made)


@pytest.mark.parametrize("work", WORK, ids=lambda work: str(work[0]))
def test_tensors_and_macs(work: Work) -> None:
    kind, ins, tensors, macs = work
    assert list(kind.tensors(ins)) == tensors
    assert kind.macs(ins) == macs


def test_all_other_kinds_own_no_tensors_and_multiply_with_none() -> None:
    workers = {type(kind) for kind, *_ in WORK}
    for kind, ins, _ in ALL_EXAMPLES:
        assert type(kind) in workers or not (kind.tensors(ins) or kind.macs(ins)), kind


def test_macs_are_multiplications_with_weights() -> None:
    assert Conv(8, 3, groups=2).macs(((4, 9, 7),)) == 8 * 7 * 5 * 2 * 9
    assert Dense(10).macs(((5,),)) == 50
    assert MaxPool(2).macs(((4, 9, 7),)) == 0


def test_pads_are_resolved_for_what_arrives() -> None:
    assert Conv(8, 4, padding="same").pads(((1, 9, 7),)) == ((1, 2), (1, 2))
    assert Conv(8, 4, stride=4, padding="same").pads(((1, 9, 8),)) == ((1, 2), (0, 0))
    assert Conv(8, 3, padding=(1, (0, 2))).pads(((1, 9, 7),)) == ((1, 1), (0, 2))
    assert MaxPool(3, padding=1).pads(((1, 9, 7),)) == ((1, 1), (1, 1))
    assert ReLU().pads(((1, 9, 7),)) == ()


def test_reach_of_windows_points_and_global_kinds() -> None:
    assert Conv(8, 3, stride=2, padding=1, dilation=2).reach(((1, 9, 7),), 0) == window(3, 2, 2, 1)
    assert MaxPool((2, 3)).reach(((1, 9, 7),), 1) == window(3, 3, 1, 0)
    assert ReLU().reach(((1, 9, 7),), 1) is POINT
    for kind in (Flatten(), Dense(3), GlobalAvgPool(), GlobalMaxPool()):
        assert kind.reach(((1, 9, 7),), 0) is None


def test_what_holds_only_in_training_or_cuts_the_picture_says_so() -> None:
    kinds = [kind for kind, _, _ in ALL_EXAMPLES]
    assert {type(kind) for kind in kinds if kind.training_only} == {Dropout, DropPath}
    assert {type(kind) for kind in kinds if kind.geometric} == {Input, Resize, Crop}


FIX = "padding same, a smaller kernel, or one pooling layer fewer"
BEFORE_FLATTEN = "put it before flatten and global pooling; a picture is 1x28x28, not 784"
ERRORS: list[tuple[str, Shape, str]] = [
    (
        "conv 6 5",
        (3, 4, 4),
        "layer 1 'conv1' (Conv): kernel 5x5 does not fit into 4x4\n"
        f"  arrives:  3x4x4 from the input\n  fix:      {FIX}",
    ),
    (
        "conv 6 5x3",
        (3, 4, 4),
        "layer 1 'conv1' (Conv): kernel 5x3 does not fit into 4x4\n"
        f"  arrives:  3x4x4 from the input\n  fix:      {FIX}",
    ),
    (
        "conv 6 5 dilation 2",
        (3, 8),
        "layer 1 'conv1' (Conv): kernel 5 (dilated over 9) does not fit into 8\n"
        "  arrives:  3x8 from the input\n"
        "  fix:      padding same, a smaller kernel or dilation, or one pooling layer fewer",
    ),
    (
        "conv 6 9 padding 1",
        (3, 4, 4),
        "layer 1 'conv1' (Conv): kernel 9x9 does not fit into 6x6 (4x4 and its padding)\n"
        f"  arrives:  3x4x4 from the input\n  fix:      {FIX}",
    ),
    (
        "relu -> maxpool 5",
        (3, 4, 4),
        "layer 2 'maxpool1' (MaxPool): kernel 5x5 does not fit into 4x4\n"
        f"  arrives:  3x4x4 from layer 1 'relu1'\n  fix:      {FIX}",
    ),
    (
        "conv 6 3x3x3",
        (3, 8, 8),
        "layer 1 'conv1' (Conv): kernel_size gives 3 sizes, but 2 spatial axes arrive\n"
        "  fix:      give kernel_size as one number, or 2 joined by x",
    ),
    (
        "conv 6 3 padding 1:2",
        (3, 8, 8),
        "layer 1 'conv1' (Conv): padding gives 1 size, but 2 spatial axes arrive\n"
        "  fix:      give padding as one number, or 2 joined by x",
    ),
    (
        "avgpool 2 stride 1x2",
        (3, 8),
        "layer 1 'avgpool1' (AvgPool): stride gives 2 sizes, but 1 spatial axis arrives\n"
        "  fix:      give stride as one number",
    ),
    (
        "conv 6 3 dilation 1x1x1",
        (3, 8, 8),
        "layer 1 'conv1' (Conv): dilation gives 3 sizes, but 2 spatial axes arrive\n"
        "  fix:      give dilation as one number, or 2 joined by x",
    ),
    (
        "conv 6 3",
        (784,),
        "layer 1 'conv1' (Conv): conv reads a picture, but flat features arrive\n"
        f"  arrives:  784 from the input\n  fix:      {BEFORE_FLATTEN}",
    ),
    (
        "globalavgpool",
        (784,),
        "layer 1 'globalavgpool1' (GlobalAvgPool): "
        "globalavgpool reads a picture, but flat features arrive\n"
        f"  arrives:  784 from the input\n  fix:      {BEFORE_FLATTEN}",
    ),
    (
        "conv 6 3 groups 2",
        (3, 8, 8),
        "layer 1 'conv1' (Conv): groups 2 does not divide the 3 channels that arrive\n"
        "  arrives:  3x8x8 from the input\n  fix:      groups that divide both 3 and 6",
    ),
    (
        "conv 5 3 groups 2",
        (4, 8, 8),
        "layer 1 'conv1' (Conv): groups 2 does not divide the 5 filters\n"
        "  arrives:  4x8x8 from the input\n  fix:      groups that divide both 4 and 5",
    ),
    (
        "maxpool 2 padding 2",
        (3, 8, 8),
        "layer 1 'maxpool1' (MaxPool): a window of 2 would lie wholly in padding 2:2\n"
        "  arrives:  3x8x8 from the input\n  fix:      padding below 2",
    ),
    (
        "avgpool 3 padding 0:5",
        (3, 9),
        "layer 1 'avgpool1' (AvgPool): a window of 3 would lie wholly in padding 0:5\n"
        "  arrives:  3x9 from the input\n  fix:      padding below 3",
    ),
    (
        "dense 3",
        (3, 8, 8),
        "layer 1 'dense1' (Dense): dense reads flat features, but a picture arrives\n"
        "  arrives:  3x8x8 from the input\n  fix:      put flatten or globalavgpool before it",
    ),
    (
        "crop 9",
        (3, 8, 10),
        "layer 1 'crop1' (Crop): crop 9x9 is larger than the picture 8x10\n"
        "  arrives:  3x8x10 from the input\n  fix:      resize before it, or crop less",
    ),
    (
        "crop 3x3x3",
        (3, 8, 8),
        "layer 1 'crop1' (Crop): size gives 3 sizes, but 2 spatial axes arrive\n"
        "  fix:      give size as one number, or 2 joined by x",
    ),
    (
        "resize 9",
        (784,),
        "layer 1 'resize1' (Resize): resize reads a picture, but flat features arrive\n"
        f"  arrives:  784 from the input\n  fix:      {BEFORE_FLATTEN}",
    ),
    (
        "normalise mean 1,2",
        (3, 8, 8),
        "layer 1 'normalise1' (Normalise): mean has 2 numbers for 3 channels\n"
        "  arrives:  3x8x8 from the input\n  fix:      give one number, or 3",
    ),
    (
        "normalise std 1,2",
        (3, 8, 8),
        "layer 1 'normalise1' (Normalise): std has 2 numbers for 3 channels\n"
        "  arrives:  3x8x8 from the input\n  fix:      give one number, or 3",
    ),
    (
        "expect 3x8x8",
        (3, 9, 9),
        "layer 1 'expect1' (Expect): something else arrives than the net expects\n"
        "  arrives:  3x9x9 from the input\n  expected: 3x8x8\n"
        "  fix:      change the input or the layers before, or take expect out",
    ),
    (
        "add( conv 3 3 | identity )",
        (3, 8, 8),
        "layer 3 'add1' (Add): branches of different shape cannot be added\n"
        "  arrives:  3x6x6 | 3x8x8\n"
        "  fix:      give all branches the same channels, stride and padding;\n"
        "            instead of identity, which keeps them: conv CHANNELS 1 stride S",
    ),
    (
        "concat( conv 3 3 | identity )",
        (3, 8, 8),
        "layer 3 'concat1' (Concat): branches of different size cannot be concatenated\n"
        "  arrives:  3x6x6 | 3x8x8\n  fix:      give all branches the same stride and padding",
    ),
]


@pytest.mark.parametrize(("text", "shape", "sentence"), ERRORS)
def test_what_does_not_fit_is_said_in_full(text: str, shape: Shape, sentence: str) -> None:
    with pytest.raises(ShapeError) as caught:
        parse(text).bind(shape)
    assert str(caught.value) == sentence
