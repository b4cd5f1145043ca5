"""Weights by path: how they start, the same for the same seed, and whether they fit a net."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import sqrt

import numpy as np

from foveal.engines.starts import start
from foveal.errors import SpecError
from foveal.net.kind import Kind, shape_text
from foveal.net.layers import (
    ELU,
    GELU,
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    BatchNorm,
    Conv,
    Dense,
    Depthwise,
    Dropout,
    DropPath,
    GroupNorm,
    HardSwish,
    InstanceNorm,
    LayerNorm,
    LeakyReLU,
    LocalResponseNorm,
    MaxPool,
    MinPool,
    ReLU,
    SiLU,
    StochasticPool,
    Upsample,
)
from foveal.net.program import Program, Step

FEW = 3
"""How many names an error lists."""
HEAD_GAIN = 0.1
"""Gain of layers that make a result: first answers are alike, so the first loss is ln(classes)."""
KEEPING = (
    BatchNorm,
    GroupNorm,
    LayerNorm,
    InstanceNorm,
    LocalResponseNorm,
    Dropout,
    DropPath,
    MaxPool,
    MinPool,
    AvgPool,
    StochasticPool,
    AdaptiveMaxPool,
    AdaptiveAvgPool,
    Upsample,
)
"""Kinds between a layer and its activation that leave the size of values about as it is, or make
it 1."""
RECTIFIERS = (ReLU, ELU, GELU, SiLU, HardSwish)
"""Kinds that pass what is above zero and take away about half of the size of values."""


def initial(program: Program, seed: int) -> dict[str, np.ndarray]:
    """Random starting weights and statistics by path, float32.

    A tensor whose kind says `init` starts so. Otherwise weights are normal with variance
    gain² / fan_in: gain √2 before a ReLU and its kin, √(2 / (1 + slope²)) before one that leaks
    (He et al. 2015, arXiv:1502.01852), 1 before other activations (LeCun et al. 1998, "Efficient
    BackProp"), `HEAD_GAIN` for the last layer. Biases start at zero.
    """
    random = np.random.default_rng(seed)
    gains = _gains(program)
    made: dict[str, np.ndarray] = {}
    for step, path, tensor in program.owned():
        if tensor.init is None:
            deviation = gains[step.path] / tensor.fans[0] ** 0.5
            made[path] = random.standard_normal(tensor.shape, np.float32) * np.float32(deviation)
        elif tensor.init == "norm":
            made[path] = norms(made[f"{step.owner}.weight"])
        else:
            made[path] = start(tensor, random).astype(np.float32)
    return made


def check(program: Program, weights: Mapping[str, np.ndarray]) -> None:
    """Compare weights with what a program needs.

    Raises: SpecError if tensors are missing, belong to no step, have another shape, or are to be
            divided by what is zero
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
    for step in program.steps:
        if not isinstance(step.kind, Conv | Depthwise | Dense):
            continue
        if step.kind.weight == "unit_sum":
            _check_sums(step, weights[f"{step.owner}.weight"])
        if step.kind.weight == "weight_norm":
            _check_lengths(step, weights[f"{step.owner}.weight"])


def norms(weight: np.ndarray) -> np.ndarray:
    """The length of each filter (of each row of a matrix)."""
    lengths: np.ndarray = np.sqrt((weight.reshape(len(weight), -1) ** 2).sum(axis=1))
    return lengths


def _check_sums(step: Step, weight: np.ndarray) -> None:
    """SpecError if the weights of a filter sum to zero, up to rounding."""
    filters = weight.reshape(len(weight), -1).astype(np.float64)
    none = np.abs(filters.sum(axis=1)) <= np.abs(filters).sum(axis=1) * np.finfo(np.float32).eps
    if none.any():
        raise SpecError(
            f"filter {int(none.argmax())} cannot be divided by the sum of its weights, which is 0",
            where=step.path,
            fix="leave out unit_sum: a filter for edges sums to 0 and cannot keep a flat picture",
        )


def _check_lengths(step: Step, weight: np.ndarray) -> None:
    """SpecError if all weights of a filter are zero, which is no direction."""
    none = norms(weight) == 0
    if none.any():
        raise SpecError(
            f"all weights of filter {int(none.argmax())} are 0, and weight_norm needs a direction",
            where=step.path,
            fix="leave out weight_norm, or another init: zero and dirac have filters of zeros",
        )


def _gains(program: Program) -> dict[str, float]:
    """For each step the gain that what follows it asks for."""
    readers: dict[int, list[Step]] = {}
    for step in program.steps:
        for value in step.inputs:
            readers.setdefault(value, []).append(step)
    gains = {}
    for step in program.steps:
        wanted = [_gain(reader.kind) for reader in _followers(step, readers)]
        gains[step.path] = max(wanted, default=HEAD_GAIN)
    return gains


def _gain(kind: Kind) -> float:
    """What makes up for the share of the size of values that a kind takes away."""
    if isinstance(kind, LeakyReLU):
        return sqrt(2 / (1 + kind.slope**2))
    return sqrt(2) if isinstance(kind, RECTIFIERS) else 1.0


def _followers(step: Step, readers: dict[int, list[Step]]) -> Iterator[Step]:
    """The steps that read a value, looking through kinds that leave its size as it is."""
    for reader in readers.get(step.output, ()):
        if isinstance(reader.kind, KEEPING):
            yield from _followers(reader, readers)
        else:
            yield reader
