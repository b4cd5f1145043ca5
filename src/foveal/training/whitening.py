"""Patch whitening: first filters that are found in the pictures instead of drawn."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from foveal.engines.pytorch import Module
from foveal.errors import SpecError
from foveal.net.kind import per_axis
from foveal.net.layers import Conv, Dense
from foveal.net.program import Step

SHRINKAGE = 5e-4
"""Added to the variances, as a share of their mean (Jordan 2024, arXiv:2404.00498: 5e-4)."""


@torch.no_grad()
def whiten(module: Module, x: Tensor) -> None:
    """Start every layer whose `init` is whitening with what it reads of some pictures.

    Its filters become the principal components of the patches, each divided by its deviation,
    strongest first; then the same with the other sign; filters beyond twice their number stay as
    they are. What it makes is then uncorrelated and of variance 1, which learns faster.

    Shape:   x: (N, C, ...) as the net reads it
    Raises:  SpecError if the layer is neither a convolution without groups nor dense
    Source:  Coates & Ng 2012; Page 2019, "How to train your ResNet"; Jordan 2024, arXiv:2404.00498
    """
    for step in _whitening(module):
        layer = module.get_submodule(step.owner)
        arriving: list[Tensor] = []
        hook = layer.register_forward_pre_hook(lambda _, xs, to=arriving: to.append(xs[0]))
        try:
            module(x)
        finally:
            hook.remove()
        weight = layer.get_parameter("weight")
        weight.copy_(whitened(_patches(step, arriving[0]), weight))


def whitened(patches: Tensor, weight: Tensor) -> Tensor:
    """A weight with the whitening filters of patches (number, values) in its first rows."""
    centred = patches.double() - patches.double().mean(0)
    variances, directions = torch.linalg.eigh(centred.T @ centred / max(1, len(centred) - 1))
    scale = (variances + SHRINKAGE * variances.mean()).clamp_min(1e-12).rsqrt()
    rows = (directions * scale).T.flip(0)
    # The sign of an eigenvector is nobody's choice: its largest number is made positive.
    largest = rows.gather(1, rows.abs().argmax(1, keepdim=True))
    rows = torch.cat([rows * largest.sign(), -rows * largest.sign()])[: len(weight)]
    made = weight.detach().clone().flatten(1)
    made[: len(rows)] = rows.to(made.dtype)
    return made.reshape(weight.shape)


def _whitening(module: Module) -> Iterator[Step]:
    for step, path, tensor in module.program.owned():
        if tensor.init != "whitening":
            continue
        kind = step.kind
        if isinstance(kind, Dense) or (
            isinstance(kind, Conv) and kind.groups == 1 and not kind.shared
        ):
            yield step
        else:
            raise SpecError(
                "init whitening is for dense and for conv without groups",
                where=path,
                fix="init orthogonal",
            )


def _patches(step: Step, x: Tensor) -> Tensor:
    """Every patch that a kernel could read of x, with its values in a row."""
    if not isinstance(step.kind, Conv):
        return x
    sizes = per_axis(step.kind, "kernel_size", step.kind.kernel_size, x.dim() - 2)
    for axis, size in enumerate(sizes, start=2):
        x = x.unfold(axis, min(size, x.shape[axis]), 1)
    values = x.movedim(1, 1 + len(sizes))
    return values.reshape(-1, values.shape[1 + len(sizes) :].numel())
