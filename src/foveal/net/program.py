"""A net bound to an input: a flat list of steps, which every engine loops over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from foveal.errors import SpecError, did_you_mean
from foveal.net.kind import Kind, Pads, Shape, Tensor


@dataclass(frozen=True)
class Step:
    """One computation: which values it reads, which it makes, and what it needs for that."""

    path: str
    """Unique name: the names from the root joined by dots."""
    kind: Kind
    inputs: tuple[int, ...]
    """Numbers of the values it reads; 0 is the input of the program."""
    output: int
    """Number of the value it makes."""
    ins: tuple[Shape, ...]
    """Shapes of the values it reads."""
    shape: Shape
    """Shape of the value it makes."""
    pads: Pads
    """Padding resolved for this input, (before, after) for each spatial axis."""
    tensors: tuple[Tensor, ...]
    """The weights and statistics it uses, without their paths."""
    owner: str
    """Path under which those tensors lie: its own, or that of the step it shares them with."""

    def tensor_paths(self) -> dict[str, str]:
        """The name of each tensor of the kind (`weight`) to its path (`conv1.weight`)."""
        return {tensor.name: f"{self.owner}.{tensor.name}" for tensor in self.tensors}


@dataclass(frozen=True)
class Program:
    """The steps of a net in the order they run, for one input shape."""

    input: Shape
    steps: tuple[Step, ...]
    results: tuple[tuple[str, int], ...]
    """Name and value number of each result; a single result has the empty name."""

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor by its path, in order of first use; shared ones once."""
        return {path: tensor for _, path, tensor in self.owned()}

    def owned(self) -> Iterator[tuple[Step, str, Tensor]]:
        """Every tensor once, with the step that uses it first and its path."""
        seen: set[str] = set()
        for step in self.steps:
            if step.owner not in seen:
                seen.add(step.owner)
                for tensor in step.tensors:
                    yield step, f"{step.owner}.{tensor.name}", tensor

    def until(self, path: str) -> Program:
        """The steps that the value of one step needs; that value is the only result.

        A group stands for its last step.

        Raises: SpecError if there is no such step
        """
        made = next((s for s in reversed(self.steps) if f"{s.path}.".startswith(f"{path}.")), None)
        if made is None:
            paths = [step.path for step in self.steps]
            raise SpecError(
                "is no step of the net", where=f"layer '{path}'", fix=did_you_mean(path, paths)
            )
        needed, steps = {made.output}, []
        for step in reversed(self.steps):
            if step.output in needed:
                needed.update(step.inputs)
                steps.append(step)
        return Program(self.input, tuple(reversed(steps)), (("", made.output),))

    @cached_property
    def last_use(self) -> dict[int, int]:
        """For each value the index of the step after which it may be dropped; results stay."""
        kept = {value for _, value in self.results}
        return {
            value: index
            for index, step in enumerate(self.steps)
            for value in step.inputs
            if value not in kept
        }

    def shape_of(self, value: int) -> Shape:
        return self.input if value == 0 else self._shapes[value]

    @cached_property
    def _shapes(self) -> dict[int, Shape]:
        return {step.output: step.shape for step in self.steps}

    def result_shapes(self) -> dict[str, Shape]:
        return {name: self.shape_of(value) for name, value in self.results}
