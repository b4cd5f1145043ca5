"""The engine: one loop over the steps of a program, and the same loop reversed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import index as whole

import numpy as np

from foveal.engines.reference.explaining import explain
from foveal.engines.reference.explaining.call import Call
from foveal.engines.reference.explaining.terms import (
    INPUT,
    Explanation,
    GradientExplanation,
    Place,
)
from foveal.engines.reference.row import Array, Arrays, Context, Training, Weights
from foveal.engines.reference.rows import ROWS
from foveal.engines.weights import check
from foveal.errors import ShapeError, SpecError
from foveal.net.kind import shape_text
from foveal.net.layers import Input
from foveal.net.program import Program, Step


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
        for call, _, made in self._backward(values, flowing, training):
            for name, dweight in made.items():
                dweights[call.step.tensor_paths()[name]] += dweight
        return Gradients(flowing.get(0, np.zeros_like(values[0])), dweights)

    def explain(
        self, x: np.ndarray, path: str, index: Sequence[int], training: Training | None = None
    ) -> Explanation:
        """The terms of one number that a step makes of the input.

        Use it to see why a number is what it is. Each term says where its value lies: ask for
        that number in its turn, down to the input. While the net predicts, samples do not know of
        each other, and only the one asked about is computed, up to the step.

        Shape:   x as for `run`; `index` in the step's value: sample, channel, position
        Params:  path of the step, as in `values`
        Raises:  SpecError if no step has this path or the index lies outside; as `run` too
        Source:  none

        >>> from foveal.net import Net
        >>> from foveal.net.layers import Dense
        >>> engine = build(Net.of(Dense(1, bias=False)).bind((2,)), {"dense1.weight": np.eye(1, 2)})
        >>> print(engine.explain(np.array([[3.0, 4.0]]), "dense1", (0, 0)).text())
        dense1[0, 0] = 3, dense: Σ value · weight
          3 · 1 = 3   input[0, 0]   dense1.weight[0, 0]
          4 · 0 = 0   input[0, 1]   dense1.weight[0, 1]
        """
        step, at = explain.step_of(self.program, path), tuple(map(whole, index))
        self._refuse(x)
        inside = bool(at) and 0 <= at[0] < len(x)
        first = at[0] if inside and not training else 0
        values = self._forward(x if training else x[first : first + 1], training, False, step)
        shape = (len(x), *values[step.output].shape[1:])
        explain.check_index(Place(path, at), shape, samples=True)
        call = self._call(step, values, training, first)
        return explain.explained(call, (at[0] - first, *at[1:]))

    def explain_gradient(
        self,
        x: np.ndarray,
        gradients: Mapping[str, np.ndarray],
        path: str,
        index: Sequence[int],
        training: Training | None = None,
    ) -> GradientExplanation:
        """The terms of the gradient of one weight, for the gradients of the results.

        Use it to see why a weight moves as it does: one term for each number it helped to make,
        in all samples. What a weight goes through before it is used is said after the sum.

        Shape:   x as for `run`, `gradients` as for `backward`; `index` in the tensor
        Params:  path of the tensor, as in `weights`
        Raises:  SpecError if no trained tensor has this path or the index lies outside; as
                 `backward` too
        Source:  none

        >>> from foveal.net import Net
        >>> from foveal.net.layers import Dense
        >>> engine = build(Net.of(Dense(1, bias=False)).bind((2,)), {"dense1.weight": np.eye(1, 2)})
        >>> x, upstream = np.array([[3.0, 4.0], [5.0, 6.0]]), np.array([[1.0], [-0.5]])
        >>> print(engine.explain_gradient(x, {"": upstream}, "dense1.weight", (0, 0)).text())
        gradient of dense1.weight[0, 0] = 0.5: Σ upstream · value
             1 · 3 =    3   dense1[0, 0]   input[0, 0]
          -0.5 · 5 = -2.5   dense1[1, 0]   input[1, 0]
        """
        name, users = explain.users_of(self.program, path)
        at = tuple(map(whole, index))
        explain.check_index(Place(path, at), self.weights[path].shape, samples=False)
        values = self._forward(x, training, keep=True)
        found: list[tuple[Call, Array]] = []
        computed, paths = 0.0, {step.path for step in users}
        for call, dy, made in self._backward(values, self._arriving(gradients, values), training):
            if call.step.path in paths:
                found.insert(0, (call, dy))
                computed += float(made[name][at])
            if call.step is users[0]:
                break
        return explain.explained_gradient(found, path, name, at, computed)

    def _backward(
        self, values: dict[int, Array], flowing: dict[int, Array], training: Training | None
    ) -> Iterator[tuple[Call, Array, Weights]]:
        """The steps from the last, each with the gradients of its output and of its weights.

        What has been used is taken out of `values`; `flowing` ends with the gradient of the input.
        """
        for step in reversed(self.program.steps):
            call, dy = self._call(step, values, training), flowing.pop(step.output, None)
            del values[step.output]
            if dy is None:
                continue
            dxs, made = call.row.backward(
                step.kind, call.xs, call.y, call.weights, dy, call.context
            )
            for number, dx in zip(step.inputs, dxs, strict=True):
                flowing[number] = flowing[number] + dx if number in flowing else dx
            yield call, dy, made

    def _call(
        self, step: Step, values: Mapping[int, Array], training: Training | None, first: int = 0
    ) -> Call:
        """A step with what it read and what it made, from all values by their numbers."""
        return Call(
            step,
            ROWS[type(step.kind)],
            tuple(values[number] for number in step.inputs),
            values[step.output],
            {name: self.weights[path] for name, path in step.tensor_paths().items()},
            Context(step.path, training),
            tuple(self._made_by[number] for number in step.inputs),
            first,
        )

    @cached_property
    def _made_by(self) -> dict[int, str]:
        """The path of the step that makes each value, by its number."""
        return {0: INPUT} | {step.output: step.path for step in self.program.steps}

    def _forward(
        self, x: np.ndarray, training: Training | None, keep: bool, last: Step | None = None
    ) -> dict[int, Array]:
        """Every value by its number, or with `keep` false only those that are still needed.

        With `last` no further than to this step.
        """
        values = {0: self._accepted(x)}
        for index, step in enumerate(self.program.steps):
            xs = tuple(values[number] for number in step.inputs)
            self._check(index, xs)
            weights = {name: self.weights[path] for name, path in step.tensor_paths().items()}
            values[step.output] = ROWS[type(step.kind)].forward(
                step.kind, xs, weights, Context(step.path, training)
            )
            if step is last:
                break
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
        self._refuse(x)
        return x.astype(np.float64)

    def _refuse(self, x: np.ndarray) -> None:
        """SpecError or ShapeError if an array is not an input of this net."""
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
