"""Receptive fields of whole nets, against two oracles that share no code with them.

One goes backward through a program with sets of positions, by the definition of each kind; the
other is the gradient of a linearised net in PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from math import floor, lcm, prod
from typing import Any, cast

import pytest
from support.nets import random_net

from foveal.errors import SpecError
from foveal.net.arithmetic import Row, arithmetic
from foveal.net.kind import Kind, Shape
from foveal.net.layers import (
    KINDS,
    RBF,
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    Add,
    AvgPool,
    Combine,
    Concat,
    Conv,
    ConvTranspose,
    Crop,
    Dense,
    Depthwise,
    Embed,
    Flatten,
    GlobalAvgPool,
    GlobalLpPool,
    GlobalMaxPool,
    GlobalMinPool,
    GlobalSumPool,
    Input,
    LocallyConnected,
    LpPool,
    Maxout,
    MaxPool,
    MaxUnpool,
    MinPool,
    Multiply,
    Pad,
    Reshape,
    Resize,
    StochasticPool,
    SumPool,
    Take,
    Upsample,
)
from foveal.net.notation import parse
from foveal.net.program import Program, Step
from foveal.net.sight import sights

SEEDS = range(500)
Reads = list[tuple[int, list[int]]] | None
"""Which positions of which of a step's values are read; None for all there are."""


def of_axis(value: Any, axis: int) -> Any:
    return value[axis] if isinstance(value, tuple) else value


def taps(kind: Any, n: int, axis: int) -> tuple[list[int], int]:
    """Where the taps of the first window lie, and the stride, from the fields alone."""
    size = of_axis(kind.kernel_size, axis)
    dilation = of_axis(getattr(kind, "dilation", 1), axis)
    stride = size if kind.stride is None else of_axis(kind.stride, axis)
    span = dilation * (size - 1) + 1
    total = max(0, stride * ((n + stride - 1) // stride - 1) + span - n)
    words = {
        "valid": 0,
        "same": total // 2,
        "same_lower": (total + 1) // 2,
        "preserve": (n * (stride - 1) + span - stride) // 2,
        "causal": span - 1,
    }
    if isinstance(kind.padding, str):
        before = words[kind.padding]
    else:
        side = of_axis(kind.padding, axis)
        before = side[0] if isinstance(side, tuple) else side
    return [tap * dilation - before for tap in range(size)], stride


def window(step: Step, axis: int, place: int) -> Reads:
    first, stride = taps(step.kind, step.ins[0][1 + axis], axis)
    return [(0, [place * stride + tap for tap in first])]


def transposed(step: Step, axis: int, place: int) -> Reads:
    """All i with place = i * stride + tap * dilation - before."""
    kind: Any = step.kind
    stride, dilation = of_axis(kind.stride, axis), of_axis(kind.dilation, axis)
    size, before = of_axis(kind.kernel_size, axis), step.pads[axis][0]
    ways = [place + before - tap * dilation for tap in range(size)]
    return [(0, [way // stride for way in ways if way % stride == 0])]


def crop(step: Step, axis: int, place: int) -> Reads:
    return [(0, [place + (step.ins[0][1 + axis] - step.shape[1 + axis]) // 2])]


def share(step: Step, axis: int, place: int) -> Reads:
    """Of n positions the place-th of m shares, which may overlap."""
    n, m = step.ins[0][1 + axis], step.shape[1 + axis]
    return [(0, list(range(place * n // m, ((place + 1) * n - 1) // m + 1)))]


def enlarged_by(step: Step, axis: int, place: int) -> Reads:
    """The position that is repeated, or all that are less than one position away."""
    kind = cast(Upsample, step.kind)
    n, m = step.ins[0][1 + axis], step.shape[1 + axis]
    if kind.mode == "nearest":
        return [(0, [place * n // m])]
    if not kind.align_corners:
        at = (place + Fraction(1, 2)) * n / m - Fraction(1, 2)
    elif n == 1:
        return [(0, [place // m])]
    else:
        at = Fraction(place * (n - 1), m - 1)
    return [(0, [i for i in range(floor(at), floor(at) + 2) if abs(at - i) < 1])]


def everything(step: Step, axis: int, place: int) -> Reads:
    return None


def join(step: Step, axis: int, place: int) -> Reads:
    return [(number, [place]) for number in range(len(step.inputs))]


def bordered(step: Step, axis: int, place: int) -> Reads:
    side = of_axis(cast(Pad, step.kind).padding, axis)
    return [(0, [place - of_axis(side, 0)])]


def product(step: Step, axis: int, place: int) -> Reads:
    """Of the branches that have as many positions as all together."""
    most = [max(sizes) for sizes in zip(*(shape[1:] for shape in step.ins), strict=True)]
    return [(number, [place]) for number, shape in enumerate(step.ins) if [*shape[1:]] == most]


POOLS: tuple[type[Kind], ...] = (MaxPool, MinPool, AvgPool, SumPool, LpPool, StochasticPool)
WINDOWS: tuple[type[Kind], ...] = (Conv, Depthwise, LocallyConnected, *POOLS)
GLOBAL: tuple[type[Kind], ...] = (
    Flatten,
    Dense,
    GlobalAvgPool,
    GlobalLpPool,
    GlobalMaxPool,
    GlobalMinPool,
    GlobalSumPool,
)
RULES: dict[type[Kind], Callable[[Step, int, int], Reads]] = {
    **dict.fromkeys(WINDOWS, window),
    **dict.fromkeys(GLOBAL, everything),
    **dict.fromkeys((Add, Concat), join),
    ConvTranspose: transposed,
    **dict.fromkeys((Reshape, RBF), everything),
    **dict.fromkeys((AdaptiveAvgPool, AdaptiveMaxPool), share),
    Upsample: enlarged_by,
    Crop: crop,
    Pad: bordered,
    Multiply: product,
}
"""What a position of each kind reads, by its definition; kinds that are not here read their own."""
PERIODIC = (transposed, share, enlarged_by)
"""Rules under which neighbouring positions read differently, again and again."""
LONGEST_PERIOD = 500
"""Of all axes together; a few nets that enlarge maps again and again have a longer one."""
PERIOD = 36
"""Positions after which they do so again, for strides 1 to 3 one after another."""


class Oracle:
    """Which positions of its origin a position of a value reads; None for all of them."""

    def __init__(self, program: Program) -> None:
        self.makers: dict[int, Step] = {step.output: step for step in program.steps}
        self.known: dict[tuple[int, int, int], frozenset[int] | None] = {}

    def begins(self, value: int) -> bool:
        """Whether positions are counted anew from a value."""
        step = self.makers.get(value)
        if step is None or isinstance(step.kind, Input | Resize):
            return True
        if isinstance(step.kind, Crop):
            return self.begins(step.inputs[0])
        # Flat features that are laid out as a picture, before anything mixed them.
        (first, *_), made = step.ins, step.shape
        return len(first) == 1 < len(made) and not self.mixed(step.inputs[0])

    def mixed(self, value: int) -> bool:
        step = self.makers.get(value)
        if step is None:
            return False
        return RULES.get(type(step.kind)) is everything or any(map(self.mixed, step.inputs))

    def enlarges(self, value: int) -> bool:
        """Whether positions before a value are read by turns, so that one does not tell of all."""
        return self.anywhere(value, lambda step: RULES.get(type(step.kind)) in PERIODIC)

    def is_lost(self, value: int) -> bool:
        """Whether what is read depends on the picture."""
        if self.begins(value):
            return False
        step = self.makers[value]
        return isinstance(step.kind, MaxUnpool) or any(map(self.is_lost, step.inputs))

    def gaps(self, value: int) -> bool:
        """Whether some positions on the way read nothing, or not as many as others."""
        return self.anywhere(value, self.leaves_gaps)

    def leaves_gaps(self, step: Step) -> bool:
        return any(
            RULES.get(type(step.kind)) is transposed
            and not all(read for _, read in transposed(step, axis, place) or ())
            for axis in range(len(step.shape) - 1)
            for place in range(PERIOD)
        )

    def anywhere(self, value: int, holds: Callable[[Step], bool]) -> bool:
        step = self.makers.get(value)
        return step is not None and (
            holds(step) or any(self.anywhere(v, holds) for v in step.inputs)
        )

    def origin(self, value: int) -> set[int]:
        if self.begins(value):
            return {value}
        return set().union(*(self.origin(source) for source in self.makers[value].inputs))

    def reads(self, value: int, axis: int, place: int) -> frozenset[int] | None:
        key = (value, axis, place)
        if key not in self.known:
            begins = self.begins(value)
            self.known[key] = frozenset([place]) if begins else self.follow(value, axis, place)
        return self.known[key]

    def follow(self, value: int, axis: int, place: int) -> frozenset[int] | None:
        step = self.makers[value]
        if len(step.ins[0]) <= 1 + axis:  # what was laid out with fewer axes has been mixed
            return None
        read = RULES.get(type(step.kind), lambda *_: [(0, [place])])(step, axis, place)
        if read is None:
            return None
        found = [self.reads(step.inputs[i], axis, p) for i, places in read for p in places]
        return None if None in found else frozenset().union(*(f for f in found if f is not None))


def hull(read: frozenset[int]) -> int:
    return max(read) - min(read) + 1 if read else 0


def centre(read: frozenset[int]) -> Fraction:
    return Fraction(min(read) + max(read), 2)


@pytest.mark.parametrize("start", SEEDS[::50])
def test_every_step_of_random_nets_sees_what_the_definitions_say(start: int) -> None:
    for seed in range(start, start + 50):
        program = bound(seed)
        oracle = Oracle(program)
        seen = sights(program)
        for step, row in zip(program.steps, arithmetic(program).rows, strict=True):
            period = lcm(*(reach.period for reach in seen[step.output].known or ()))
            if period <= LONGEST_PERIOD:
                compare(row, step, oracle, len(counted_in(row, program)) - 1, period)


def counted_in(row: Row, program: Program) -> Shape:
    """The shape of the value in whose positions a field is counted."""
    return next((s.shape for s in program.steps if s.path == row.origin), program.input)


def compare(row: Row, step: Step, oracle: Oracle, axes: int, period: int) -> None:
    """All that a row says against sets of positions, over periods of those that enlarge maps."""
    if oracle.is_lost(step.output):
        assert row.receptive_field is None
        return
    turns = max(2, -(-PERIOD // period))
    places = range(turns * period + 1) if oracle.enlarges(step.output) else (0, 1, 7)
    sets = [[oracle.reads(step.output, axis, p) for p in places] for axis in range(axes)]
    if any(read is None for along in sets for read in along):
        assert row.whole_picture
        assert row.receptive_field is row.jump is row.start is row.coverage is None
        return
    assert not row.whole_picture
    known = [[read for read in along if read is not None] for along in sets]
    if row.receptive_field is None:
        uneven = any(hull(along[0]) != hull(read) for along in known for read in along)
        gaps = any(not read for along in known for read in along)
        assert uneven or gaps or oracle.gaps(step.output) or len(oracle.origin(step.output)) > 1
        return
    assert row.receptive_field == tuple(max(map(hull, along)) for along in known)
    ways = [centre(along[-1]) - centre(along[0]) for along in known]
    assert row.jump == tuple(way / places[-1] for way in ways)
    assert row.start == tuple(centre(along[0]) for along in known)
    assert row.coverage == tuple(
        min(Fraction(len(read), hull(read)) for read in along) for along in known
    )


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
    looked_up = any(isinstance(step.kind, Embed) for step in program.steps)
    plain = program.steps and not any(step.kind.geometric for step in program.steps)
    return program if plain and not looked_up else None


def gradient_agrees(program: Program) -> bool:
    """Compare one program; False if its field is the whole picture, or meets a border."""
    step = program.steps[-1]
    middle = [n // 2 for n in step.shape[1:]]
    reaches = sights(program)[step.output].known
    if reaches is None:
        return False
    cells = [reach.at(place) for reach, place in zip(reaches, middle, strict=True)]
    boxes = [(read.first, read.last) for read in cells]
    if any(
        first < 0 or last >= n for (first, last), n in zip(boxes, program.input[1:], strict=True)
    ):
        return False
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
    if isinstance(kind, Multiply):
        return sum(arrives[number] for number, _ in product(step, 0, 0) or ())
    if isinstance(kind, Combine):
        return arrives[0].sum(1, keepdim=True).expand(-1, step.shape[0], *step.shape[1:])
    if isinstance(kind, Maxout):
        return arrives[0].unflatten(1, (step.shape[0], kind.pieces)).sum(2)
    if isinstance(kind, Take):
        return arrives[0][:, list(kind.channels)]
    if isinstance(kind, Pad):
        return functional.pad(arrives[0], [n for pair in reversed(step.pads) for n in pair])
    rule = RULES.get(type(kind))
    axes = len(step.shape) - 1
    if rule is transposed:
        lay = (
            functional.conv_transpose1d,
            functional.conv_transpose2d,
            functional.conv_transpose3d,
        )
        sizes = tuple(of_axis(kind.kernel_size, axis) for axis in range(axes))  # type: ignore[attr-defined]
        weight = torch.ones(step.ins[0][0], step.shape[0], *sizes, dtype=torch.float64)
        made = lay[axes - 1](arrives[0], weight, stride=kind.stride, dilation=kind.dilation)  # type: ignore[attr-defined]
        for axis, ((before, _), n) in enumerate(zip(step.pads, step.shape[1:], strict=True)):
            missing = max(0, before + n - made.shape[2 + axis])
            sides = [0, 0] * (axes - 1 - axis) + [0, missing]
            made = functional.pad(made, sides).narrow(2 + axis, before, n)
        return made
    if rule in (share, enlarged_by):
        made = arrives[0]
        for axis, (n, m) in enumerate(zip(step.ins[0][1:], step.shape[1:], strict=True)):
            weight = torch.zeros(m, n, dtype=torch.float64)
            for place in range(m):
                for _, read in rule(step, axis, place) or ():
                    weight[place, [min(max(i, 0), n - 1) for i in read]] = 1
            made = torch.tensordot(made, weight, ([2 + axis], [1])).movedim(-1, 2 + axis)
        return made
    if isinstance(kind, MaxUnpool):
        return arrives[1]
    if rule is not window:
        return arrives[0]
    beyond = [made.beyond for made in kind.windows(step.ins)]
    pads = [(a, b + more) for (a, b), more in zip(step.pads, beyond, strict=True)]
    sides = [side for pair in reversed(pads) for side in pair]
    padded = functional.pad(arrives[0], sides)
    mixes = isinstance(kind, Conv | LocallyConnected)
    groups = getattr(kind, "groups", 1) if mixes else step.ins[0][0]
    sizes = tuple(of_axis(kind.kernel_size, axis) for axis in range(axes))  # type: ignore[attr-defined]
    weight = torch.ones(step.shape[0], step.ins[0][0] // groups, *sizes, dtype=torch.float64)
    slide = (functional.conv1d, functional.conv2d, functional.conv3d)[axes - 1]
    stride = getattr(kind, "stride", None) or sizes
    dilation = getattr(kind, "dilation", 1)
    return slide(padded, weight, stride=stride, dilation=dilation, groups=groups)


FIELDS: list[tuple[str, Shape, Shape]] = [
    ("conv 10 3", (3, 39, 39), (3, 3)),
    ("conv 10 3 -> conv 20 5 stride 2", (3, 39, 39), (7, 7)),
    ("conv 10 3 -> conv 20 5 stride 2 -> conv 40 5 stride 2", (3, 39, 39), (15, 15)),
    ("conv 8 1x5", (1, 20, 20), (1, 5)),
    ("add( identity | conv 1 7 same )", (1, 20, 20), (7, 7)),
    ("conv 4 3 -> relu -> batchnorm -> dropout", (1, 20, 20), (3, 3)),
    ("conv 4 5 -> resize 9 -> crop 7 -> conv 4 3", (1, 20, 20), (3, 3)),
    ("minpool 3 stride 2 ceil -> sumpool 2 dilation 2", (1, 20, 20), (7, 7)),
    ("adaptiveavgpool 5x6", (1, 20, 17), (4, 4)),
    ("upsample 2 -> conv 4 3", (1, 20, 20), (2, 2)),
    ("upsample 2 linear -> conv 4 3", (1, 20, 20), (3, 3)),
    ("upsample 3x2 linear align_corners", (1, 20, 1), (2, 1)),
]


@pytest.mark.parametrize(("text", "shape", "field"), FIELDS)
def test_known_fields(text: str, shape: Shape, field: Shape) -> None:
    assert arithmetic(parse(text).bind(shape)).rows[-1].receptive_field == field


@pytest.mark.parametrize("last", ["flatten", "globalavgpool", "globalmaxpool keep", "globallppool"])
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
    net = parse("add( conv 4 3 | resize 8 )")
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
