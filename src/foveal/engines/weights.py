"""Weights by path: how they start, the same for the same seed, and whether they fit a net."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

import numpy as np

from foveal.errors import SpecError
from foveal.net.kind import shape_text
from foveal.net.layers import BatchNorm, Dropout, MaxPool, ReLU
from foveal.net.program import Program, Step

FEW = 3
"""How many names an error lists."""
HEAD_GAIN = 0.1
"""Gain of layers that make a result: first answers are alike, so the first loss is ln(classes)."""


def initial(program: Program, seed: int) -> dict[str, np.ndarray]:
    """Random starting weights and statistics by path, float32.

    Weights are normal with variance gain² / fan_in: gain √2 before a ReLU (He et al. 2015,
    arXiv:1502.01852), 1 before other activations (LeCun et al. 1998, "Efficient BackProp"),
    `HEAD_GAIN` for the last layer. Biases start at zero.
    """
    random = np.random.default_rng(seed)
    gains = _gains(program)
    made = {}
    for step, path, tensor in program.owned():
        if tensor.init == "kaiming":
            deviation = gains[step.path] / prod(tensor.shape[1:]) ** 0.5
            made[path] = random.standard_normal(tensor.shape, np.float32) * np.float32(deviation)
        else:
            made[path] = np.full(tensor.shape, tensor.init == "one", np.float32)
    return made


def check(program: Program, weights: Mapping[str, np.ndarray]) -> None:
    """Compare weights with what a program needs.

    Raises: SpecError if tensors are missing, belong to no step, or have another shape
    """
    tensors = program.tensors()
    for problem, paths in (
        ("missing tensors", tensors.keys() - weights.keys()),
        ("tensors of no step", weights.keys() - tensors.keys()),
    ):
        if paths:
            named = ", ".join(sorted(paths)[:FEW]) + (", …" if len(paths) > FEW else "")
            raise SpecError(
                f"{problem}: {named}",
                where="weights",
                fix="weights of the same net; its paths are those of Program.tensors()",
            )
    for path, tensor in tensors.items():
        if weights[path].shape != tensor.shape:
            raise SpecError(
                "has another shape than its step",
                where=f"weights '{path}'",
                arrives=shape_text(weights[path].shape),
                expected=shape_text(tensor.shape),
                fix="weights of the same net",
            )


def _gains(program: Program) -> dict[str, float]:
    """For each step the gain that what follows it asks for."""
    readers: dict[int, list[Step]] = {}
    for step in program.steps:
        for value in step.inputs:
            readers.setdefault(value, []).append(step)
    gains = {}
    for step in program.steps:
        kinds = {type(reader.kind) for reader in _followers(step, readers)}
        followed = bool(kinds)
        gains[step.path] = 2**0.5 if ReLU in kinds else 1.0 if followed else HEAD_GAIN
    return gains


def _followers(step: Step, readers: dict[int, list[Step]]) -> Iterator[Step]:
    """The steps that read a value, looking through kinds that leave its size as it is."""
    for reader in readers.get(step.output, ()):
        if isinstance(reader.kind, BatchNorm | Dropout | MaxPool):
            yield from _followers(reader, readers)
        else:
            yield reader
