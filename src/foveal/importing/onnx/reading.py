"""From the nodes of an ONNX file to those of a net, one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod
from typing import TypeVar

import numpy as np

from foveal.errors import SpecError
from foveal.importing.graph import Node
from foveal.importing.onnx import file
from foveal.importing.onnx.arrays import Array, shortened
from foveal.importing.onnx.file import File
from foveal.importing.onnx.folding import FOLDS, Folding, fold
from foveal.importing.onnx.values import UnfitError, Value
from foveal.net.kind import Kind, Shape, shape_text
from foveal.net.layers import Flatten, Reshape, Take

BATCH = 2**31 - 19
"""Stands for the batch where shapes are computed: a prime that no size in a file will be."""
FOLDED_AT_LEAST, FOLDED_FOR_EACH = 2**20, 4
"""Numbers that may be computed beside the weights: some, and four for each weight."""
MOST_PLACES_IN_ALL = 2**30
"""Of all values together, so that they fit into 4 GiB and are laid out within a minute."""

Known = Value | Array
Row = Callable[["Here"], Known | list[Known]]
"""What is known of an operator: the values it makes, in order."""
T = TypeVar("T", int, float, str)


class Reading:
    """What is known of the values of a graph so far, and the net that is made of it."""

    def __init__(
        self, opened: File, rows: Mapping[str, Row], start: Value, batch: int | None
    ) -> None:
        self.opset = opened.opset
        self.rows = rows
        self.batch = batch or BATCH
        self.known: dict[str, Known] = {**opened.arrays, start.of: start}
        self.nodes: dict[str, Node] = {}
        """By the value each makes."""
        self.shapes: dict[str, Shape] = {start.of: start.whole}
        self.readers = Counter(name for node in opened.nodes for name in node.inputs)
        self.readers.update(opened.outputs)
        self.unread = Counter(self.readers)
        self.made = {*self.known}
        self.places = _places(start)
        """How many have been written down, for all values."""
        self.array_names = {id(array): name for name, array in opened.arrays.items()}
        weights = sum(array.size for array in opened.arrays.values())
        self.folding = Folding(opened.opset, FOLDED_AT_LEAST + FOLDED_FOR_EACH * weights)

    def refuse_unknown(self, node: file.Node) -> None:
        """Before anything else: what is around such a node would be refused in other words."""
        if node.op not in self.rows and node.op not in FOLDS:
            raise _unknown(Here(self, node))

    def read(self, node: file.Node) -> None:
        """Add what a node makes to what is known."""
        here = Here(self, node)
        try:
            made = self._made(here)
        except SpecError as error:
            if error.where != node.place():  # a layer that says which of its fields is wrong
                error.where = f"{node.place()}, {error.where}" if error.where else node.place()
            raise
        except UnfitError as error:
            raise here.refusal(str(error)) from error
        except (ValueError, IndexError) as error:
            raise here.refusal("has options or inputs that do not fit each other") from error
        # What else it can make, such as the mask of a dropout, nothing that is read may need.
        for name, value in zip(node.outputs, made, strict=False):
            if name in self.made:
                raise here.refusal(f"makes '{shortened(name)}', which is there already")
            self.made.add(name)
            self.known[name] = value
            if isinstance(value, Value) and 0 in value.shape:
                raise here.refusal("leaves nothing of what it reads")
            self.places += _places(value)
        if self.places > MOST_PLACES_IN_ALL:
            most = f"{MOST_PLACES_IN_ALL:,} numbers"
            raise here.refusal(f"is one too many that lay values out anew: more than {most}")
        self._forget(node)

    def _forget(self, node: file.Node) -> None:
        """What no node reads any more is not kept."""
        for name in node.inputs:
            self.unread[name] -= 1
            if not self.unread[name]:
                self.known.pop(name, None)

    def _made(self, here: Here) -> list[Known]:
        node = here.node
        inputs = [self.known.get(name) for name in node.inputs]
        for name, value in zip(node.inputs, inputs, strict=True):
            if name and value is None:
                raise here.refusal(f"reads '{shortened(name)}', which no node before it makes")
        flows = any(isinstance(value, Value) for value in inputs)
        if flows or node.op not in FOLDS:
            made = self._row(here)(here)
            here.check_all_read()
            return made if isinstance(made, list) else [made]
        if any(value is None for value in node.attributes.values()):
            raise here.refusal("has an option of a type that is not read")
        return [fold(self.folding, node.op, node.attributes, tuple(inputs))]  # type: ignore[arg-type]

    def _row(self, here: Here) -> Row:
        row = self.rows.get(here.node.op)
        if row is None:
            raise _unknown(here)
        return row


def _unknown(here: Here) -> SpecError:
    return here.refusal(
        "has no layer that does the same",
        fix="export the net without it, or said in other operators",
    )


def _places(value: Known | None) -> int:
    """How many places are written down for a value."""
    return 0 if not isinstance(value, Value) or value.places is None else value.places.size


class Here:
    """One node while it is read: its options, its inputs, and what is made of them.

    Options and inputs that a row does not ask for are refused, so that none is overlooked.
    """

    def __init__(self, reading: Reading, node: file.Node) -> None:
        self.reading, self.node = reading, node
        self.opset = reading.opset
        self._options = dict(node.attributes)
        self._inputs = {place for place, name in enumerate(node.inputs) if name}

    def refusal(
        self, problem: str, *, arrives: str = "", expected: str = "", fix: str = ""
    ) -> SpecError:
        return SpecError(
            problem, where=self.node.place(), arrives=arrives, expected=expected, fix=fix
        )

    def option(self, name: str, default: T) -> T:
        """A number or a word."""
        value = self._options.pop(name, default)
        if type(value) is not type(default):
            raise self._wrong(name, value)
        if isinstance(value, float):  # written with as few digits as say its 32 bits: 1e-05
            return type(default)(str(np.float32(value)))
        return value

    def wholes(self, name: str) -> tuple[int, ...] | None:
        """A list of whole numbers, if it is there."""
        value = self._options.pop(name, None)
        if name not in self.node.attributes:
            return None
        if not isinstance(value, tuple) or not all(isinstance(each, int) for each in value):
            raise self._wrong(name, value)
        return value  # type: ignore[return-value]

    def reals(self, name: str) -> Array | None:
        """A list of numbers, if it is there."""
        value = self._options.pop(name, None)
        if name not in self.node.attributes:
            return None
        if not isinstance(value, tuple):
            raise self._wrong(name, value)
        return np.array(value, np.float32)

    def must_be(self, name: str, *values: int | float | str) -> None:
        """Refuse an option that says anything but what its layer does."""
        said = self._options.pop(name, values[0])
        if said not in values:
            raise self._wrong(name, said)

    def _wrong(self, name: str, value: object) -> SpecError:
        said = f"{value!r}" if isinstance(value, int | float | str | tuple) else "something else"
        return self.refusal(f"has the option {name} {shortened(said)}, which no layer does")

    def has(self, place: int) -> bool:
        return place < len(self.node.inputs) and bool(self.node.inputs[place])

    def input(self, place: int) -> Known:
        if not self.has(place):
            raise self.refusal(f"has no input {place}")
        self._inputs.discard(place)
        return self.reading.known[self.node.inputs[place]]

    def inputs(self) -> list[Known]:
        return [self.input(place) for place in range(len(self.node.inputs))]

    def flow(self, place: int = 0) -> Value:
        """An input that flows through the net."""
        value = self.input(place)
        if not isinstance(value, Value):
            raise self.refusal(
                f"reads given numbers as input {place}, where a value of the net must arrive"
            )
        return value

    def given(self, place: int) -> Array | None:
        """An input that is known, if it is there."""
        if not self.has(place):
            return None
        value = self.input(place)
        if isinstance(value, Value):
            raise self.refusal(f"computes its input {place}, which a layer must have as weights")
        return value

    def weights(self, place: int) -> Array:
        """An input that is known and there."""
        found = self.given(place)
        if found is None:
            raise self.refusal(f"has no input {place}")
        return found

    def whole_numbers(self, place: int) -> tuple[int, ...] | None:
        found = self.given(place)
        if found is not None and found.dtype.kind not in "iu":
            raise self.refusal(f"has no whole numbers as input {place}")
        return None if found is None else tuple(map(int, found.reshape(-1)))

    def number(self, place: int, default: float) -> float:
        found = self.given(place)
        if found is not None and found.size != 1:
            raise self.refusal(
                f"has {found.size} numbers as input {place}, where there must be one"
            )
        return default if found is None else float(found.reshape(-1)[0])

    def is_batch(self, size: int) -> bool:
        return size == self.reading.batch

    def axis(self, name: str, default: int, rank: int) -> int:
        """An option that names an axis, the batch being 0."""
        axis = self.option(name, default)
        if not -rank <= axis < rank:
            raise self.refusal(f"has no axis {axis}")
        return axis % rank

    def check_all_read(self) -> None:
        if self._options:
            name = min(self._options)
            raise self.refusal(
                f"has the option {shortened(name)}, which is not read",
                fix="export the net for another operator set",
            )
        if self._inputs:
            raise self.refusal(f"has an input {min(self._inputs)}, which is not read")

    def layer(self, kind: Kind, *values: Value, **tensors: Array) -> Value:
        """Add a layer that reads values of the net as they are, and give what it makes."""
        return self._added(self._step_name(), kind, tuple(value.of for value in values), tensors)

    def instead(self, value: Value, maker: Node, kind: Kind, tensors: Mapping[str, Array]) -> Value:
        """Another layer in the place of the one that makes a value, which nothing then needs."""
        made = self._added(maker.name, kind, maker.inputs, tensors)
        return replace(value, of=made.of)

    def _added(
        self, step_name: str, kind: Kind, inputs: tuple[str, ...], tensors: Mapping[str, Array]
    ) -> Value:
        reading = self.reading
        ins = tuple(reading.shapes[value] for value in inputs)
        shape = kind.output(ins)
        for tensor in kind.tensors(ins):
            if tensors[tensor.name].shape != tensor.shape:
                raise self.refusal(
                    f"has a {tensor.name} of another shape than its layer",
                    arrives=shape_text(tensors[tensor.name].shape),
                    expected=shape_text(tensor.shape),
                )
        name = f"{len(reading.nodes) + 1}"
        called = {
            each: reading.array_names[id(numbers)]
            for each, numbers in tensors.items()
            if id(numbers) in reading.array_names
        }
        weights = {each: np.asarray(numbers, np.float32) for each, numbers in tensors.items()}
        reading.nodes[name] = Node(step_name, kind, inputs, name, weights, called=called)
        reading.shapes[name] = shape
        return Value(name, shape)

    def pointwise(self, kind: Kind, value: Value, **tensors: Array) -> Value:
        """Add a layer that treats all numbers alike, wherever they lie."""
        if value.places is not None and value.places.size < prod(value.whole):
            value = self.plain(value)  # what was left out need not be computed
        made = self.layer(kind, value, **tensors)
        return replace(value, of=made.of)

    def maker(self, value: Value) -> Node | None:
        """The layer that makes a value, if nothing else reads it."""
        if any(
            self.reading.readers[name] > 1
            for name in self.node.inputs
            if self.reading.known.get(name) is value
        ):
            return None
        return self.reading.nodes.get(value.of)

    def plain(self, value: Value) -> Value:
        """The same numbers as a value of the net, with a layer that lays them out if need be."""
        if value.places is None:
            return value
        if value.is_laid_out():
            return self.layer(Flatten() if len(value.shape) == 1 else Reshape(value.shape), value)
        channels = value.channels()
        if channels is None:
            raise self.refusal(
                "reads values in an order that no layer gives them",
                arrives=f"{shape_text(value.shape)} out of {shape_text(value.whole)}",
            )
        return self.layer(Take(channels), value)

    def spread(self, value: Value, numbers: Array) -> tuple[Value, Array]:
        """Given numbers beside the value of the net that they are for, each where it belongs."""
        made = value.spread(numbers)
        return (value, made) if made is not None else self.spread(self.plain(value), numbers)

    def _step_name(self) -> str:
        """As the weights are called, which exporters keep, else as the node."""
        for name in self.node.inputs:
            stem, dot, last = name.rpartition(".")
            if (
                dot
                and last in ("weight", "bias")
                and isinstance(self.reading.known.get(name), np.ndarray)
            ):
                return stem
        # PyTorch repeats what is around: /layer1/layer1.0/conv1/Conv.
        parts: list[str] = []
        for part in self.node.name.strip("/").split("/")[:-1] or [self.node.name]:
            if parts and part.startswith(f"{parts[-1]}."):
                parts.pop()
            parts.append(part)
        return ".".join(parts)


def per_channel(numbers: Array) -> Array | None:
    """Of numbers for a whole value one for each channel; None if they differ within one."""
    first = numbers[(slice(None), *(slice(1),) * (numbers.ndim - 1))]
    return first.reshape(-1) if (numbers == first).all() else None
