"""Rewrites: the same function of the input in fewer steps. No surviving step is renamed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from foveal.net.layers import BatchNorm, Conv, Dense
from foveal.net.program import Program, Step

Weights = Mapping[str, np.ndarray]


def fold_batch_norm(program: Program, weights: Weights) -> tuple[Program, dict[str, np.ndarray]]:
    """Put each batch norm into the convolution or dense layer before it, for prediction.

    Use it on a net that has learned: with the statistics fixed, y = (W x + b - mean) * scale +
    shift is again a layer, with weights W * scale and bias (b - mean) * scale + shift. A step
    stays as it is where someone else would notice: its value is read elsewhere or is a result,
    or its weights or those of the batch norm are shared.

    Shape:   every value that is left keeps its shape
    Params:  per batch norm 4 * C fewer, and C more where the layer had no bias
    Raises:  nothing
    Source:  Jacob et al. 2018, arXiv:1712.05877, section 3.2

    >>> from foveal.net import Net
    >>> program = Net.of(Conv(4, 3, bias=False), BatchNorm()).bind((1, 5, 5))
    >>> weights = {path: np.ones(t.shape, np.float32) for path, t in program.tensors().items()}
    >>> folded, weights = fold_batch_norm(program, weights)
    >>> [step.path for step in folded.steps], list(weights)
    (['conv1'], ['conv1.weight', 'conv1.bias'])
    """
    uses = Counter(value for step in program.steps for value in step.inputs)
    uses.update(value for _, value in program.results)
    owners = Counter(step.owner for step in program.steps)
    made_by: dict[int, Step] = {}
    folded = dict(weights)
    for step in program.steps:
        before = made_by.get(step.inputs[0])
        if (
            isinstance(step.kind, BatchNorm)
            and before is not None
            and isinstance(before.kind, Conv | Dense)
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
    gain, shift, mean, var = (weights[path] for path in norm.tensor_paths().values())
    scale = gain / np.sqrt(var + np.float64(eps))
    weight = weights[old["weight"]]
    bias = weights[old["bias"]] if "bias" in old else np.zeros_like(mean)
    columns = scale.astype(weight.dtype).reshape(-1, *(1,) * (weight.ndim - 1))
    return {
        new["weight"]: weight * columns,
        new["bias"]: ((bias - mean) * scale + shift).astype(weight.dtype),
    }
