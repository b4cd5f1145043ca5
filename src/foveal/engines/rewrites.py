"""Rewrites: the same function of the input in fewer steps. No surviving step is renamed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from math import prod

import numpy as np

from foveal.engines.weights import norms
from foveal.net.layers import (
    AdaptiveMaxPool,
    BatchNorm,
    Conv,
    Dense,
    Depthwise,
    GlobalMaxPool,
    GlobalMinPool,
    HardTanh,
    LeakyReLU,
    MaxPool,
    MinPool,
    ReLU,
)
from foveal.net.program import Program, Step

Weights = Mapping[str, np.ndarray]
CHOOSING = (MaxPool, MinPool, AdaptiveMaxPool, GlobalMaxPool, GlobalMinPool)
"""Kinds of pooling that pass the largest or the smallest of the values they read."""
RISING = (ReLU, LeakyReLU, HardTanh)
"""Activations that keep the order of numbers as computers round them. A tanh or a sigmoid is
computed by a polynomial, which may put neighbours into another order in the last digit."""


def plain_weights(program: Program, weights: Weights) -> tuple[Program, dict[str, np.ndarray]]:
    """Give layers the weights that they really use: no flip, no sharing, no division, no length.

    Use it on a net that has learned. What a layer makes of its weights before it uses them is then
    done once, and the layer is a plain one, as every runtime knows it.

    Shape:   every value keeps its shape
    Params:  of `shared` kernels as many as channels; no `gain`
    Raises:  nothing
    Source:  none

    >>> from foveal.net import Net
    >>> program = Net.of(Conv(1, (1, 2), bias=False, flip=True, weight="unit_sum")).bind((1, 1, 2))
    >>> plain, weights = plain_weights(program, {"conv1.weight": np.array([[[[1.0, 3.0]]]])})
    >>> plain.steps[0].kind, weights["conv1.weight"].tolist()
    (Conv(1, (1, 2), bias=False), [[[[0.75, 0.25]]]])
    """
    steps, made = [], dict(weights)
    for step in program.steps:
        if isinstance(step.kind, Conv | Depthwise | Dense) and not _is_plain(step.kind):
            kind = _plain(step.kind)
            paths = step.tensor_paths()
            made[paths["weight"]] = _used(step, {name: weights[p] for name, p in paths.items()})
            step = replace(step, kind=kind, tensors=kind.tensors(step.ins))
        steps.append(step)
    plain = replace(program, steps=tuple(steps))
    return plain, {path: made[path] for path in plain.tensors()}


def pool_first(program: Program) -> Program:
    """Let max pooling come before the activation that it follows, and pooling of minima too.

    Use it before a net learns: pooled by 2, a quarter of the values is left to activate. The
    results are the same bits, because the activations moved keep the order of values. Gradients
    are the same too: where ReLU makes unequal values equal it is flat and lets none through. Of a
    leaky one they are the same but for rounding, and where rounding makes two values equal the
    larger has the gradient, not the first. An activation stays where it is if its value is also
    read elsewhere or is a result, and where pooling leaves as many values as it reads.

    Shape:   every result keeps its shape; what a moved activation reads and makes is smaller
    Params:  the same
    Raises:  nothing
    Source:  none

    >>> from foveal.net import Net
    >>> program = Net.of(Conv(4, 3), ReLU(), MaxPool(2)).bind((1, 28, 28))
    >>> [f"{step.path} {step.shape}" for step in pool_first(program).steps]
    ['conv1 (4, 26, 26)', 'maxpool1 (4, 13, 13)', 'relu1 (4, 13, 13)']
    """
    uses = _uses(program)
    made_by: dict[int, Step] = {}
    for step in program.steps:
        passed: list[Step] = []
        while (
            isinstance(step.kind, CHOOSING)
            and (before := made_by.get(step.inputs[0])) is not None
            and isinstance(before.kind, RISING)
            and uses[before.output] == 1
            and prod(step.shape) < prod(before.shape)
        ):
            del made_by[before.output]
            behind = replace(
                before,
                inputs=(before.output,),
                output=step.output,
                ins=(step.shape,),
                shape=step.shape,
            )
            step = replace(step, inputs=before.inputs, output=before.output)
            passed.insert(0, behind)
        made_by.update((made.output, made) for made in (step, *passed))
    return replace(program, steps=tuple(made_by.values()))


def _uses(program: Program) -> Counter[int]:
    """How often each value is read; to be a result counts too."""
    uses = Counter(value for step in program.steps for value in step.inputs)
    uses.update(value for _, value in program.results)
    return uses


def _is_plain(kind: Conv | Depthwise | Dense) -> bool:
    turned = not isinstance(kind, Dense) and (kind.flip or kind.shared)
    return kind.weight == "free" and not turned


def _plain(kind: Conv | Depthwise | Dense) -> Conv | Depthwise | Dense:
    if isinstance(kind, Dense):
        return replace(kind, weight="free", init=None)
    return replace(kind, weight="free", init=None, flip=False, shared=False)


def _used(step: Step, tensors: Weights) -> np.ndarray:
    """The weights of a step as they enter its sums."""
    weight, kind = tensors["weight"].astype(np.float64), step.kind
    if "gain" in tensors:
        scale = tensors["gain"] / norms(weight)
        weight = weight * scale.reshape(-1, *(1,) * (weight.ndim - 1))
    if isinstance(kind, Conv) and kind.shared:
        weight = np.repeat(weight, step.ins[0][0] // kind.groups, axis=1)
    if isinstance(kind, Depthwise) and kind.shared:
        weight = np.tile(weight, (step.ins[0][0], *(1,) * (weight.ndim - 1)))
    if isinstance(kind, Conv | Depthwise | Dense) and kind.weight == "unit_sum":
        weight = weight / weight.sum(axis=tuple(range(1, weight.ndim)), keepdims=True)
    if isinstance(kind, Conv | Depthwise) and kind.flip:
        weight = np.flip(weight, axis=tuple(range(2, weight.ndim)))
    return np.ascontiguousarray(weight, tensors["weight"].dtype)


def fold_batch_norm(program: Program, weights: Weights) -> tuple[Program, dict[str, np.ndarray]]:
    """Put each batch norm into the convolution or dense layer before it, for prediction.

    Use it on a net that has learned: with the statistics fixed, y = (W x + b - mean) * scale +
    shift is again a layer, with weights W * scale and bias (b - mean) * scale + shift. A step
    stays as it is where someone else would notice: its value is read elsewhere or is a result,
    or its weights or those of the batch norm are shared.

    Shape:   every value that is left keeps its shape
    Params:  per batch norm 4 * C fewer (2 * C of one without weight and bias), and C more where
             the layer had no bias
    Raises:  nothing
    Source:  Jacob et al. 2018, arXiv:1712.05877, section 3.2

    >>> from foveal.net import Net
    >>> program = Net.of(Conv(4, 3, bias=False), BatchNorm()).bind((1, 5, 5))
    >>> weights = {path: np.ones(t.shape, np.float32) for path, t in program.tensors().items()}
    >>> folded, weights = fold_batch_norm(program, weights)
    >>> [step.path for step in folded.steps], list(weights)
    (['conv1'], ['conv1.weight', 'conv1.bias'])
    """
    uses = _uses(program)
    owners = Counter(step.owner for step in program.steps)
    made_by: dict[int, Step] = {}
    folded = dict(weights)
    for step in program.steps:
        before = made_by.get(step.inputs[0])
        if (
            isinstance(step.kind, BatchNorm)
            and before is not None
            and isinstance(before.kind, Conv | Depthwise | Dense)
            and _is_plain(before.kind)
            and uses[before.output] == owners[before.owner] == owners[step.owner] == 1
        ):
            del made_by[before.output]
            kind = replace(before.kind, bias=True)
            layer = replace(before, kind=kind, output=step.output, tensors=kind.tensors(before.ins))
            folded |= _folded(before, layer, step, step.kind.eps, folded)
            made_by[step.output] = layer
        else:
            made_by[step.output] = step
    rewritten = replace(program, steps=tuple(made_by.values()))
    return rewritten, {path: folded[path] for path in rewritten.tensors()}


def _folded(
    before: Step, layer: Step, norm: Step, eps: float, weights: Weights
) -> dict[str, np.ndarray]:
    """The weight and bias of a layer with the batch norm after it inside."""
    old, new = before.tensor_paths(), layer.tensor_paths()
    held = {name: weights[path] for name, path in norm.tensor_paths().items()}
    mean, gain, shift = held["running_mean"], held.get("weight", 1), held.get("bias", 0)
    scale = gain / np.sqrt(held["running_var"] + np.float64(eps))
    weight = weights[old["weight"]]
    bias = weights[old["bias"]] if "bias" in old else np.zeros_like(mean)
    columns = scale.astype(weight.dtype).reshape(-1, *(1,) * (weight.ndim - 1))
    return {
        new["weight"]: weight * columns,
        new["bias"]: ((bias - mean) * scale + shift).astype(weight.dtype),
    }
