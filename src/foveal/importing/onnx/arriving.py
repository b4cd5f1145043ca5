"""What arrives at an ONNX graph, and how that is said channels first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from foveal.errors import SpecError
from foveal.importing.onnx.arrays import Array, shortened
from foveal.importing.onnx.file import Arriving, File, Node, Size
from foveal.importing.onnx.values import UnfitError, Value
from foveal.net.kind import Shape, shape_text

_TYPES: Mapping[int, type[np.generic]] = {
    1: np.float32,
    6: np.int32,
    7: np.int64,
    10: np.float16,
    11: np.float64,
}
"""TensorProto.DataType of numbers that may arrive."""
_PASSED = ("Add", "Cast", "Div", "Identity", "Mul", "Sub")
"""Operators that leave every number where it is: normalisation, before the axes are turned."""

TWO_SAMPLES = 2
"""Compared where the batch is open: one alone would not show that samples are mixed."""


@dataclass(frozen=True)
class Start:
    """The input of a graph with its sizes known."""

    name: str
    shape: Shape
    """Without the batch, channels first."""
    batch: int | None
    """None if it is open."""
    turned: bool
    """Whether the graph has the channels last."""
    dtype: type[np.generic]

    def value(self) -> Value:
        """What arrives, as the graph sees it."""
        value = Value(self.name, self.shape)
        try:
            return value.seen(np.moveaxis(value.numbered(), 0, -1)) if self.turned else value
        except UnfitError as error:
            raise SpecError(str(error), where=f"input '{shortened(self.name)}'") from error

    def random(self, seed: int = 0) -> Array:
        """What a net could read, channels first: for a table of vectors 0 and 1, else noise."""
        random = np.random.default_rng(seed)
        shape = (self.batch or TWO_SAMPLES, *self.shape)
        if issubclass(self.dtype, np.integer):
            return random.integers(0, 2, shape).astype(np.float32)
        return random.standard_normal(shape, np.float32).astype(self.dtype).astype(np.float32)

    def theirs(self, x: Array) -> Array:
        """The same as the graph reads it."""
        return np.ascontiguousarray(np.moveaxis(x, 1, -1) if self.turned else x, self.dtype)


def start_of(opened: File, input: Shape | None) -> Start:
    """What arrives, with `input` where the file leaves sizes open.

    Raises: SpecError if there is not one input of real numbers, a size is missing, or `input` says
            others than the file
    """
    if len(opened.inputs) != 1:
        names = ", ".join(f"'{shortened(each.name)}'" for each in opened.inputs[:6])
        raise SpecError(
            f"has {len(opened.inputs)} inputs, and a net has one", where="graph", arrives=names
        )
    (arriving,) = opened.inputs
    where = f"input '{shortened(arriving.name)}'"
    if arriving.data_type not in _TYPES:
        raise SpecError(
            f"is of data type {arriving.data_type}, and a net reads real numbers",
            where=where,
            fix="export the net without the steps that turn bytes into numbers",
        )
    turned = _is_turned(opened, arriving)
    batch, sizes = _sizes(arriving, input, turned, where)
    dtype = _TYPES[arriving.data_type]
    return Start(arriving.name, sizes, batch, turned, dtype)


def _sizes(
    arriving: Arriving, input: Shape | None, turned: bool, where: str
) -> tuple[int | None, Shape]:
    batch, *said = arriving.shape or ("?",)
    if turned:
        said = [said[-1], *said[:-1]]
    fixed = batch if isinstance(batch, int) else None
    if input is None:
        if not said or not all(isinstance(size, int) for size in said):
            raise SpecError(
                "is of open size",
                where=where,
                arrives=_written(said) or "no sizes at all",
                fix="say what arrives, channels first: input=(3, 224, 224), --input 3x224x224",
            )
        return fixed, tuple(map(int, said))
    fits = len(said) == len(input) and all(
        size in (n, "?") or not isinstance(size, int) for size, n in zip(said, input, strict=True)
    )
    if said and not fits:
        raise SpecError(
            "is of another size",
            where=where,
            arrives=shape_text(input),
            expected=_written(said),
            fix="leave out what the file says itself",
        )
    return fixed, input


def _written(sizes: list[Size]) -> str:
    return "x".join(shortened(str(size)) for size in sizes)


def _is_turned(opened: File, arriving: Arriving) -> bool:
    """Whether a graph brings the channels from the last place to the first before it looks."""
    rank = len(arriving.shape)
    to_first = (0, rank - 1, *range(1, rank - 1))
    readers: dict[str, list[Node]] = {}
    for node in opened.nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    found = readers.pop(arriving.name, [])
    while len(found) == 1 and found[0].op in _PASSED:
        found = readers.pop(found[0].outputs[0], [])  # taken out: nodes may stand in a circle
    return (
        rank > 2
        and bool(found)
        and all(
            node.op == "Transpose" and node.attributes.get("perm") == to_first for node in found
        )
    )
