"""Normalisation."""

from __future__ import annotations

import torch
from support.kinds.drawing import (
    Example,
    Generator,
    Oracle,
    Random,
    Tensors,
    Work,
    chance,
    divisor,
)
from torch.nn import functional as F

from foveal.net.combinators import Item, branches, chain
from foveal.net.kind import Kind, Shape, Tensor
from foveal.net.layers import (
    Add,
    BatchNorm,
    Conv,
    Dense,
    GroupNorm,
    Identity,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
)

Xs = tuple[torch.Tensor, ...]


def eps(random: Random) -> float:
    """Far above the rounding of values that hardly differ."""
    return float(random.choice([0.1, 1]))


def affine(random: Random) -> bool:
    return chance(random, 0.7)


def held(kind: GroupNorm | LayerNorm | InstanceNorm) -> Item:
    """Without a bias nothing but rounding may be left of values that hardly differ."""
    return kind if kind.affine else branches(Add(), kind, Identity())


def batch(random: Random, shape: Shape) -> Item:
    """Often behind a layer that it can be folded into."""
    kind = BatchNorm(eps=float(random.choice([1e-5, 1e-2])), affine=affine(random))
    if chance(random, 0.6):
        return kind
    bias = chance(random, 0.5)
    before = Conv(shape[0], 1, bias=bias) if len(shape) > 1 else Dense(shape[0], bias)
    return chain(before, kind)


def group(random: Random, shape: Shape) -> Item:
    return held(GroupNorm(divisor(random, shape[0]), eps(random), affine(random)))


def layer(random: Random, shape: Shape) -> Item:
    over = str(random.choice(["channels", "all"]))
    return held(LayerNorm(over, eps(random), affine(random)))


def instance(random: Random, shape: Shape) -> Item:
    return held(InstanceNorm(eps(random), affine(random)))


def response(random: Random, shape: Shape) -> Item:
    size, beta = int(random.integers(1, 7)), float(random.choice([0.5, 0.75, 1]))
    alpha, k = float(random.choice([1e-4, 0.5, 2])), float(random.choice([0.5, 1, 2]))
    return LocalResponseNorm(size, alpha, beta, k)


def predicting(kind: BatchNorm, xs: Xs, w: Tensors) -> torch.Tensor:
    kept = w["running_mean"], w["running_var"]
    return F.batch_norm(xs[0], *kept, *learned(w), False, 0.1, kind.eps)


def learning(kind: BatchNorm, xs: Xs, w: Tensors) -> torch.Tensor:
    kept = w["running_mean"].clone(), w["running_var"].clone()
    return F.batch_norm(xs[0], *kept, *learned(w), True, kind.momentum, kind.eps)


def learned(w: Tensors) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    return w.get("weight"), w.get("bias")


def in_groups(kind: GroupNorm, xs: Xs, w: Tensors) -> torch.Tensor:
    return F.group_norm(xs[0], kind.groups, *learned(w), kind.eps)


def in_maps(kind: InstanceNorm, xs: Xs, w: Tensors) -> torch.Tensor:
    weight, bias = learned(w)
    return F.instance_norm(xs[0], weight=weight, bias=bias, eps=kind.eps)


def in_samples(kind: LayerNorm, xs: Xs, w: Tensors) -> torch.Tensor:
    """Over the channels by taking each position as a sample of flat features."""
    x = xs[0]
    if kind.over == "all":
        return F.layer_norm(x, x.shape[1:], *learned(w), kind.eps)
    samples = x.flatten(2).transpose(1, 2) if x.ndim > 2 else x[:, None]
    made = F.layer_norm(samples, samples.shape[-1:], *learned(w), kind.eps)
    return made.transpose(1, 2).reshape(x.shape)


def among_neighbours(kind: LocalResponseNorm, xs: Xs, w: Tensors) -> torch.Tensor:
    """PyTorch's windows have the odd channel before, ours after: of channels in reverse."""
    x = xs[0].flip(1).reshape(*xs[0].shape[:2], -1)
    made = F.local_response_norm(x, kind.size, kind.alpha, kind.beta, kind.k)
    return made.reshape(xs[0].shape).flip(1)


GENERATORS: dict[type[Kind], Generator] = {
    BatchNorm: batch,
    GroupNorm: group,
    LayerNorm: layer,
    InstanceNorm: instance,
    LocalResponseNorm: response,
}

EXAMPLES: dict[type[Kind], list[Example]] = {
    BatchNorm: [
        (BatchNorm(), ((2, 4, 3),), (2, 4, 3)),
        (BatchNorm(eps=0.1), ((3,),), (3,)),
        (BatchNorm(eps=0.01), ((3, 5),), (3, 5)),
        (BatchNorm(eps=0.01), ((3, 2, 2, 2),), (3, 2, 2, 2)),
        (BatchNorm(eps=0.01, affine=False), ((3, 2, 4),), (3, 2, 4)),
    ],
    GroupNorm: [
        (GroupNorm(2), ((4, 4, 3),), (4, 4, 3)),
        (GroupNorm(1), ((3, 5),), (3, 5)),
        (GroupNorm(3, eps=0.1), ((3, 2, 2, 2),), (3, 2, 2, 2)),
        (GroupNorm(2, eps=0.1), ((8,),), (8,)),
        (GroupNorm(2, eps=0.1, affine=False), ((4, 2, 2),), (4, 2, 2)),
    ],
    LayerNorm: [
        (LayerNorm(eps=0.1), ((5, 2, 3),), (5, 2, 3)),
        (LayerNorm("all"), ((3, 3, 4),), (3, 3, 4)),
        (LayerNorm("all"), ((3, 5),), (3, 5)),
        (LayerNorm(eps=0.1), ((4, 2, 2, 3),), (4, 2, 2, 3)),
        (LayerNorm(), ((9,),), (9,)),
        (LayerNorm("all", eps=0.1, affine=False), ((2, 2, 2, 2),), (2, 2, 2, 2)),
    ],
    InstanceNorm: [
        (InstanceNorm(), ((2, 4, 3),), (2, 4, 3)),
        (InstanceNorm(eps=0.1), ((3, 5),), (3, 5)),
        (InstanceNorm(eps=0.1, affine=False), ((2, 2, 2, 3),), (2, 2, 2, 3)),
    ],
    LocalResponseNorm: [
        (LocalResponseNorm(), ((7, 3, 2),), (7, 3, 2)),
        (LocalResponseNorm(5, alpha=0.5, k=2), ((6, 3),), (6, 3)),
        (LocalResponseNorm(4, alpha=1, beta=0.5), ((5, 2, 1, 2),), (5, 2, 1, 2)),
        (LocalResponseNorm(2, alpha=2), ((5,),), (5,)),
        (LocalResponseNorm(9, alpha=1), ((3, 2, 2),), (3, 2, 2)),
    ],
}


def weight_and_bias(*shape: int) -> list[Tensor]:
    return [Tensor("weight", shape, init="one"), Tensor("bias", shape)]


STATISTICS = [
    Tensor("running_mean", (4,), trained=False),
    Tensor("running_var", (4,), trained=False, init="one"),
]
ARRIVES = ((4, 9, 7),)

WORK: list[Work] = [
    (BatchNorm(), ARRIVES, [*weight_and_bias(4), *STATISTICS], 0),
    (BatchNorm(affine=False), ARRIVES, STATISTICS, 0),
    (GroupNorm(2), ARRIVES, weight_and_bias(4), 0),
    (GroupNorm(2, affine=False), ARRIVES, [], 0),
    (LayerNorm(), ARRIVES, weight_and_bias(4), 0),
    (LayerNorm("all"), ARRIVES, weight_and_bias(4, 9, 7), 0),
    (LayerNorm(affine=False), ARRIVES, [], 0),
    (InstanceNorm(), ARRIVES, weight_and_bias(4), 0),
    (InstanceNorm(affine=False), ARRIVES, [], 0),
]

OWN: dict[type[Kind], Oracle] = {
    GroupNorm: in_groups,
    LayerNorm: in_samples,
    InstanceNorm: in_maps,
    LocalResponseNorm: among_neighbours,
}
"""Those that compute the same while they learn."""

ORACLES: dict[type[Kind], Oracle] = {BatchNorm: predicting, **OWN}
TRAINING_ORACLES: dict[type[Kind], Oracle] = {BatchNorm: learning, **OWN}
LACKING: set[type[Kind]] = {LayerNorm, LocalResponseNorm}
"""PyTorch's layer norm is over the last axes only, its response norm has other even windows."""
PRECISION: dict[type[Kind], float] = {GroupNorm: 5e-7, LayerNorm: 5e-7, InstanceNorm: 5e-7}
