"""The arithmetic of a net: what every step costs and sees, exactly, before a tensor exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from foveal.net import formulas
from foveal.net.kind import Merge, Shape
from foveal.net.program import Program, Step
from foveal.net.sight import Sight, sights

BYTES = 4
"""A value of float32."""


@dataclass(frozen=True)
class Row:
    """The arithmetic of one step."""

    name: str
    """Its path."""
    kind: str
    ins: tuple[Shape, ...]
    """Shapes of the values it reads."""
    output: Shape
    parameters: int
    """Trained numbers, counted where they are used first."""
    statistics: int
    """Numbers kept beside them that are not trained (batch norm's)."""
    macs: int
    memory: int
    """Bytes of its output for one picture, in float32."""
    origin: str
    """The step that cut the picture to size, in whose positions the field is counted; or empty."""
    receptive_field: Shape | None
    """Positions it sees along each axis, before clipping; None if they are all or vary."""
    jump: tuple[Fraction, ...] | None
    start: tuple[Fraction, ...] | None
    """Where the field of its first position has its centre; 0 is the first position's centre."""
    coverage: tuple[Fraction, ...] | None
    """Share of the field's positions along each axis that are really read."""
    whole_picture: bool
    """A global step lies before it: every position sees everything."""
    gated: bool
    """A gate or a mean with a sight of its own has weighed what the field sees."""
    formulas: Mapping[str, str]
    """How the numbers come about, with the numbers put in."""
    note: str
    """What a reader should know; mostly empty."""

    @property
    def in_channels(self) -> int:
        """Channels of the first value it reads."""
        return self.ins[0][0]


@dataclass(frozen=True)
class Arithmetic:
    """The arithmetic of a whole net for one input shape."""

    input: Shape
    rows: tuple[Row, ...]
    results: tuple[tuple[str, Shape], ...]
    """Name and shape of each result; a single one has the empty name."""
    parameters: int
    """Trained numbers, shared ones once."""
    trainable: int
    """Those of them that training may change."""
    statistics: int
    macs: int
    memory: int
    """Bytes of all outputs for one picture: what training keeps until it goes backward."""
    peak_memory: int
    """The most that is alive at once in prediction, the input included."""

    def facts(self) -> dict[str, object]:
        """Everything as plain numbers and lists, as `foveal show --json` prints it."""
        return {
            "input": list(self.input),
            "layers": [_facts(row) for row in self.rows],
            "results": {name: list(shape) for name, shape in self.results},
            "parameters": self.parameters,
            "trainable": self.trainable,
            "statistics": self.statistics,
            "macs": self.macs,
            "memory": self.memory,
            "peak_memory": self.peak_memory,
        }


def arithmetic(program: Program) -> Arithmetic:
    """The arithmetic of every step of a program, and in total.

    Use it to see what a net costs and what its layers see before anything is trained. Only whole
    numbers and fractions are used, so every figure is exact.
    """
    owners = {step.owner: step for step in reversed(program.steps)}
    seen = sights(program)
    names = ["", *(step.path for step in program.steps)]
    rows = tuple(
        _row(step, owners[step.owner], seen, names[seen[step.output].origin])
        for step in program.steps
    )
    parameters = sum(row.parameters for row in rows)
    return Arithmetic(
        input=program.input,
        rows=rows,
        results=tuple(program.result_shapes().items()),
        parameters=parameters,
        trainable=sum(
            tensor.size
            for tensor in program.tensors().values()
            if tensor.trained and not tensor.frozen
        ),
        statistics=sum(row.statistics for row in rows),
        macs=sum(row.macs for row in rows),
        memory=sum(row.memory for row in rows),
        peak_memory=_peak_memory(program),
    )


def _row(step: Step, owner: Step, seen: list[Sight], origin: str) -> Row:
    tensors = step.tensors if owner is step else ()
    sight = seen[step.output]
    return Row(
        name=step.path,
        kind=type(step.kind).__name__,
        ins=step.ins,
        output=step.shape,
        parameters=sum(tensor.size for tensor in tensors if tensor.trained),
        statistics=sum(tensor.size for tensor in tensors if not tensor.trained),
        macs=step.kind.macs(step.ins),
        memory=BYTES * prod(step.shape),
        origin=origin,
        receptive_field=sight.receptive_field,
        jump=sight.jump,
        start=sight.start,
        coverage=sight.coverage,
        whole_picture=sight.whole and bool(sight.reaches),
        gated=sight.gated,
        formulas=formulas.formulas(step, owner, seen),
        note="; ".join(_notes(step, owner, seen)),
    )


def _notes(step: Step, owner: Step, seen: list[Sight]) -> list[str]:
    notes = [step.kind.note(step.ins)]
    if step.tensors and owner is not step:
        notes.append(f"shared with {owner.path}")
    sight, before = seen[step.output], [seen[value] for value in step.inputs]
    if (
        sight.receptive_field is None
        and not sight.whole
        and not _says_so(step)
        and None not in (earlier.receptive_field for earlier in before)
    ):
        notes.append(
            "from here on the receptive field has no one size: " + _irregular(step, before)
        )
    if sight.gated and not any(earlier.gated for earlier in before):
        weighs = "mean and variance see" if step.kind.surveys(step.ins) else "gate sees"
        notes.append(f"its {weighs} more than this field")
    if sight.coverage and min(sight.coverage, default=1) < min(
        (share for earlier in before for share in earlier.coverage or ()), default=1
    ):
        notes.append(f"reads {_percent(sight.coverage)} of its receptive field along each axis")
    return [note for note in notes if note]


def _says_so(step: Step) -> bool:
    """Whether the note of the kind itself has said that no rule tells what is seen."""
    return isinstance(step.kind, Merge) and step.kind.reach(step.ins, 0) is None


def _irregular(step: Step, before: list[Sight]) -> str:
    if len({sight.origin for sight in before}) > 1:
        return "its branches see pictures of different size"
    if len({sight.jump for sight in before}) > 1:
        return "its branches have different jumps"
    if step.kind.windows(step.ins):
        return "it is too wide to be followed"
    return "some positions read nothing, or others than their neighbours do"


def _percent(coverage: tuple[Fraction, ...]) -> str:
    return " and ".join(dict.fromkeys(f"{float(share):.0%}" for share in coverage))


def _peak_memory(program: Program) -> int:
    """The most bytes alive at once, if every value is dropped after its last use."""
    results = {value for _, value in program.results}
    live = peak = BYTES * prod(program.input)
    for index, step in enumerate(program.steps):
        live += BYTES * prod(step.shape)
        peak = max(peak, live)
        for value in {*step.inputs, step.output}:
            if value not in results and program.last_use.get(value, index) == index:
                live -= BYTES * prod(program.shape_of(value))
    return peak


def _facts(row: Row) -> dict[str, object]:
    return {
        "name": row.name,
        "kind": row.kind,
        "in_channels": row.in_channels,
        "output": list(row.output),
        "parameters": row.parameters,
        "statistics": row.statistics,
        "macs": row.macs,
        "memory": row.memory,
        "origin": row.origin,
        "receptive_field": _numbers(row.receptive_field),
        "jump": _numbers(row.jump),
        "start": _numbers(row.start),
        "coverage": _numbers(row.coverage),
        "global": row.whole_picture,
        "gated": row.gated,
        "formulas": dict(row.formulas),
        "note": row.note,
    }


def _numbers(values: tuple[Fraction | int, ...] | None) -> list[int | float] | None:
    """Whole numbers as such, halves and thirds as JSON can say them."""
    if values is None:
        return None
    return [value.numerator if value.denominator == 1 else float(value) for value in values]
