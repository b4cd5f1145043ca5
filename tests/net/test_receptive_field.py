"""Receptive fields of whole nets, against two oracles that share no code with them.

One goes backward through a program with sets of positions, by the definition of each kind; the
other is the gradient of a linearised net in PyTorch.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import prod
from typing import Any

import pytest
from support.nets import random_net

from foveal.errors import SpecError
from foveal.net.arithmetic import Row, arithmetic
from foveal.net.kind import Kind, Shape
from foveal.net.layers import (
    KINDS,
    Add,
    AvgPool,
    Concat,
    Conv,
    Dense,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool,
)
from foveal.net.notation import parse
from foveal.net.program import Program, Step

SEEDS = range(500)
WINDOWS: tuple[type[Kind], ...] = (Conv, MaxPool, AvgPool)
GLOBAL: tuple[type[Kind], ...] = (Flatten, Dense, GlobalAvgPool, GlobalMaxPool)
JOINS: tuple[type[Kind], ...] = (Add, Concat)


def of_axis(value: Any, axis: int) -> Any:
    return value[axis] if isinstance(value, tuple) else value


def taps(kind: Any, n: int, axis: int) -> tuple[list[int], int]:
    """Where the taps of the first window lie, and the stride, from the fields alone."""
    size = of_axis(kind.kernel_size, axis)
    dilation = of_axis(kind.dilation, axis) if isinstance(kind, Conv) else 1
    stride = size if kind.stride is None else of_axis(kind.stride, axis)
    span = dilation * (size - 1) + 1
    if kind.padding == "same":
        before = max(0, stride * ((n + stride - 1) // stride - 1) + span - n) // 2
    else:
        side = 0 if kind.padding == "valid" else of_axis(kind.padding, axis)
        before = side[0] if isinstance(side, tuple) else side
    return [tap * dilation - before for tap in range(size)], stride


class Oracle:
    """Which positions of its origin a position of a value reads; None for all of them."""

    def __init__(self, program: Program) -> None:
        self.makers: dict[int, Step] = {step.output: step for step in program.steps}
        self.known: dict[tuple[int, int, int], frozenset[int] | None] = {}

    def origin(self, value: int) -> set[int]:
        step = self.makers.get(value)
        if step is None or step.kind.geometric:
            return {value}
        return set().union(*(self.origin(source) for source in step.inputs))

    def reads(self, value: int, axis: int, place: int) -> frozenset[int] | None:
        key = (value, axis, place)
        if key not in self.known:
            self.known[key] = self.follow(self.makers.get(value), axis, place)
        return self.known[key]

    def follow(self, step: Step | None, axis: int, place: int) -> frozenset[int] | None:
        if step is None or step.kind.geometric:
            return frozenset([place])
        if isinstance(step.kind, GLOBAL):
            return None
        places = [place]
        if isinstance(step.kind, WINDOWS):
            first, stride = taps(step.kind, step.ins[0][1 + axis], axis)
            places = [place * stride + tap for tap in first]
        sources = step.inputs if isinstance(step.kind, JOINS) else step.inputs[:1]
        found = [self.reads(source, axis, p) for source in sources for p in places]
        return None if None in found else frozenset().union(*(f for f in found if f is not None))


def hull(read: frozenset[int]) -> int:
    return max(read) - min(read) + 1


def centre(read: frozenset[int]) -> Fraction:
    return Fraction(min(read) + max(read), 2)


@pytest.mark.parametrize("start", SEEDS[::50])
def test_every_step_of_random_nets_sees_what_the_definitions_say(start: int) -> None:
    for seed in range(start, start + 50):
        program = bound(seed)
        oracle = Oracle(program)
        for step, row in zip(program.steps, arithmetic(program).rows, strict=True):
            compare(row, step, oracle, len(program.input) - 1)


def compare(row: Row, step: Step, oracle: Oracle, axes: int) -> None:
    sets = [[oracle.reads(step.output, axis, place) for place in (0, 1, 7)] for axis in range(axes)]
    if any(read is None for along in sets for read in along):
        assert row.whole_picture
        assert row.receptive_field is row.jump is row.start is row.coverage is None
        return
    assert not row.whole_picture
    known = [[read for read in along if read is not None] for along in sets]
    if row.receptive_field is None:
        uneven = any(hull(along[0]) != hull(along[2]) for along in known)
        assert uneven or len(oracle.origin(step.output)) > 1
        return
    assert row.receptive_field == tuple(hull(along[0]) for along in known)
    assert row.jump == tuple(centre(along[1]) - centre(along[0]) for along in known)
    assert row.start == tuple(centre(along[0]) for along in known)
    assert row.coverage == tuple(Fraction(len(along[0]), hull(along[0])) for along in known)


def test_random_nets_reach_every_case() -> None:
    rows = [row for seed in SEEDS for row in arithmetic(bound(seed)).rows]
    assert {row.kind for row in rows} == {kind.__name__ for kind in KINDS}
    assert sum(row.whole_picture for row in rows) > 100
    assert sum(min(row.coverage or (1,)) < 1 for row in rows) > 100
    assert sum(bool(row.origin) for row in rows) > 100


@cache
def bound(seed: int) -> Program:
    net, shape = random_net(seed)
    return net.bind(shape)


def test_the_gradient_of_the_linearised_net_has_the_box_of_the_receptive_field() -> None:
    compared = 0
    for seed in SEEDS[:200]:
        program = enlarged(seed)
        if program is not None and prod(program.input) < 60_000:
            compared += gradient_agrees(program)
    assert compared >= 20


def enlarged(seed: int) -> Program | None:
    """A random net on a larger picture, where a field in the middle meets no border."""
    net, shape = random_net(seed)
    try:
        program = net.bind((shape[0], *(n + 24 for n in shape[1:])))
    except SpecError:
        return None
    plain = program.steps and not any(step.kind.geometric for step in program.steps)
    return program if plain else None


def gradient_agrees(program: Program) -> bool:
    """Compare one program; False if its field is the whole picture, or meets a border."""
    row, step = arithmetic(program).rows[-1], program.steps[-1]
    middle = [n // 2 for n in step.shape[1:]]
    if row.receptive_field is None or row.jump is None or row.start is None:
        return False
    boxes = []
    for axis, place in enumerate(middle):
        first = (
            row.start[axis] + place * row.jump[axis] - Fraction(row.receptive_field[axis] - 1, 2)
        )
        last = first + row.receptive_field[axis] - 1
        if first < 0 or last >= program.input[1 + axis]:
            return False
        boxes.append((first, last))
    assert gradient_box(program, middle) == boxes
    return True


def gradient_box(program: Program, place: list[int]) -> list[tuple[int, int]]:
    """First and last input position along each axis whose change moves one output position."""
    import torch

    values = {0: torch.zeros(1, *program.input, dtype=torch.float64, requires_grad=True)}
    for step in program.steps:
        values[step.output] = linearised(step, [values[number] for number in step.inputs])
    values[program.steps[-1].output][(0, slice(None), *place)].sum().backward()
    moved = values[0].grad
    assert moved is not None
    seen = moved[0].sum(0).nonzero()
    return [(int(along.min()), int(along.max())) for along in seen.T]


def linearised(step: Step, arrives: list[Any]) -> Any:
    """A step with weights 1, the mean instead of the largest, the identity instead of a curve."""
    import torch
    from torch.nn import functional

    kind = step.kind
    if isinstance(kind, Add):
        return sum(arrives)
    if isinstance(kind, Concat):
        return torch.cat(arrives, 1)
    if not isinstance(kind, WINDOWS):
        return arrives[0]
    axes = len(step.shape) - 1
    sides = [side for pair in reversed(step.pads) for side in pair]
    padded = functional.pad(arrives[0], sides)
    groups = kind.groups if isinstance(kind, Conv) else step.shape[0]
    sizes = tuple(of_axis(kind.kernel_size, axis) for axis in range(axes))  # type: ignore[attr-defined]
    weight = torch.ones(step.shape[0], step.ins[0][0] // groups, *sizes, dtype=torch.float64)
    slide = (functional.conv1d, functional.conv2d, functional.conv3d)[axes - 1]
    stride = getattr(kind, "stride", None) or sizes
    dilation = kind.dilation if isinstance(kind, Conv) else 1
    return slide(padded, weight, stride=stride, dilation=dilation, groups=groups)


FIELDS: list[tuple[str, Shape, Shape]] = [
    ("conv 10 3", (3, 39, 39), (3, 3)),
    ("conv 10 3 -> conv 20 5 stride 2", (3, 39, 39), (7, 7)),
    ("conv 10 3 -> conv 20 5 stride 2 -> conv 40 5 stride 2", (3, 39, 39), (15, 15)),
    ("conv 8 1x5", (1, 20, 20), (1, 5)),
    ("add( identity | conv 1 7 same )", (1, 20, 20), (7, 7)),
    ("conv 4 3 -> relu -> batchnorm -> dropout", (1, 20, 20), (3, 3)),
    ("conv 4 5 -> resize 9 -> crop 7 -> conv 4 3", (1, 20, 20), (3, 3)),
]


@pytest.mark.parametrize(("text", "shape", "field"), FIELDS)
def test_known_fields(text: str, shape: Shape, field: Shape) -> None:
    assert arithmetic(parse(text).bind(shape)).rows[-1].receptive_field == field


@pytest.mark.parametrize("last", ["flatten", "globalavgpool", "globalmaxpool keep"])
def test_what_comes_after_a_global_step_sees_the_whole_picture(last: str) -> None:
    rows = arithmetic(parse(f"conv 4 3 -> {last} -> relu").bind((1, 8, 8))).rows
    assert [row.whole_picture for row in rows] == [False, True, True]


def test_one_branch_that_sees_everything_is_enough() -> None:
    row = arithmetic(parse("concat( conv 4 8 | globalavgpool keep )").bind((1, 8, 8))).rows[-1]
    assert row.whole_picture


def test_features_that_never_were_a_picture_have_no_field() -> None:
    row = arithmetic(parse("dense 10").bind((784,))).rows[0]
    assert (row.receptive_field, row.whole_picture) == ((), False)


def test_branches_with_different_jumps_have_no_one_field_and_say_so() -> None:
    net = parse("add( conv 4 3 stride 2 | maxpool 7 stride 1 -> conv 4 1 ) -> relu")
    rows = arithmetic(net.bind((4, 11, 11))).rows
    assert rows[-1].receptive_field is rows[-2].receptive_field is None
    assert not rows[-1].whole_picture
    assert [row.note for row in rows[-2:]] == [
        "from here on the receptive field has no one size: its branches have different jumps",
        "",
    ]


def test_branches_that_see_different_pictures_say_so() -> None:
    net = parse("add( conv 4 3 | maxpool 3 stride 1 -> crop 8 )")
    rows = arithmetic(net.bind((4, 10, 10))).rows
    assert rows[-1].note == (
        "from here on the receptive field has no one size: "
        "its branches see pictures of different size"
    )


def test_a_field_too_wide_to_be_followed_says_so() -> None:
    rows = arithmetic(parse("[conv 1 3 stride 2 same]*22").bind((1, 8))).rows
    assert rows[-1].receptive_field is None
    assert not rows[-1].whole_picture
    notes = [row.note for row in rows if row.note]
    assert notes[-1] == (
        "from here on the receptive field has no one size: it is too wide to be followed"
    )


def test_dilation_leaves_holes_and_says_so() -> None:
    row = arithmetic(parse("conv 1 3 dilation 2").bind((1, 9, 9))).rows[0]
    assert row.coverage == (Fraction(3, 5), Fraction(3, 5))
    assert row.note == "reads 60% of its receptive field along each axis"
