"""`bind`: run a net once with the arriving shape and write down the steps."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from foveal.errors import FovealError, ShapeError, SpecError, did_you_mean
from foveal.net.combinators import (
    MOST_STEPS,
    Again,
    Branches,
    Chain,
    Each,
    Item,
    Outputs,
    Reference,
    Repeat,
    branch_labels,
)
from foveal.net.kind import Kind, Shape, shape_text
from foveal.net.program import Program, Step

MOST_VISITS = 4 * MOST_STEPS
"""Items looked at while unrolling; groups within groups count too."""

MOST_RESULTS = 1000

Value = int | dict[str, "Value"]
"""A value's number, or several named ones after `outputs`."""


@dataclass(frozen=True)
class _Target:
    """What a name stands for: the value it made, and the body and weights for `again`."""

    value: Value
    body: Item
    owner: str


_Known = ChainMap[str, _Target]
"""Of a chain, and of those around it."""


def bind(root: Chain, input: Shape) -> Program:
    """The program of a net for one input shape, (channels, *axes) or (features,).

    Raises: ShapeError, with the number and path of the step, if what arrives does not fit;
            SpecError if a reference has no target
    """
    if not 1 <= len(input) <= 4 or not all(type(size) is int and size > 0 for size in input):
        raise ShapeError(
            f"must be one to four whole numbers above 0, not {input!r}",
            where="input",
            fix="channels first, such as (3, 32, 32); one number for flat features",
        )
    binder = _Binder(input)
    value = binder.chain(root, 0, "", "", ChainMap())
    return Program(input, tuple(_ramped(binder.steps)), tuple(_results("", value)))


class _Binder:
    def __init__(self, input: Shape) -> None:
        self.steps: list[Step] = []
        self.shapes: list[Shape] = [input]
        self.owned: dict[str, Step] = {}
        self.visits = 0

    def chain(self, chain: Chain, value: Value, path: str, owner: str, around: _Known) -> Value:
        known = around.new_child()
        for name, item in chain.labelled():
            self.count_visit()
            below, owned = _join(path, name), _join(owner, name)
            value = self.item(item, value, below, owned, known)
            if name:
                known[name] = _Target(value, item, owned)
        return value

    def count_visit(self) -> None:
        """`again` of groups that hold `again` doubles a net at every level."""
        self.visits += 1
        if self.visits > MOST_VISITS or len(self.steps) > MOST_STEPS:
            raise SpecError(f"unrolls to more than {MOST_STEPS:,} steps", where="net")

    def item(self, item: Item, value: Value, path: str, owner: str, known: _Known) -> Value:
        match item:
            case Kind():
                return self.step(item, (_single(value, path),), path, owner)
            case Chain():
                return self.chain(item, value, path, owner, known)
            case Repeat(body, times):
                for turn in range(times):
                    value = self.chain(
                        body, value, _join(path, str(turn)), _join(owner, str(turn)), known
                    )
                return value
            case Branches(merge, parts):
                made = [
                    _single(self.chain(body, value, _join(path, n), _join(owner, n), known), path)
                    for n, body in branch_labels(parts)
                ]
                return self.step(merge, tuple(made), path, owner)
            case Outputs(parts):
                return _limited(
                    {
                        n: self.chain(body, value, _join(path, n), _join(owner, n), known)
                        for n, body in branch_labels(parts)
                    },
                    path,
                )
            case Each(body):
                if isinstance(value, int):
                    raise SpecError(
                        "needs several results before it", where=path, fix="outputs( … | … )"
                    )
                return _limited(
                    {
                        n: self.chain(body, part, _join(path, n), owner, known)
                        for n, part in value.items()
                    },
                    path,
                )
            case Reference(name):
                return self.target(name, known, f"@{name}").value
            case Again(name):
                target = self.target(name, known, f"again {name}")
                return self.item(target.body, value, path, target.owner, known)
        raise SpecError(f"cannot be bound: {item!r}", where=path)

    def target(self, name: str, known: _Known, where: str) -> _Target:
        if name not in known:
            raise SpecError(
                "no step before this one has this name",
                where=where,
                fix=did_you_mean(name, known) or "name a step: c4: conv 8 3",
            )
        return known[name]

    def step(self, kind: Kind, inputs: tuple[int, ...], path: str, owner: str) -> Value:
        if kind.first and inputs != (0,):
            raise SpecError(
                "stands only at the beginning of a net",
                where=self.place(kind, path),
                fix=f"take {kind.word} out, or move it to the front",
            )
        ins = tuple(self.shapes[number] for number in inputs)
        try:
            shape = kind.output(ins)
            step = Step(
                path,
                kind,
                inputs,
                len(self.shapes),
                ins,
                shape,
                kind.pads(ins),
                kind.tensors(ins),
                owner,
            )
        except FovealError as error:
            raise self.placed(error, kind, inputs, path) from None
        first = self.owned.setdefault(owner, step)
        if first.tensors != step.tensors:
            raise ShapeError(
                f"shares the weights of '{first.path}', but other shapes arrive",
                where=self.place(kind, path),
                arrives=shape_text(ins[0]),
                expected=shape_text(first.ins[0]),
                fix=f"the same number of {_differing(ins[0], first.ins[0])} at both places",
            )
        self.steps.append(step)
        self.shapes.append(shape)
        return step.output

    def place(self, kind: Kind, path: str) -> str:
        return f"layer {len(self.steps) + 1} '{path}' ({type(kind).__name__})"

    def placed(
        self, error: FovealError, kind: Kind, inputs: tuple[int, ...], path: str
    ) -> FovealError:
        """The same error, with the number and path of its step and where the value came from."""
        arrives = error.arrives
        if arrives and len(inputs) == 1:
            number = inputs[0]
            source = f"layer {number} '{self.steps[number - 1].path}'" if number else "the input"
            arrives = f"{arrives} from {source}"
        return type(error)(
            error.problem,
            where=self.place(kind, path),
            arrives=arrives,
            expected=error.expected,
            fix=error.fix,
        )


def _differing(arriving: Shape, expected: Shape) -> str:
    """What two shapes do not have in common."""
    if len(arriving) == 1:
        return "features"
    return "channels" if arriving[0] != expected[0] else "positions along each axis"


def _ramped(steps: list[Step]) -> Iterator[Step]:
    """The steps with every ramp resolved: what a layer does depends on its place in the net."""
    count = sum(step.kind.ramped(0, 1) is not step.kind for step in steps)
    number = 0
    for step in steps:
        kind = step.kind.ramped(number, count)
        if kind is not step.kind:
            number += 1
            step = replace(step, kind=kind)
        yield step


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name


def _single(value: Value, path: str) -> int:
    if isinstance(value, dict):
        raise SpecError(
            f"reads one value, but {len(value)} results arrive: {', '.join(value)}",
            where=path,
            fix="each( … ) to treat all alike",
        )
    return value


def _results(name: str, value: Value) -> Iterator[tuple[str, int]]:
    if isinstance(value, int):
        yield name, value
    else:
        for key, part in value.items():
            yield from _results(_join(name, key), part)


def _limited(value: Value, path: str) -> Value:
    """Results of results multiply without any step; refuse before they are unrolled."""
    if sum(1 for _ in islice(_results("", value), MOST_RESULTS + 1)) > MOST_RESULTS:
        raise SpecError(f"has more than {MOST_RESULTS:,} results", where=path)
    return value
