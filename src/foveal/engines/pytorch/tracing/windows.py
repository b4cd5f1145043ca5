"""Functions that make maps smaller or larger: pools, borders, interpolation."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from foveal.engines.pytorch.tracing.call import Call
from foveal.engines.pytorch.tracing.layout import relaid
from foveal.engines.pytorch.tracing.value import Row, Value
from foveal.errors import SpecError
from foveal.importing.sizes import alike
from foveal.net.kind import Kind
from foveal.net.layers import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    GlobalAvgPool,
    GlobalMaxPool,
    GlobalMinPool,
    GlobalSumPool,
    LpPool,
    MaxPool,
    Pad,
    Upsample,
)

Sizes = int | Sequence[int]


def max_pool(
    call: Call,
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Value:
    kind = MaxPool(*_window(kernel_size, stride, padding), alike(dilation), ceil_mode)
    return call.step(kind, input)


def avg_pool(
    call: Call,
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Value:
    if divisor_override is not None:
        raise SpecError("divides by a number of its own (divisor_override)", fix="sum or mean")
    window = _window(kernel_size, stride, padding)
    counted = count_include_pad and window[2] != "valid"
    return call.step(AvgPool(*window, ceil=ceil_mode, count_include_pad=counted), input)


def lp_pool(
    call: Call,
    input: Tensor,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Value:
    if norm_type % 2 or norm_type <= 0 or ceil_mode:
        raise SpecError(
            f"has norm_type {norm_type:g} and ceil_mode {ceil_mode}, and PyTorch then makes no"
            " p-norm of it",
            expected="an even norm_type and ceil_mode=False",
        )
    return call.step(LpPool(*_window(kernel_size, stride, 0), p=int(norm_type)), input)


def adaptive_avg_pool(call: Call, input: Tensor, output_size: object) -> Value:
    return _adaptive(call, input, GlobalAvgPool(keep=True), AdaptiveAvgPool)


def adaptive_max_pool(
    call: Call, input: Tensor, output_size: object, return_indices: bool = False
) -> Value:
    return _adaptive(call, input, GlobalMaxPool(keep=True), AdaptiveMaxPool)


def mean(call: Call, input: Tensor, dim: Sizes | None = None, keepdim: bool = False) -> Value:
    return _over(call, input, dim, keepdim, GlobalAvgPool(keep=True))


def amax(call: Call, input: Tensor, dim: Sizes | None = None, keepdim: bool = False) -> Value:
    return _over(call, input, dim, keepdim, GlobalMaxPool(keep=True))


def amin(call: Call, input: Tensor, dim: Sizes | None = None, keepdim: bool = False) -> Value:
    return _over(call, input, dim, keepdim, GlobalMinPool(keep=True))


def sum(call: Call, input: Tensor, dim: Sizes | None = None, keepdim: bool = False) -> Value:
    return _over(call, input, dim, keepdim, GlobalSumPool(keep=True))


def interpolate(
    call: Call,
    input: Tensor,
    size: object = None,
    scale_factor: object = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Value:
    if mode not in _MODES or antialias:
        raise SpecError(
            f"resizes with mode '{mode}'{' and antialias' * antialias}",
            expected="nearest, or linear without antialias",
        )
    return call.step(Upsample(_factors(call, input), _MODES[mode], bool(align_corners)), input)


def expand(call: Call, input: Tensor, *sizes: object) -> Value:
    """Values are repeated along axes that have one position."""
    return call.step(Upsample(_factors(call, input)), input)


def pad(
    call: Call,
    input: Tensor,
    pad: Sequence[int],
    mode: str = "constant",
    value: float | None = None,
) -> Value:
    """Pairs of before and after, the last axis first."""
    pairs = list(zip(pad[::2], pad[1::2], strict=True))
    axes = input.dim() - 2
    if any(map(any, pairs[axes:])):
        raise SpecError("pads the channels", expected="a border around maps")
    pairs = [*pairs, *[(0, 0)] * (axes - len(pairs))][:axes]
    sides = tuple(a if a == b else (a, b) for a, b in reversed(pairs))
    if not any(sides):
        return call.value(input)
    fill = float(value or 0) if mode == "constant" else mode
    alike = len(set(sides)) == 1 and isinstance(sides[0], int)
    return call.step(Pad(sides[0] if alike else sides, fill), input)


_MODES = {
    "nearest": "nearest",
    "nearest-exact": "nearest",
    "linear": "linear",
    "bilinear": "linear",
    "trilinear": "linear",
}


def _window(
    kernel_size: Sizes, stride: Sizes | None, padding: Sizes
) -> tuple[int | tuple[int, ...], int | tuple[int, ...] | None, str | int | tuple[int, ...]]:
    """Kernel, stride unless it is the kernel's size, and padding."""
    kernel = alike(kernel_size)
    step = alike(stride) if stride else None
    return kernel, None if step == kernel else step, alike(padding) or "valid"


def _adaptive(call: Call, input: Tensor, whole: Kind, kind: type) -> Value:
    sizes = tuple(call.made.shape[2:])
    return call.step(whole if set(sizes) == {1} else kind(alike(sizes)), input)


def _over(call: Call, input: Tensor, dim: Sizes | None, keepdim: bool, kind: Kind) -> Value:
    """A number for all positions of each channel."""
    value, every = call.value(input), range(input.dim())
    dims = every if dim is None else [dim] if isinstance(dim, int) else dim
    over = sorted(value.axes[place] for place in dims)
    if value.axes[0] != 0 or not over or over != list(range(2, input.dim())):
        raise SpecError(
            "takes one number of other axes than all those of a map",
            expected="one number for each channel",
        )
    pooled = call.node(kind, (value.name,), value.axes)
    return pooled if keepdim else relaid(call, pooled)


def _factors(call: Call, input: Tensor) -> int | tuple[int, ...]:
    """How many times as large each axis of a map has become."""
    sizes = list(zip(call.made.shape[2:], input.shape[2:], strict=True))
    if call.made.shape[:2] != input.shape[:2] or any(a % b for a, b in sizes):
        raise SpecError(
            "makes maps larger by a factor that is not whole, or smaller, or repeats channels",
            expected="a whole factor for each axis of a map",
        )
    return alike([a // b for a, b in sizes])


ROWS: dict[str, Row] = {
    **dict.fromkeys(("max_pool1d", "max_pool2d", "max_pool3d"), max_pool),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d", "avg_pool3d"), avg_pool),
    **dict.fromkeys(("lp_pool1d", "lp_pool2d", "lp_pool3d"), lp_pool),
    **{f"adaptive_avg_pool{axes}d": adaptive_avg_pool for axes in (1, 2, 3)},
    **{f"adaptive_max_pool{axes}d": adaptive_max_pool for axes in (1, 2, 3)},
    "mean": mean,
    "amax": amax,
    "amin": amin,
    "sum": sum,
    "interpolate": interpolate,
    "expand": expand,
    "expand_as": expand,
    "pad": pad,
}
