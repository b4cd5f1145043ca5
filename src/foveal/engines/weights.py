"""How weights start: the same numbers for the same seed in every engine."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from foveal.net.layers import BatchNorm, Dropout, MaxPool, ReLU
from foveal.net.program import Program, Step

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
