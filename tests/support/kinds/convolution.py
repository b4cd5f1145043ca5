"""Convolution."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import torch
from support.kinds.drawing import (
    Example,
    Generator,
    Oracle,
    Random,
    Tensors,
    Weight,
    Work,
    axes,
    chance,
    channels,
    divisor,
    padding,
    size,
    weight,
)
from support.kinds.margins import each, filled
from torch.nn import functional as F

from foveal.net.combinators import Item
from foveal.net.kind import Kind, Shape, Tensor
from foveal.net.layers import Conv, ConvTranspose, Depthwise, LocallyConnected


def conv(random: Random, shape: Shape) -> Item:
    out_channels = channels(random)
    groups = divisor(random, shape[0], out_channels)
    return Conv(out_channels, groups=groups, **sliding(random, shape), **filtering(random))


def depthwise(random: Random, shape: Shape) -> Item:
    multiplier = int(random.integers(1, 3))
    return Depthwise(multiplier=multiplier, **sliding(random, shape), **filtering(random))


def local(random: Random, shape: Shape) -> Item:
    return LocallyConnected(int(random.integers(1, 4)), **sliding(random, shape))


def transposed(random: Random, shape: Shape) -> Item:
    count, out_channels = axes(shape), channels(random)
    stride, dilation = size(random, 3, count), size(random, 2, count)
    room = min(max(pair) for pair in zip(each(stride, count), each(dilation, count), strict=True))
    return ConvTranspose(
        out_channels,
        size(random, 4, count),
        stride=stride,
        padding=padding(random, count, ("valid", "same", "same_lower")),
        output_padding=int(random.integers(room)) if chance(random, 0.4) else 0,
        dilation=dilation,
        groups=divisor(random, shape[0], out_channels),
        bias=chance(random, 0.7),
    )


def sliding(random: Random, shape: Shape) -> dict[str, Any]:
    """How a kernel slides, in a picture and a padding of any kind."""
    count = axes(shape)
    words = ("valid", "same", "same_lower", "preserve", *("causal",) * (count == 1))
    fills = (0.0, 0.0, 0.0, -2.0, "reflect", "replicate", "circular")
    return {
        "kernel_size": size(random, 4, count),
        "stride": size(random, 3, count),
        "padding": padding(random, count, words),
        "dilation": size(random, 2, count),
        "fill": fills[random.integers(len(fills))],
        "bias": chance(random, 0.7),
    }


def filtering(random: Random) -> dict[str, Any]:
    """What is done to filters before they are used: most often nothing."""
    weights = ("free", "free", "free", "unit_sum", "weight_norm")
    return {
        "flip": chance(random, 0.2),
        "shared": chance(random, 0.2),
        "weight": weights[random.integers(len(weights))],
    }


def correlation(kind: Conv | Depthwise, xs: tuple[torch.Tensor, ...], w: Tensors) -> torch.Tensor:
    x, filters = filled(kind, xs[0]), w["weight"]
    inner = tuple(range(1, filters.ndim))
    channels, groups = x.shape[1], kind.groups if isinstance(kind, Conv) else x.shape[1]
    if kind.weight == "weight_norm":
        filters = torch._weight_norm(filters, w["gain"].reshape(-1, *(1,) * len(inner)), 0)
    if kind.shared:
        repeats = (1, channels // groups) if isinstance(kind, Conv) else (channels, 1)
        filters = filters.repeat(*repeats, *(1,) * (len(inner) - 1))
    if kind.weight == "unit_sum":
        filters = filters / filters.sum(inner, keepdim=True)
    if kind.flip:
        filters = filters.flip(inner[1:])
    convolve: Any = (F.conv1d, F.conv2d, F.conv3d)[x.ndim - 3]
    made: torch.Tensor = convolve(x, filters, w.get("bias"), kind.stride, 0, kind.dilation, groups)
    return made


def unshared(kind: LocallyConnected, xs: tuple[torch.Tensor, ...], w: Tensors) -> torch.Tensor:
    """Position by position, each with its own kernel."""
    x, filters = filled(kind, xs[0]), w["weight"]
    count = x.ndim - 2
    maps = filters.shape[1 : 1 + count]
    y = x.new_zeros(len(x), kind.out_channels, *maps)
    fields = (kind.kernel_size, kind.stride, kind.dilation)
    kernel, stride, dilation = (each(field, count) for field in fields)
    for place in product(*map(range, maps)):
        tiles = zip(place, stride, dilation, kernel, strict=True)
        reads = tuple(slice(p * s, p * s + (k - 1) * d + 1, d) for p, s, d, k in tiles)
        patch = x[(slice(None), slice(None), *reads)].flatten(1)
        y[(slice(None), slice(None), *place)] = patch @ filters[(slice(None), *place)].flatten(1).T
    return y + w["bias"] if kind.bias else y


def laid_down(kind: ConvTranspose, xs: tuple[torch.Tensor, ...], w: Tensors) -> torch.Tensor:
    """All that the kernels cover by PyTorch, then cut or lengthened to what is wanted."""
    count, bias = xs[0].ndim - 2, w.get("bias")
    lay: Any = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[count - 1]
    y: torch.Tensor = lay(
        xs[0], w["weight"], None, kind.stride, groups=kind.groups, dilation=kind.dilation
    )
    more, pads = each(kind.output_padding, count), each(kind.padding, count)
    wanted = zip(xs[0].shape[2:], each(kind.stride, count), more, pads, strict=True)
    for axis, (n, stride, extra, pad) in enumerate(wanted, start=2):
        covered = y.shape[axis] + extra
        if pad in ("same", "same_lower"):
            spare = max(covered - n * stride, 0)
            before = spare // 2 if pad == "same" else spare - spare // 2
            after = covered - before - n * stride
        else:
            before, after = (0, 0) if pad == "valid" else each(pad, 2)
        sides = [0, 0] * (y.ndim - 1 - axis) + [-before, extra - after]
        y = F.pad(y, sides)
    return y if bias is None else y + bias.reshape(-1, *(1,) * count)


GENERATORS: dict[type[Kind], Generator] = {
    Conv: conv,
    Depthwise: depthwise,
    ConvTranspose: transposed,
    LocallyConnected: local,
}

EXAMPLES: dict[type[Kind], list[Example]] = {
    Conv: [
        (Conv(3, 3), ((2, 6, 5),), (3, 4, 3)),
        (Conv(3, 3, padding="same"), ((2, 6, 5),), (3, 6, 5)),
        (Conv(2, 4, stride=2, padding="same"), ((2, 7, 6),), (2, 4, 3)),
        (Conv(2, (3, 1), stride=(2, 3)), ((3, 7, 5),), (2, 3, 2)),
        (Conv(2, 3, padding=((0, 2), 1)), ((2, 5, 4),), (2, 5, 4)),
        (Conv(2, 3, dilation=(2, 1)), ((2, 7, 5),), (2, 3, 3)),
        (Conv(4, (2, 3), stride=(2, 1), padding="same", groups=2), ((2, 5, 6),), (4, 3, 6)),
        (
            Conv(6, (3, 2), stride=(2, 1), padding=((1, 2), 0), dilation=(1, 2), groups=2),
            ((4, 7, 6),),
            (6, 4, 4),
        ),
        (Conv(2, 3), ((3, 9),), (2, 7)),
        (Conv(2, 3, padding=((1, 2),), dilation=2, bias=False), ((2, 7),), (2, 6)),
        (Conv(2, 3, padding="same", stride=2, bias=False), ((3, 6),), (2, 3)),
        (Conv(2, 3), ((1, 4, 3, 3),), (2, 2, 1, 1)),
        (Conv(2, 2, stride=2, padding=1), ((3, 4, 3, 4),), (2, 3, 2, 3)),
        (Conv(2, 2, padding=(1, 0, 2)), ((1, 3, 4, 2),), (2, 4, 3, 5)),
        (Conv(2, 4, padding="same_lower", fill="reflect"), ((2, 6, 5),), (2, 6, 5)),
        (Conv(1, 4, stride=2, padding="preserve", fill="replicate"), ((1, 5, 6),), (1, 5, 6)),
        (Conv(2, 3, dilation=2, padding="causal", fill=0.5), ((2, 5),), (2, 5)),
        (Conv(2, 3, padding=((2, 1), 0), fill="circular", groups=2), ((2, 3, 4),), (2, 4, 2)),
        (Conv(2, 3, flip=True, shared=True, weight="unit_sum"), ((3, 4, 5),), (2, 2, 3)),
        (Conv(4, (2, 3), weight="weight_norm", groups=2), ((4, 3, 4),), (4, 2, 2)),
    ],
    Depthwise: [
        (Depthwise(3, padding="same"), ((3, 4, 5),), (3, 4, 5)),
        (Depthwise(2, multiplier=2, stride=2, bias=False), ((2, 5),), (4, 2)),
        (Depthwise(2, shared=True, weight="unit_sum", bias=False), ((3, 4, 4),), (3, 3, 3)),
        (Depthwise(2, multiplier=2, shared=True, weight="weight_norm"), ((2, 3, 3),), (4, 2, 2)),
        (Depthwise((1, 2, 3), dilation=(2, 1, 1), flip=True), ((2, 2, 3, 4),), (2, 2, 2, 2)),
    ],
    ConvTranspose: [
        (ConvTranspose(2, 4, stride=2, padding=1), ((3, 3, 4),), (2, 6, 8)),
        (ConvTranspose(2, 3), ((2, 3, 3),), (2, 5, 5)),
        (ConvTranspose(2, 3, stride=2, padding=1, output_padding=1), ((1, 4),), (2, 8)),
        (ConvTranspose(4, 3, stride=(2, 3), padding="same", groups=2), ((2, 2, 3),), (4, 4, 9)),
        (ConvTranspose(1, 2, stride=3, padding="same_lower", bias=False), ((1, 3),), (1, 9)),
        (ConvTranspose(2, 3, dilation=2, padding=((1, 2), 0)), ((2, 3, 2),), (2, 4, 6)),
        (ConvTranspose(1, 2, stride=2), ((2, 2, 1, 3),), (1, 4, 2, 6)),
    ],
    LocallyConnected: [
        (LocallyConnected(2, 3), ((2, 4, 5),), (2, 2, 3)),
        (LocallyConnected(1, 3, stride=2, padding="same", fill="reflect"), ((2, 5, 4),), (1, 3, 2)),
        (LocallyConnected(2, 2, dilation=2, bias=False), ((3, 5),), (2, 3)),
        (LocallyConnected(1, 2, padding=((1, 0), 0, 0)), ((1, 2, 2, 3),), (1, 2, 1, 2)),
    ],
}

WORK: list[Work] = [
    (
        Conv(8, (3, 5), groups=2),
        ((4, 9, 7),),
        [Tensor("weight", (8, 2, 3, 5), init=None, fans=(30, 60)), Tensor("bias", (8,))],
        8 * 7 * 3 * 2 * 15,
    ),
    (
        Conv(8, 3, bias=False, frozen=True, init="normal:0.02"),
        ((4, 9),),
        [Tensor("weight", (8, 4, 3), init="normal:0.02", fans=(12, 24), frozen=True)],
        8 * 7 * 12,
    ),
    (
        Conv(8, 3, shared=True, weight="weight_norm"),
        ((4, 9),),
        [
            Tensor("weight", (8, 1, 3), init=None, fans=(12, 24)),
            Tensor("gain", (8,), init="norm"),
            Tensor("bias", (8,)),
        ],
        8 * 7 * 12,
    ),
    (
        Conv(1, 3, bias=False, init="sharpen"),
        ((2, 5, 5),),
        [Tensor("weight", (1, 2, 3, 3), init=(0, -1, 0, -1, 5, -1, 0, -1, 0), fans=(18, 9))],
        9 * 18,
    ),
    (
        Depthwise(3, multiplier=2),
        ((4, 5, 5),),
        [Tensor("weight", (8, 1, 3, 3), init=None, fans=(9, 18)), Tensor("bias", (8,))],
        8 * 9 * 9,
    ),
    (
        ConvTranspose(6, 4, stride=2, padding=1, groups=2),
        ((4, 3, 3),),
        [Tensor("weight", (4, 3, 4, 4), init=None, fans=(8, 48)), Tensor("bias", (6,))],
        4 * 9 * 3 * 16,
    ),
    (
        LocallyConnected(1, 5),
        ((3, 28, 28),),
        [
            Tensor("weight", (1, 24, 24, 3, 5, 5), init=None, fans=(75, 25)),
            Tensor("bias", (1, 24, 24)),
        ],
        24 * 24 * 75,
    ),
]


def weights(random: Random, kind: Kind, tensor: Tensor) -> np.ndarray:
    """Filters that are divided by their sum have one that is not near zero."""
    if isinstance(kind, Conv | Depthwise) and kind.weight == "unit_sum":
        return random.uniform(0.5, 1.5, tensor.shape)
    return weight(random, kind, tensor)


WEIGHTS: dict[type[Kind], Weight] = {Conv: weights, Depthwise: weights}
ORACLES: dict[type[Kind], Oracle] = {
    Conv: correlation,
    Depthwise: correlation,
    ConvTranspose: laid_down,
    LocallyConnected: unshared,
}
EXACT: set[type[Kind]] = {Conv, Depthwise, ConvTranspose, LocallyConnected}
ROUNDED: dict[type[Kind], Callable[[Any], bool]] = {
    Conv: lambda kind: kind.weight != "free",
    Depthwise: lambda kind: kind.weight != "free",
}
LACKING: set[type[Kind]] = {Conv, Depthwise, LocallyConnected}
