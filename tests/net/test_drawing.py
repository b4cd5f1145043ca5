"""The drawing of a net: what it says, and that nothing of it lies on anything else."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from support.nets import random_net

from foveal.cli import main
from foveal.errors import ShapeError
from foveal.net import Net
from foveal.net.drawing import draw
from foveal.net.drawing.parts import text_width
from foveal.net.drawing.words import FAMILIES, LONGEST, short
from foveal.net.kind import Kind, Shape
from foveal.net.layers import KINDS, Conv, GroupNorm, MaxPool
from foveal.net.notation import parse
from foveal.zoo import ENTRIES

SVG = "{http://www.w3.org/2000/svg}"
UNET = """
e1: [conv 16 3 same -> relu -> conv 16 3 same -> relu]
maxpool 2
conv 32 3 same -> relu -> conv 32 3 same -> relu
concat( @e1 | upsample 2 -> conv 16 1 )
conv 16 3 same -> relu -> conv 2 1
"""
PYRAMID = """
c3: conv 32 3 same relu
maxpool 2
c4: conv 64 3 same relu
p4: [@c4 -> conv 8 1]
p3: add( @c3 -> conv 8 1 | @p4 -> upsample 2 )
outputs( l3: [@p3 -> conv 8 3 same] | l4: [@p4 -> conv 8 3 same] )
head: each( outputs(
    classes: [[conv 8 3 same -> relu]*2 -> conv 20 3 same] | boxes: [relu -> conv 4 3]
) )
"""
Place = tuple[float, float, float, float]


def zoo_net(name: str) -> tuple[Net, Shape]:
    entry = ENTRIES[name]
    return entry.build(entry.input, entry.num_classes), entry.input


def boxes(drawn: Element) -> list[Element]:
    return [group for group in drawn.iter(f"{SVG}g") if group.find(f"{SVG}rect") is not None]


def place(rectangle: Element) -> Place:
    x, y, width, height = (float(rectangle.get(key, 0)) for key in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def apart(a: Place, b: Place) -> bool:
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def within(inner: Place, outer: Place) -> bool:
    return all(a >= b for a, b in zip(inner[:2], outer[:2], strict=True)) and all(
        a <= b for a, b in zip(inner[2:], outer[2:], strict=True)
    )


def texts(drawn: Element) -> list[str]:
    """What is written in the drawing; not what it says where a pointer rests."""
    return ["".join(text.itertext()) for text in drawn.iter(f"{SVG}text")]


def titles(drawn: Element) -> str:
    return "\n".join(title.text or "" for title in drawn.iter(f"{SVG}title"))


def extent(text: Element) -> Place:
    """Where a text lies at most, from its base line to its end."""
    x, y = float(text.get("x", 0)), float(text.get("y", 0))
    width = text_width("".join(text.itertext()), bold=text.get("font-weight") == "bold")
    return x, y, x + width, y


def check_geometry(drawn: Element) -> None:
    """Boxes apart from one another; frames apart or one within the other; all on the sheet."""
    sheet, *frames = [place(one) for one in drawn.findall(f"{SVG}rect")]
    cards = [place(box[1]) for box in boxes(drawn)]
    assert all(within(one, sheet) for one in (*frames, *cards))
    assert all(apart(a, b) for a, b in combinations(cards, 2))
    for frame in frames:
        assert all(apart(frame, card) or within(card, frame) for card in cards)
        assert all(apart(frame, o) or within(frame, o) or within(o, frame) for o in frames)
    for text in drawn.findall(f"{SVG}text")[:-2]:
        around = [frame for frame in frames if within(extent(text)[:2] * 2, frame)]
        assert within(extent(text), max(around))
    for box in boxes(drawn):
        assert all(within(extent(text), place(box[1])) for text in box.findall(f"{SVG}text"))
    points = " ".join(line.get("points", "") for line in drawn.iter(f"{SVG}polyline"))
    for x, y in re.findall(r"(\S+),(\S+)", points):
        assert within((float(x), float(y), float(x), float(y)), sheet)


def check_steps(drawn: Element, net: Net, input: Shape) -> None:
    """Every step is told with its path, but further turns of what is drawn once."""
    said = titles(drawn)
    told = {line.partition(":")[0] for line in said.splitlines()}
    for step in net.bind(input).steps:
        assert step.path in told or f": {step.kind.word}" in said


@pytest.mark.parametrize("name", ENTRIES)
def test_every_net_of_the_zoo_is_drawn(name: str) -> None:
    net, input = zoo_net(name)
    drawn = ElementTree.fromstring(draw(net, input, name))
    check_geometry(drawn)
    check_steps(drawn, net, input)
    assert f"{ENTRIES[name].parameters:,} parameters" in texts(drawn)[-2]


@pytest.mark.parametrize("seed", range(100))
def test_random_nets_are_drawn(seed: int) -> None:
    net, input = random_net(seed)
    text = draw(net, input)
    assert text == draw(net, input)
    drawn = ElementTree.fromstring(text)
    check_geometry(drawn)
    check_steps(drawn, net, input)


@pytest.mark.parametrize("seed", range(0, 100, 7))
def test_names_that_say_no_more_than_the_kind_change_no_drawing(seed: int) -> None:
    net, input = random_net(seed)
    drawn, named = (ElementTree.fromstring(draw(one, input)) for one in (net, net.with_names()))
    assert texts(drawn) == texts(named)


def said(net: str, input: Shape) -> list[str]:
    """The texts between heading and legend."""
    drawn = ElementTree.fromstring(draw(parse(net), input))
    check_geometry(drawn)
    return [text for text in texts(drawn) if not text.startswith(("A convolutional", "In a box"))]


def test_what_follows_a_layer_stands_in_its_box() -> None:
    net = (
        "conv 64 7 stride 2 padding 3 no bias -> batchnorm -> relu -> maxpool 3 stride 2 padding 1"
    )
    assert said(net, (3, 224, 224)) == [
        *("input", "3x224x224"),
        *("conv 64 7x7 stride 2", "batchnorm · relu", "64x112x112 · 9,536"),
        *("maxpool 3x3 stride 2", "64x56x56"),
    ]


def test_an_activation_alone_has_a_box() -> None:
    assert said("relu -> conv 2 1", (1, 4, 4))[2:] == ["relu", "1x4x4", "conv 2 1x1", "2x4x4 · 4"]


def test_what_is_repeated_is_drawn_once_with_its_first_and_last_turn() -> None:
    net = "block: [concat( identity | batchnorm -> conv 4 3 same no bias )]*3"
    assert said(net, (8, 6, 6)) == [
        *("block ×3", "1,368 parameters", "input", "8x6x6", "identity"),
        *("batchnorm", "8…16x6x6 · 16 … 32", "conv 4 3x3", "4x6x6 · 288 … 576"),
        *("concat", "12…20x6x6"),
    ]


def test_a_repeat_of_one_turn_is_no_frame_and_one_of_none_is_nothing() -> None:
    assert said("[conv 2 1]*1 -> [conv 2 1]*0", (1, 4, 4))[2:] == ["conv 2 1x1", "2x4x4 · 4"]


def test_equal_groups_in_a_row_are_drawn_once() -> None:
    block = "add( identity | conv 2 3 same )"
    printed = said(f"{block} -> {block} -> b: {block} -> c: {block}", (2, 4, 4))
    assert printed.count("add") == 2
    assert [text for text in printed if "×" in text] == ["×2", "b, c ×2"]
    assert printed.count("76 parameters") == 2


def test_a_group_that_is_referred_to_is_drawn_alone() -> None:
    printed = said(
        "a: [conv 2 1 -> conv 2 1] -> b: [conv 2 1 -> conv 2 1] -> add( @a | @b )", (2, 4, 4)
    )
    assert not any("×" in text for text in printed)


def test_what_is_referred_to_ends_its_box() -> None:
    printed = said("conv 2 1 -> r: relu -> tanh -> add( @r | identity )", (2, 4, 4))
    assert printed[2:7] == ["conv 2 1x1", "2x4x4 · 6", "r: relu", "2x4x4", "tanh"]
    printed = said("conv 2 1 -> relu -> tanh -> add( @relu1 | identity )", (2, 4, 4))
    assert printed[2:7] == ["conv 2 1x1", "relu", "2x4x4 · 6", "tanh", "2x4x4"]


def test_a_reference_is_a_dashed_line_to_a_box_of_its_name() -> None:
    text = draw(parse(UNET), (3, 32, 32))
    drawn = ElementTree.fromstring(text)
    check_geometry(drawn)
    assert "@e1" in texts(drawn)
    assert len([p for p in drawn.iter(f"{SVG}path") if p.get("stroke-dasharray")]) == 1
    assert "Dashed: a value, or weights, from elsewhere." in texts(drawn)[-1]


def test_results_and_shared_heads_are_named() -> None:
    printed = said(PYRAMID, (3, 16, 16))
    assert {"@c3", "@p4", "l3", "l4", "head: each", "of l3, l4", "classes", "boxes"} <= {*printed}
    assert "20x16x16 … 20x8x8 · 1,460" in printed


def test_weights_used_again_are_told_in_full() -> None:
    drawn = ElementTree.fromstring(draw(parse("c: conv 2 3 same -> again c"), (2, 4, 4)))
    assert {"c: conv 2 3x3", "again c"} <= {*texts(drawn)}
    assert "again1: conv 2 3 same, 2x4x4 -> 2x4x4" in titles(drawn)


def test_of_many_branches_some_are_told_only() -> None:
    parts = " | ".join(f"take {number} -> conv 1 1" for number in range(9))
    net = f"concat( {parts} )"
    printed = said(net, (9, 4, 4))
    assert printed.count("conv 1 1x1") == 5
    assert {"take 0", "take 3", "4 more", "take 8"} <= {*printed}
    assert "take 4" not in printed
    assert "take 4" in titles(ElementTree.fromstring(draw(parse(net), (9, 4, 4))))


def test_where_a_pointer_rests_a_step_is_told_in_full() -> None:
    told = titles(ElementTree.fromstring(draw(parse("conv 6 5 no bias"), (3, 32, 32))))
    assert told.splitlines()[-1] == (
        "conv1: conv 6 5 no bias, 3x32x32 -> 6x28x28, 450 parameters, 352,800 MACs,"
        " receptive field 5x5"
    )


def test_a_screen_reader_is_told_the_figures_and_the_net() -> None:
    drawn = ElementTree.fromstring(draw(parse("conv 6 5"), (3, 32, 32), "small"))
    assert drawn.get("role") == "img"
    assert drawn.findtext(f"{SVG}title") == "small"
    assert drawn.findtext(f"{SVG}desc") == (
        "456 parameters · 352,800 MACs. In the notation:\nconv 6 5"
    )


def test_names_are_written_as_they_are() -> None:
    text = draw(parse("conv 6 5"), (3, 32, 32), '<b> & "c"')
    assert ElementTree.fromstring(text).findtext(f"{SVG}title") == '<b> & "c"'


def test_it_fetches_and_runs_nothing() -> None:
    text = draw(*zoo_net("resnet18"))
    assert not re.search(r"<script|<style|<image|href|url\(|\bon\w+=", text)


def test_the_input_may_be_all_there_is() -> None:
    assert said("[conv 2 1]*0", (1, 4, 4)) == ["input", "1x4x4"]


def test_what_does_not_fit_is_refused_as_everywhere() -> None:
    with pytest.raises(ShapeError, match="kernel"):
        draw(parse("conv 6 5"), (3, 4, 4))


@pytest.mark.parametrize(
    ("kind", "axes", "text"),
    [
        (Conv(8, (1, 7), padding=(0, 3)), 2, "conv 8 1x7"),
        (Conv(8, 3, dilation=2, groups=4), 2, "conv 8 3x3 dilation 2 groups 4"),
        (Conv(8, 3), 1, "conv 8 3"),
        (Conv(8, 3), 3, "conv 8 3x3x3"),
        (MaxPool(2, ceil=True), 2, "maxpool 2x2"),
        (GroupNorm(4, eps=1e-3), 2, "groupnorm 4"),
    ],
)
def test_a_box_says_the_layer_in_short(kind: Kind, axes: int, text: str) -> None:
    assert short(kind, axes) == text


def test_long_lines_are_cut() -> None:
    numbers = ",".join(map(str, range(40)))
    printed = said(f"take {numbers}", (40, 4, 4))
    assert max(map(len, printed)) == LONGEST
    assert "take 0,1,2,3,4,5,6,7,8,9,10,11,12,1…" in printed


def test_every_family_of_kinds_has_a_colour() -> None:
    assert set(FAMILIES) == {kind.__module__.rpartition(".")[2] for kind in KINDS}


def test_the_command_draws_what_a_net_draws_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net, input = zoo_net("lenet5")
    assert main(["show", "lenet5", "--as", "svg"]) == 0
    assert capsys.readouterr().out == net.draw(input, "lenet5") == draw(net, input, "lenet5")
    path = tmp_path / "small.svg"
    for _ in range(2):
        assert main(["show", "conv 6 5", "--input", "3x32x32", "--as", "svg", "-o", str(path)]) == 0
    assert path.read_text(encoding="utf-8") == draw(parse("conv 6 5"), (3, 32, 32))


def test_nesting_as_deep_as_may_be_is_drawn() -> None:
    net = "[" * 60 + "conv 1 1" + "]*2" * 6 + "]*1" * 54
    drawn = ElementTree.fromstring(draw(parse(net), (1, 4, 4)))
    check_geometry(drawn)
    assert texts(drawn).count("×2") == 6
