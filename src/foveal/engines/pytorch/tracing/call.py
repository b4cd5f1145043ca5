"""One call of a function, as the row that tells what it is sees it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import resolve_name

from foveal.engines.pytorch.tracing.value import Told, Value
from foveal.errors import SpecError
from foveal.importing.naming import owns
from foveal.importing.node import Node
from foveal.net.kind import Kind, Shape

if TYPE_CHECKING:
    from foveal.engines.pytorch.tracing.trace import Trace

TENSORS = ("weight", "bias", "running_mean", "running_var")
"""What a layer's own tensors are called; a parameter of another name gives its name to the step."""

INSTEAD = {
    **dict.fromkeys(("square", "pow"), "x * x, if that is meant"),
    **dict.fromkeys(
        (f"max_pool{axes}d_with_indices" for axes in (1, 2, 3)), "return_indices=False"
    ),
    "max": "x.amax((2, 3)), the largest number of each channel, if that is meant",
    "pixel_shuffle": "nn.ConvTranspose2d, or nn.Upsample and a convolution",
}
"""What can be said instead of functions that tutorials have and no layer is."""


class Call:
    """A call of a function with tensors that come from the input."""

    def __init__(self, trace: Trace, func: Any, arriving: list[Tensor]) -> None:
        self.trace, self.func, self.arriving = trace, func, arriving
        self.made: Any = None
        """What the function returned: a tensor, or several."""
        self.values: dict[int, Value] = {}
        """What each tensor that arrives is, before the function may change it in place."""

    def problem(self) -> SpecError | None:
        """What is wrong with a tensor that arrives, if anything is."""
        try:
            self.values = {id(tensor): self.trace.value(tensor) for tensor in self.arriving}
        except SpecError as error:
            return error
        return None

    def run(self, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Call the function itself."""
        before = {id(tensor): tensor._version for tensor in self.arriving}
        self.made = self.func(*args, **named)
        if isinstance(self.made, Tensor) and before.get(id(self.made)) == self.made._version:
            # Dropout returns what it was given: as two tensors they stay two values.
            self.made = self.made.view_as(self.made)
        return self.made

    def told(self, args: tuple[Any, ...], named: dict[str, Any]) -> Told | SpecError:
        """What the function made, by its row; an error if there is none for it."""
        name: str = resolve_name(self.func) or self.func.__name__
        row = self.trace.rows.get(self.func)
        if row is None:
            return SpecError(
                f"does what no layer of Foveal does: {name}",
                fix=INSTEAD.get(
                    name.rpartition(".")[2].strip("_"),
                    "build it of layers that are known, or read the part before it only",
                ),
            )
        try:
            inspect.signature(row).bind(self, *args, **named)
        except TypeError:
            return SpecError(
                f"calls {name} in a way that is not known",
                fix="call it with the arguments that its layer in torch.nn has",
            )
        try:
            return row(self, *args, **named)
        except SpecError as error:
            return error

    def value(self, tensor: Tensor) -> Value:
        """What a tensor is in the net."""
        if not self.comes_from_input(tensor):
            raise SpecError("reads numbers of its own where those of a picture are expected")
        return self.values[id(tensor)]

    def comes_from_input(self, tensor: object) -> bool:
        return id(tensor) in self.values

    def shape(self, tensor: Tensor) -> Shape:
        """The shape of a sample, in our order of axes."""
        return _sample(tensor, self.value(tensor).axes)

    def ordered(self, tensor: Tensor) -> str:
        """The name of a value whose axes stand in our order."""
        value = self.value(tensor)
        wide = [a for a, n in zip(value.axes, tensor.shape, strict=True) if n > 1 or a == 0]
        if wide != sorted(wide) or value.axes[0] != 0:
            raise SpecError(
                "reads channels at another place than behind the batch",
                expected="(N, C, ...), as convolutions make it",
                fix="permute back before it",
            )
        return value.name

    def step(self, kind: Kind, *tensors: Tensor, **held: Tensor | None) -> Value:
        """A step that reads values in our order of axes, with the tensors it owns."""
        return self.node(kind, tuple(map(self.ordered, tensors)), self.order(), held)

    def pointwise(self, kind: Kind, tensor: Tensor, **held: Tensor | None) -> Value:
        """A step that does not mind where the axes stand."""
        value = self.value(tensor)
        return self.node(kind, (value.name,), value.axes, held)

    def order(self) -> tuple[int, ...]:
        """Our own order of axes, for what the function made."""
        return tuple(range(self.made.dim()))

    def node(
        self,
        kind: Kind,
        inputs: tuple[str, ...],
        axes: tuple[int, ...],
        held: Mapping[str, Tensor | None] | None = None,
    ) -> Value:
        """Write down a step; the value it makes."""
        given = {name: tensor for name, tensor in (held or {}).items() if tensor is not None}
        if any(map(self.comes_from_input, given.values())):
            raise SpecError(
                "has weights that are computed from its input",
                expected="weights that are parameters, or computed from parameters alone",
            )
        called = {name: self.trace.called(tensor) for name, tensor in given.items()}
        called = {name: theirs for name, theirs in called.items() if theirs}
        node = Node(
            self.name(list(called.values()), owns(kind)),
            kind,
            inputs,
            f"value{len(self.trace.nodes) + 1}",
            {name: _array(tensor) for name, tensor in given.items()},
            "",
            called,
        )
        self.trace.add(self.shared(node))
        return Value(node.output, axes)

    def name(self, tensors: list[str], owner: bool) -> str:
        """Of the module that holds its tensors, or of the one that is running."""
        if owner and tensors:
            module, _, tensor = tensors[0].rpartition(".")
            if tensor not in TENSORS:
                return tensors[0]
            if module:
                return module
        name, running = self.trace.modules[id(self.trace.inside[-1])]
        if name and next(running.children(), None) is None:
            return name
        function: str = self.func.__name__
        return f"{name}.{function.strip('_')}".strip(".")

    def shared(self, node: Node) -> Node:
        """The node, marked if its tensors are those of one before it."""
        for tensor, theirs in node.called.items():
            first = self.trace.owners.setdefault(theirs, node)
            if first is node:
                continue
            if (first.kind, first.called) != (node.kind, node.called):
                raise SpecError(
                    f"shares its {tensor} with {first.name}, but is not the same layer",
                    expected=f"the same options and tensors: {first.kind}",
                )
            return replace(node, shares=first.output)
        return node


def _sample(tensor: Tensor, axes: tuple[int, ...]) -> Shape:
    """The shape of a sample, whose axes stand in this order, in our order."""
    sizes = dict(zip(axes, tensor.shape, strict=True))
    return tuple(sizes[axis] for axis in range(1, len(sizes)))


def _array(tensor: Tensor) -> np.ndarray:
    """A copy, so that the net stays as it was when the module learns."""
    copied: np.ndarray = tensor.detach().to("cpu", torch.float32, copy=True).numpy()
    return copied
