"""Operators that normalise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from foveal.importing.onnx.reading import Here, Row
from foveal.importing.onnx.values import Value
from foveal.net.layers import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm


def batch_norm(here: Here) -> Value:
    """ONNX counts the share of the old statistics as momentum, we that of the new ones."""
    x, weight, bias, mean, var = here.flow(), *map(here.weights, range(1, 5))
    here.must_be("training_mode", 0)
    here.must_be("spatial", 1)
    share = 1 - here.option("momentum", 0.9)
    kind = BatchNorm(eps=here.option("epsilon", 1e-5), momentum=round(share, 6))
    return here.layer(
        kind, here.plain(x), weight=weight, bias=bias, running_mean=mean, running_var=var
    )


def instance_norm(here: Here) -> Value:
    """Of channels that were laid out in groups before, it is the norm of each group."""
    x, weight, bias = here.flow(), here.weights(1), here.weights(2)
    eps = here.option("epsilon", 1e-5)
    if x.places is None or not x.is_laid_out():
        return here.layer(InstanceNorm(eps=eps), here.plain(x), weight=weight, bias=bias)
    if (weight != 1).any() or (bias != 0).any():
        raise here.refusal("has weights for groups of channels, and layers have them for channels")
    return here.pointwise(GroupNorm(x.shape[0], eps=eps, affine=False), x)


def group_norm(here: Here) -> Value:
    """Weights for groups, as it had them at first, become those of their channels."""
    x, weight, bias = here.plain(here.flow()), here.weights(1), here.weights(2)
    groups = here.option("num_groups", 1)
    here.must_be("stash_type", 1)
    if here.opset < 21:
        weight, bias = (np.repeat(each, x.whole[0] // max(1, groups)) for each in (weight, bias))
    kind = GroupNorm(groups, eps=here.option("epsilon", 1e-5))
    return here.layer(kind, x, weight=weight, bias=bias)


def layer_norm(here: Here) -> Value:
    """Over the channels, wherever the graph has them, or over all of a sample."""
    x, weight, bias = here.flow(), here.given(1), here.given(2)
    here.must_be("stash_type", 1)
    eps, rank = here.option("epsilon", 1e-5), len(x.shape) + 1
    axis = here.axis("axis", -1, rank)
    order = x.order()
    over_channels = axis == rank - 1 and order is not None and order[-1] == 0
    if over_channels and weight is None:
        return here.pointwise(LayerNorm(eps=eps, affine=False), x)
    if weight is None:  # a formula, whose weights come later
        raise here.refusal("is over the last axis, and layers do it over channels or all")
    bias = np.zeros_like(weight) if bias is None else bias
    if over_channels:
        return here.pointwise(LayerNorm(eps=eps), x, weight=weight, bias=bias)
    if axis == 1:
        x, scales = here.spread(x, weight)
        x, shifts = here.spread(x, bias)
        return here.pointwise(LayerNorm("all", eps=eps), x, weight=scales, bias=shifts)
    raise here.refusal(f"is over the axes from {axis} on, and layers do it over channels or all")


def response_norm(here: Here) -> Value:
    kind = LocalResponseNorm(
        here.option("size", 0),
        alpha=here.option("alpha", 1e-4),
        beta=here.option("beta", 0.75),
        k=here.option("bias", 1.0),
    )
    return here.layer(kind, here.plain(here.flow()))


NORMS: Mapping[str, Row] = {
    "BatchNormalization": batch_norm,
    "InstanceNormalization": instance_norm,
    "GroupNormalization": group_norm,
    "LayerNormalization": layer_norm,
    "LRN": response_norm,
}
