"""Where one number, or the gradient of one weight, comes from."""

from __future__ import annotations

from collections.abc import Sequence

from foveal.engines.reference.explaining.call import Call, Explainer, ToldGradient, total
from foveal.engines.reference.explaining.rows import EXPLAINERS
from foveal.engines.reference.explaining.terms import (
    Explanation,
    GradientExplanation,
    Index,
    Place,
)
from foveal.engines.reference.row import Array
from foveal.errors import SpecError, did_you_mean
from foveal.net.kind import shape_text
from foveal.net.program import Program, Step


def explained(call: Call, index: Index) -> Explanation:
    """The explanation of one number of a step; `index` counts from the call's first sample."""
    told = _explainer(call.step).value(call, index)
    return Explanation(
        call.made(index),
        call.step.kind.word,
        told.formula,
        told.terms,
        told.bias,
        told.bias_at,
        told.numbers,
        total(told.terms) + told.bias,
        float(call.y[index]),
    )


def explained_gradient(
    uses: Sequence[tuple[Call, Array]], path: str, name: str, index: Index, computed: float
) -> GradientExplanation:
    """The explanation of one weight's gradient, from the steps that use it and theirs."""
    told = [_gradient(call, dy, name, index) for call, dy in uses]
    return GradientExplanation(
        Place(path, index),
        told[0].formula if told else "no result depends on it",
        tuple(term for one in told for term in one.terms),
        tuple(number for one in told for number in one.numbers),
        float(sum(one.total for one in told)),
        computed,
    )


def _gradient(call: Call, dy: Array, name: str, index: Index) -> ToldGradient:
    gradient = _explainer(call.step).gradient
    if gradient is None:
        raise _unexplained(call.step)
    return gradient(call, dy, name, index)


def _explainer(step: Step) -> Explainer:
    if type(step.kind) not in EXPLAINERS:
        raise _unexplained(step)
    return EXPLAINERS[type(step.kind)]


def _unexplained(step: Step) -> SpecError:
    return SpecError(f"the reference engine cannot explain {step.kind.word}", where=step.path)


def step_of(program: Program, path: str) -> Step:
    """The step with a path; SpecError if there is none."""
    for step in program.steps:
        if step.path == path:
            return step
    raise SpecError(
        "no step has this path",
        where=f"explain {path!r}",
        fix=did_you_mean(path, [step.path for step in program.steps]),
    )


def users_of(program: Program, path: str) -> tuple[str, list[Step]]:
    """The name of a trained tensor within its kind, and the steps that use it.

    Raises: SpecError if no tensor has this path, or it is not trained
    """
    tensors = program.tensors()
    if path not in tensors:
        raise SpecError(
            "no tensor has this path",
            where=f"gradient of {path!r}",
            fix=did_you_mean(path, tensors),
        )
    if not tensors[path].trained:
        raise SpecError(
            "is a statistic, which is not trained and has no gradient",
            where=f"gradient of {path!r}",
        )
    steps = [step for step in program.steps if path in step.tensor_paths().values()]
    return tensors[path].name, steps


def check_index(place: Place, shape: tuple[int, ...], samples: bool) -> None:
    """SpecError unless an index lies in an array of this shape, with samples first or not."""
    index = place.index
    expected = _ranges(shape)
    if samples:
        axes = [*("sample ", "channel ", "position "), *[""] * len(shape)]
        expected = [name + one for name, one in zip(axes, expected, strict=False)]
    if len(index) != len(shape):
        raise SpecError(
            f"has {_counted(len(index), 'number')}, "
            f"but the array has {_counted(len(shape), 'axis', 'axes')}",
            where=str(place),
            arrives=shape_text(shape),
            expected=", ".join(expected),
            fix="the sample comes first, also of one" if samples else "",
        )
    if not all(0 <= i < n for i, n in zip(index, shape, strict=True)):
        raise SpecError(
            "lies outside the array",
            where=str(place),
            arrives=shape_text(shape),
            expected=", ".join(expected),
        )


def _ranges(shape: tuple[int, ...]) -> list[str]:
    return [f"0 … {n - 1}" if n > 1 else "0" for n in shape]


def _counted(count: int, one: str, several: str = "") -> str:
    return f"{count} {one if count == 1 else several or one + 's'}"
