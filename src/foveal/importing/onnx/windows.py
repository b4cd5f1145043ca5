"""Operators that slide a window over a picture, or lay it out larger."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from foveal.importing.onnx.arrays import Array
from foveal.importing.onnx.reading import Here, Row
from foveal.importing.onnx.values import Value
from foveal.importing.sizes import alike
from foveal.net.kind import Shape, shape_text
from foveal.net.layers import (
    AvgPool,
    Conv,
    ConvTranspose,
    Depthwise,
    GlobalAvgPool,
    GlobalLpPool,
    GlobalMaxPool,
    LpPool,
    MaxPool,
    Pad,
    Upsample,
)

Padding = str | int | tuple[int | tuple[int, int], ...]
_AUTO_PAD = {"VALID": "valid", "SAME_UPPER": "same", "SAME_LOWER": "same_lower"}
_FILLS = {"reflect": "reflect", "edge": "replicate", "wrap": "circular"}


def sides(pads: Shape) -> Padding:
    """Padding before all axes and then after them, as our layers say it."""
    axes = len(pads) // 2
    each = tuple(zip(pads[:axes], pads[axes:], strict=True))
    if not any(pads):
        return "valid"
    if len(set(each)) == 1 and each[0][0] == each[0][1]:
        return each[0][0]
    return tuple(before if before == after else (before, after) for before, after in each)


def padding(here: Here, axes: int) -> Padding:
    word, pads = here.option("auto_pad", "NOTSET"), here.wholes("pads")
    if word in _AUTO_PAD:
        return _AUTO_PAD[word]
    if word != "NOTSET":
        raise here.refusal(f"has the option auto_pad {word!r}, which is not known")
    return sides(_for_each(here, "pads", pads, 2 * axes, 0))


def _for_each(here: Here, name: str, said: Shape | None, count: int, default: int) -> Shape:
    if said is not None and len(said) != count:
        raise here.refusal(f"has {len(said)} numbers in {name}, where there must be {count}")
    return (default,) * count if said is None else said


def _sizes(here: Here, name: str, axes: int, default: int = 1) -> int | Shape:
    return alike(_for_each(here, name, here.wholes(name), axes, default))


def _kernel(here: Here, weight: Array) -> Shape:
    """The size of a kernel, which its weights say; an option may repeat it."""
    kernel: Shape = weight.shape[2:]
    if not kernel or here.wholes("kernel_shape") not in (None, kernel):
        raise here.refusal("has a kernel of another size than its weights")
    return kernel


def conv(here: Here) -> Value:
    x, weight, bias = here.plain(here.flow()), here.weights(1), here.given(2)
    kernel = _kernel(here, weight)
    axes, groups = len(kernel), here.option("group", 1)
    common = {
        "kernel_size": alike(kernel),
        "stride": _sizes(here, "strides", axes),
        "padding": padding(here, axes),
        "dilation": _sizes(here, "dilations", axes),
        "bias": bias is not None,
    }
    tensors = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
    if groups == x.whole[0] > 1 and len(weight) % groups == 0:
        return here.layer(Depthwise(multiplier=len(weight) // groups, **common), x, **tensors)  # type: ignore[arg-type]
    return here.layer(Conv(len(weight), groups=groups, **common), x, **tensors)  # type: ignore[arg-type]


def conv_transpose(here: Here) -> Value:
    x, weight, bias = here.plain(here.flow()), here.weights(1), here.given(2)
    kernel = _kernel(here, weight)
    axes, groups = len(kernel), here.option("group", 1)
    if here.wholes("output_shape") is not None:
        raise here.refusal(
            "has the option output_shape, which no layer has", fix="say pads and output_padding"
        )
    kind = ConvTranspose(
        weight.shape[1] * groups,
        alike(kernel),
        stride=_sizes(here, "strides", axes),
        padding=padding(here, axes),
        output_padding=_sizes(here, "output_padding", axes, 0),
        dilation=_sizes(here, "dilations", axes),
        groups=groups,
        bias=bias is not None,
    )
    tensors = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
    return here.layer(kind, x, **tensors)


def pool(here: Here, kind: type[MaxPool | AvgPool | LpPool]) -> Value:
    x, kernel = here.plain(here.flow()), here.wholes("kernel_shape")
    if not kernel:
        raise here.refusal("has no kernel_shape")
    axes = len(kernel)
    stride = _sizes(here, "strides", axes)
    pads = padding(here, axes)
    more: dict[str, Any] = {}
    if kind is AvgPool:
        counted = bool(here.option("count_include_pad", 0))
        more["count_include_pad"] = counted and pads != "valid"
    if kind is LpPool:
        more["p"] = here.option("p", 2)
    if kind is MaxPool:
        here.must_be("storage_order", 0, 1)  # of indices, which nothing reads
    made = kind(
        alike(kernel),
        stride=None if stride == alike(kernel) else stride,
        padding=pads,
        dilation=_sizes(here, "dilations", axes),
        ceil=bool(here.option("ceil_mode", 0)),
        **more,
    )
    # What is left of an adaptive pool that finds its size already.
    return x if made in (AvgPool(1), MaxPool(1)) else here.layer(made, x)


def global_pool(here: Here, kind: type[GlobalAvgPool | GlobalMaxPool]) -> Value:
    return here.layer(kind(keep=True), here.plain(here.flow()))


def global_lp_pool(here: Here) -> Value:
    return here.layer(GlobalLpPool(keep=True, p=here.option("p", 2)), here.plain(here.flow()))


def pad(here: Here) -> Value:
    x, mode = here.plain(here.flow()), here.option("mode", "constant")
    if here.opset < 11:
        pads, value = here.wholes("pads") or (), here.option("value", 0.0)
    else:
        pads, value = here.whole_numbers(1) or (), here.number(2, 0.0)
    axes, rank = here.whole_numbers(3), len(x.whole) + 1
    if axes is not None:
        placed = np.zeros((2, rank), int)
        placed[:, list(axes)] = np.reshape(pads, (2, len(axes)))
        pads = tuple(placed.reshape(-1).tolist())
    before, after = pads[:rank], pads[rank:]
    if len(pads) != 2 * rank or any((*before[:2], *after[:2])):
        raise here.refusal("pads samples or channels, not positions")
    if mode != "constant" and mode not in _FILLS:
        raise here.refusal(f"has the option mode {mode!r}, which no layer has")
    if not any(pads):
        return x
    explicit = sides((*before[2:], *after[2:]))
    return here.layer(Pad(explicit, fill=_FILLS.get(mode, value)), x)  # type: ignore[arg-type]


def resize(here: Here) -> Value:
    """By a whole factor, the nearest value or lines between them."""
    x, mode = here.plain(here.flow()), here.option("mode", "nearest")
    factors = _factors(here, x.whole)
    where = "asymmetric"
    if here.node.op == "Resize" and here.opset > 10:
        where = here.option("coordinate_transformation_mode", "half_pixel")
    rounding = here.option("nearest_mode", "round_prefer_floor")
    here.must_be("antialias", 0)
    here.must_be("exclude_outside", 0)
    here.must_be("keep_aspect_ratio_policy", "stretch")
    here.option("cubic_coeff_a", -0.75)
    here.option("extrapolation_value", 0.0)
    if mode == "nearest" and ((where, rounding) in _NEAREST or here.opset < 11):
        return here.layer(Upsample(alike(factors)), x)
    if mode == "linear" and where in _LINEAR:
        corners = where == "align_corners"
        return here.layer(Upsample(alike(factors), mode="linear", align_corners=corners), x)
    raise here.refusal(
        f"resizes by the rule {mode} {where} {rounding}, which no layer does",
        expected="nearest asymmetric floor, linear half_pixel or linear align_corners",
    )


def expand(here: Here) -> Value:
    """What has one position, repeated."""
    x, sizes = here.plain(here.flow()), here.whole_numbers(1) or ()
    batch, *rest = sizes or (0,)
    pairs = list(zip(rest, x.whole, strict=False))
    alike_or_one = len(rest) == len(x.whole) and all(n in (1, m) or m == 1 for n, m in pairs)
    factors = tuple(max(1, n) // m if m == 1 else 1 for n, m in pairs)
    if not alike_or_one or not (batch == 1 or here.is_batch(batch)) or factors[0] != 1:
        raise here.refusal(
            "repeats samples or channels, and layers only positions", arrives=shape_text(x.whole)
        )
    return x if set(factors) == {1} else here.layer(Upsample(alike(factors[1:])), x)


_NEAREST = (
    ("asymmetric", "floor"),
    ("half_pixel", "round_prefer_floor"),
    ("half_pixel", "round_prefer_ceil"),
)
"""By a whole factor f, output o reads floor(o / f) by each of these rules."""
_LINEAR = ("half_pixel", "pytorch_half_pixel", "align_corners")


def _factors(here: Here, whole: Shape) -> Shape:
    """How many times larger each axis becomes."""
    if here.node.op == "Upsample" or here.opset < 11:
        given = here.reals("scales") if here.opset < 9 else here.given(1)
        sizes = None
    else:
        here.given(1)  # where to cut, which only tf_crop_and_resize reads
        given, sizes = here.given(2), here.whole_numbers(3)
    axes = here.wholes("axes")
    rank = len(whole) + 1
    if sizes:
        if axes is not None or len(sizes) != rank:
            raise here.refusal("has sizes of some axes only")
        scales = np.divide(sizes[1:], whole)
        kept = here.is_batch(sizes[0])
    elif given is not None and axes is None and given.size == rank:
        kept, scales = given.reshape(-1)[0] == 1, given.reshape(-1)[1:].astype(float)
    else:
        raise here.refusal("does not say how much larger each axis becomes")
    if not kept:
        raise here.refusal("makes another batch")
    whole_factors = np.isfinite(scales) & (scales == scales.round()) & (scales >= 1)
    if scales[0] != 1 or not whole_factors.all():
        raise here.refusal(
            f"resizes by {' x '.join(f'{scale:g}' for scale in scales)}",
            expected="1 for channels, a whole factor for each axis of positions",
        )
    return tuple(map(int, scales[1:]))


WINDOWS: Mapping[str, Row] = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "MaxPool": partial(pool, kind=MaxPool),
    "AveragePool": partial(pool, kind=AvgPool),
    "LpPool": partial(pool, kind=LpPool),
    "GlobalAveragePool": partial(global_pool, kind=GlobalAvgPool),
    "GlobalMaxPool": partial(global_pool, kind=GlobalMaxPool),
    "GlobalLpPool": global_lp_pool,
    "Pad": pad,
    "Resize": resize,
    "Upsample": resize,
    "Expand": expand,
}
