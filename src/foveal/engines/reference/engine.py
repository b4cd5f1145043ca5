"""The engine: one loop over the steps of a program, and the same loop reversed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from foveal.engines.reference.row import Array, Arrays, Context, Training
from foveal.engines.reference.rows import ROWS
from foveal.engines.weights import check
from foveal.errors import ShapeError, SpecError
from foveal.net.kind import shape_text
from foveal.net.layers import Input
from foveal.net.program import Program


@dataclass(frozen=True)
class Gradients:
    """How much a sum over the results changes with each number that went into it."""

    input: Array
    """In the shape of what arrived."""
    weights: dict[str, Array]
    """Of each trained tensor by its path; the uses of a shared one are added up."""


@dataclass(frozen=True)
class Reference:
    """A program with weights that computes every kind by its definition, in float64.

    Use it to know what is right and why; the other engines are fast.
    """

    program: Program
    weights: Mapping[str, Array]
    """Every tensor of the program by its path."""

    def run(self, x: np.ndarray, training: Training | None = None) -> dict[str, Array]:
        """Each result of the program by its name; a single result has the empty name.

        Use `training` for what the net computes while it learns, in one step of a training:
        batch norm with the statistics of the batch, dropout with the masks of that step.

        Shape:   (N, C, H, W) of numbers, or (N, H, W, C) of bytes where the program begins with
                 `input uint8` -> (N, ...) for each result. Before resize and crop any H and W
        Raises:  SpecError or ShapeError if something else arrives
        """
        values = self._forward(x, training, keep=False)
        return {name: values[number] for name, number in self.program.results}

    def values(self, x: np.ndarray, training: Training | None = None) -> dict[str, Array]:
        """What every step makes of the input, by the step's path."""
        values = self._forward(x, training, keep=True)
        return {step.path: values[step.output] for step in self.program.steps}

    def statistics(self, x: np.ndarray, training: Training) -> dict[str, Array]:
        """The statistics that the net would keep after this step of a training, by path.

        A shared batch norm sees each of its inputs in turn.
        """
        values = self._forward(x, training, keep=True)
        made: dict[str, Array] = {}
        for step in self.program.steps:
            paths = step.tensor_paths()
            weights = {name: made.get(path, self.weights[path]) for name, path in paths.items()}
            xs = tuple(values[number] for number in step.inputs)
            for name, value in ROWS[type(step.kind)].statistics(step.kind, xs, weights).items():
                made[paths[name]] = value
        return made

    def backward(
        self, x: np.ndarray, gradients: Mapping[str, np.ndarray], training: Training | None = None
    ) -> Gradients:
        """The gradients of Σ results · gradients, for the input and every trained tensor.

        Use it with the derivative of a loss by each result; a result left out counts as 0.

        Shape:   each of `gradients` as the result of its name
        Raises:  SpecError or ShapeError if a name or shape is not that of a result, or of `run`
        """
        values = self._forward(x, training, keep=True)
        flowing = self._arriving(gradients, values)
        dweights = {
            path: np.zeros(tensor.shape)
            for path, tensor in self.program.tensors().items()
            if tensor.trained
        }
        for step in reversed(self.program.steps):
            y, dy = values.pop(step.output), flowing.pop(step.output, None)
            if dy is None:
                continue
            xs = tuple(values[number] for number in step.inputs)
            paths = step.tensor_paths()
            weights = {name: self.weights[path] for name, path in paths.items()}
            dxs, made = ROWS[type(step.kind)].backward(
                step.kind, xs, y, weights, dy, Context(step.path, training)
            )
            for name, dweight in made.items():
                dweights[paths[name]] += dweight
            for number, dx in zip(step.inputs, dxs, strict=True):
                flowing[number] = flowing[number] + dx if number in flowing else dx
        return Gradients(flowing.get(0, np.zeros_like(values[0])), dweights)

    def _forward(self, x: np.ndarray, training: Training | None, keep: bool) -> dict[int, Array]:
        """Every value by its number, or with `keep` false only those that are still needed."""
        values = {0: self._accepted(x)}
        for index, step in enumerate(self.program.steps):
            xs = tuple(values[number] for number in step.inputs)
            self._check(index, xs)
            weights = {name: self.weights[path] for name, path in step.tensor_paths().items()}
            values[step.output] = ROWS[type(step.kind)].forward(
                step.kind, xs, weights, Context(step.path, training)
            )
            if not keep:
                for number in self._dead_after(index):
                    values.pop(number, None)
        return values

    def _dead_after(self, index: int) -> list[int]:
        """The values that no later step reads and that are no result."""
        step, last_use = self.program.steps[index], self.program.last_use
        results = {number for _, number in self.program.results}
        touched = {*step.inputs, step.output} - results
        return [number for number in touched if last_use.get(number, index) <= index]

    def _accepted(self, x: np.ndarray) -> Array:
        """The input in float64; SpecError or ShapeError if it is not one."""
        steps, (channels, *sizes) = self.program.steps, self.program.input
        bytes_arrive = bool(steps) and steps[0].kind == Input("uint8")
        layout = (*sizes, channels) if bytes_arrive else (channels, *sizes)
        if x.dtype != np.uint8 if bytes_arrive else x.dtype.kind not in "buif":
            raise SpecError(
                "this net reads pictures as bytes" if bytes_arrive else "this net reads numbers",
                where="input",
                arrives=f"an array of {x.dtype}",
                expected=f"{'uint8' if bytes_arrive else 'float'} Nx{shape_text(layout)}",
            )
        channel = -1 if bytes_arrive else 1
        if x.ndim != len(layout) + 1 or x.shape[channel] != channels or not len(x):
            raise _other_shape("input", x.shape, layout)
        return x.astype(np.float64)

    def _check(self, index: int, xs: Arrays) -> None:
        """ShapeError if a step was bound to other shapes; resize and crop take any picture."""
        step = self.program.steps[index]
        if step.kind.geometric:
            return
        for number, x, shape in zip(step.inputs, xs, step.ins, strict=True):
            if x.shape[1:] != shape:
                layer = f"layer {index + 1} '{step.path}' ({type(step.kind).__name__})"
                raise _other_shape(layer if number else "input", x.shape, shape)

    def _arriving(
        self, gradients: Mapping[str, np.ndarray], values: Mapping[int, Array]
    ) -> dict[int, Array]:
        """The gradient of each result's value; SpecError or ShapeError if it is not one."""
        numbers = dict(self.program.results)
        flowing: dict[int, Array] = {}
        for name, gradient in gradients.items():
            if name not in numbers:
                raise SpecError(
                    "is not that of a result",
                    where=f"gradient {name!r}",
                    expected=", ".join(map(repr, numbers)),
                )
            number = numbers[name]
            if gradient.shape != values[number].shape:
                raise _other_shape(f"gradient {name!r}", gradient.shape, values[number].shape[1:])
            flowing[number] = flowing.get(number, 0) + gradient.astype(np.float64)
        return flowing


def build(program: Program, weights: Mapping[str, np.ndarray]) -> Reference:
    """The reference engine for a program and its weights and statistics by path.

    Raises:  SpecError if a kind has no row, or weights are missing, left over or of another shape

    >>> from foveal.net import Net
    >>> from foveal.net.layers import Conv
    >>> program = Net.of(Conv(1, (1, 2))).bind((1, 1, 3))
    >>> engine = build(program, {"conv1.weight": np.ones((1, 1, 1, 2)), "conv1.bias": np.zeros(1)})
    >>> engine.run(np.array([[[[1, 2, 4]]]]))[""].tolist()
    [[[[3.0, 6.0]]]]
    """
    for step in program.steps:
        if type(step.kind) not in ROWS:
            raise SpecError(
                f"the reference engine has no row for {step.kind.word}", where=step.path
            )
    check(program, weights)
    return Reference(program, {path: weights[path].astype(np.float64) for path in weights})


def _other_shape(where: str, arrives: tuple[int, ...], wanted: tuple[int, ...]) -> ShapeError:
    return ShapeError(
        "another shape arrives than the net was bound to",
        where=where,
        arrives=shape_text(arrives),
        expected=f"Nx{shape_text(wanted)}",
    )
