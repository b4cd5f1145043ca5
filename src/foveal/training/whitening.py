"""Patch whitening: first filters that are found in the pictures instead of drawn."""

from __future__ import annotations

from collections.abc import Container, Iterator

import torch
from torch import Tensor

from foveal.engines.pytorch import Module
from foveal.engines.pytorch.padding import padded
from foveal.errors import SpecError
from foveal.net.kind import per_axis
from foveal.net.layers import Conv, Dense
from foveal.net.program import Step

SHRINKAGE = 5e-4
"""Added to the variances, as a share of their mean (Jordan 2024, arXiv:2404.00498: 5e-4)."""


MOST_VALUES = 2**24
"""How many numbers of patches lie in memory at once: 128 MiB."""


@torch.no_grad()
def whiten(module: Module, x: Tensor, brought: Container[str] = ()) -> None:
    """Start every layer whose `init` is whitening with what it reads of some pictures.

    Its filters become the principal components of the patches, each divided by its deviation,
    strongest first; then the same with the other sign; filters beyond twice their number stay as
    they are. What it makes is then uncorrelated and of variance 1, which learns faster. Weights
    whose paths are among `brought` stay.

    Shape:   x: (N, C, ...) as the net reads it
    Raises:  SpecError if the layer is neither a convolution without groups nor dense, or divides
             its filters by their sum
    Source:  Coates & Ng 2012; Page 2019, "How to train your ResNet"; Jordan 2024, arXiv:2404.00498
    """
    layers = dict(module.named_modules())
    for step in _whitening(module, brought):
        layer = layers[step.owner]
        arriving: list[Tensor] = []
        hook = layer.register_forward_pre_hook(lambda _, xs, to=arriving: to.append(xs[0]))
        try:
            module(x)
        finally:
            hook.remove()
        weight = layer.get_parameter("weight")
        turns = isinstance(step.kind, Conv) and step.kind.flip
        turned = list(range(2, weight.dim())) if turns else []
        covariance = _covariance(_patches(step, arriving[0]), weight[0].numel())
        found = whitened(covariance, weight.flip(turned))
        weight.copy_(found.flip(turned))
        if "gain" in step.tensor_paths():
            layer.get_parameter("gain").copy_(weight.flatten(1).norm(dim=1))


def whitened(covariance: Tensor, weight: Tensor) -> Tensor:
    """A weight with the whitening filters of patches, by their covariance, in its first rows."""
    variances, directions = torch.linalg.eigh(covariance)
    scale = (variances + SHRINKAGE * variances.mean()).clamp_min(1e-12).rsqrt()
    rows = (directions * scale).T.flip(0)
    # The sign of an eigenvector is nobody's choice: its largest number is made positive.
    largest = rows.gather(1, rows.abs().argmax(1, keepdim=True))
    rows = torch.cat([rows * largest.sign(), -rows * largest.sign()])[: len(weight)]
    made = weight.detach().clone().flatten(1)
    made[: len(rows)] = rows.to(made.dtype)
    return made.reshape(weight.shape)


def _whitening(module: Module, brought: Container[str]) -> Iterator[Step]:
    for step, path, tensor in module.program.owned():
        if tensor.init != "whitening" or path in brought:
            continue
        kind = step.kind
        mixes = isinstance(kind, Conv) and kind.groups == 1 and not kind.shared
        if not (mixes or isinstance(kind, Dense)):
            raise SpecError(
                "init whitening is for dense and for conv without groups",
                where=path,
                fix="init orthogonal",
            )
        if isinstance(kind, Conv | Dense) and kind.weight == "unit_sum":
            raise SpecError(
                "filters that whiten cannot be divided by their sum, which is near 0",
                where=path,
                fix="leave out unit_sum",
            )
        yield step


def _covariance(patches: Tensor, num_values: int) -> Tensor:
    """How the values of a patch vary together, over all patches; a part of them at a time."""
    several = max(1, MOST_VALUES * len(patches) // patches.numel())
    parts = [patches[start : start + several] for start in range(0, len(patches), several)]
    count = patches.numel() // num_values
    mean = torch.zeros(num_values, dtype=torch.float64, device=patches.device)
    for part in parts:
        mean += part.reshape(-1, num_values).double().sum(0) / count
    made = torch.zeros(num_values, num_values, dtype=torch.float64, device=patches.device)
    for part in parts:
        centred = part.reshape(-1, num_values).double() - mean
        made += centred.T @ centred
    return made / max(1, count - 1)


def _patches(step: Step, x: Tensor) -> Tensor:
    """Every patch that a kernel could read of x: (N, *positions, C, *kernel), without a copy.

    Of a picture smaller than the kernel, with its padding.
    """
    if not isinstance(step.kind, Conv):
        return x
    axes = x.dim() - 2
    sizes = per_axis(step.kind, "kernel_size", step.kind.kernel_size, axes)
    dilation = per_axis(step.kind, "dilation", step.kind.dilation, axes)
    spans = [d * (size - 1) + 1 for size, d in zip(sizes, dilation, strict=True)]
    if any(span > n for span, n in zip(spans, x.shape[2:], strict=True)):
        x = padded(x, step.pads, step.kind.fill)
    for axis, (span, d) in enumerate(zip(spans, dilation, strict=True), start=2):
        x = x.unfold(axis, span, 1)[..., ::d]
    return x.movedim(1, 1 + axes)
