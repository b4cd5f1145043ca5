"""Functions that have weights, or the window of one: convolution, dense, embedding, norms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from foveal.engines.pytorch.tracing.call import Call
from foveal.engines.pytorch.tracing.value import Row, Value
from foveal.errors import SpecError
from foveal.importing.sizes import alike
from foveal.net.layers import (
    BatchNorm,
    Conv,
    ConvTranspose,
    Dense,
    Depthwise,
    Embed,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
)

Sizes = int | Sequence[int]


def conv(
    call: Call,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: str | Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Value:
    out_channels, _, *kernel = weight.shape
    channels = call.shape(input)[0]
    options: dict[str, Any] = {
        "stride": alike(stride),
        "padding": padding if isinstance(padding, str) else alike(padding) or "valid",
        "dilation": alike(dilation),
        "bias": bias is not None,
    }
    if 1 < groups == channels:
        kind = Depthwise(alike(kernel), out_channels // channels, **options)
        return call.step(kind, input, weight=weight, bias=bias)
    whole = Conv(out_channels, alike(kernel), groups=groups, **options)
    return call.step(whole, input, weight=weight, bias=bias)


def conv_transpose(
    call: Call,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Value:
    _, filters, *kernel = weight.shape
    kind = ConvTranspose(
        filters * groups,
        alike(kernel),
        stride=alike(stride),
        padding=alike(padding) or "valid",
        output_padding=alike(output_padding),
        dilation=alike(dilation),
        groups=groups,
        bias=bias is not None,
    )
    return call.step(kind, input, weight=weight, bias=bias)


def linear(call: Call, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Value:
    """On features a dense layer; along the channels of a map a convolution of one pixel."""
    out_features, biased = len(weight), bias is not None
    if input.dim() == 2:
        return call.step(Dense(out_features, bias=biased), input, weight=weight, bias=bias)
    value = call.value(input)
    if value.axes[-1] != 1:
        raise SpecError(
            "connects positions of a map, not its channels",
            expected="features (N, F), or channels as the last axis",
            fix="flatten before it",
        )
    kernel = weight.reshape(*weight.shape, *(1,) * (input.dim() - 2))
    kind = Conv(out_features, 1, bias=biased)
    return call.pointwise(kind, input, weight=kernel, bias=bias)


def matmul(call: Call, input: Tensor, other: Tensor) -> Value:
    if call.comes_from_input(other) or other.dim() != 2:
        raise SpecError("multiplies matrices that no layer of Foveal does")
    return linear(call, input, other.t())


def embedding(
    call: Call,
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Value:
    """Features come last there, and are channels here."""
    if max_norm is not None:
        raise SpecError("has max_norm, which changes vectors while they are read")
    if input.dim() != 2:
        raise SpecError("looks up numbers that are not in a row", expected="numbers (N, L)")
    kind = Embed(*weight.shape)
    return call.node(kind, (call.ordered(input),), (0, 2, 1), {"weight": weight})


def batch_norm(
    call: Call,
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Value:
    if training or running_mean is None:
        raise SpecError(
            "normalises by the statistics of the batch in prediction too",
            expected="running statistics",
            fix="track_running_stats=True, or an instance norm",
        )
    if not momentum:
        raise SpecError("has no momentum", expected="the share of a new batch, such as 0.1")
    kind = BatchNorm(eps, momentum, weight is not None)
    return call.step(
        kind,
        input,
        weight=weight,
        bias=_beside(weight, bias),
        running_mean=running_mean,
        running_var=running_var,
    )


def instance_norm(
    call: Call,
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Value:
    if running_mean is not None or not use_input_stats:
        raise SpecError("has running statistics, which an instance norm here has not")
    kind = InstanceNorm(eps, weight is not None)
    return call.step(kind, input, weight=weight, bias=_beside(weight, bias))


def group_norm(
    call: Call,
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Value:
    kind = GroupNorm(num_groups, eps, weight is not None)
    return call.step(kind, input, weight=weight, bias=_beside(weight, bias))


def layer_norm(
    call: Call,
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Value:
    over = call.value(input).axes[-len(normalized_shape) :]
    held = {"weight": weight, "bias": _beside(weight, bias)}
    if over == (1,):
        return call.pointwise(LayerNorm("channels", eps, weight is not None), input, **held)
    if len(over) == input.dim() - 1:
        return call.step(LayerNorm("all", eps, weight is not None), input, **held)
    raise SpecError(
        "normalises over some axes of a map",
        expected="all of a sample, or channels as the last axis",
    )


def local_response_norm(
    call: Call,
    input: Tensor,
    size: int,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 1.0,
) -> Value:
    if size % 2 == 0:
        raise SpecError("has an even size, whose odd channel PyTorch has on the other side")
    return call.step(LocalResponseNorm(size, alpha, beta, k), input)


def _beside(weight: Tensor | None, bias: Tensor | None) -> Tensor | None:
    """The bias beside a weight; one that is left out is a bias of zeros."""
    return torch.zeros_like(weight) if bias is None and weight is not None else bias


ROWS: dict[str, Row] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), conv),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), conv_transpose),
    "linear": linear,
    "matmul": matmul,
    "embedding": embedding,
    "batch_norm": batch_norm,
    "instance_norm": instance_norm,
    "group_norm": group_norm,
    "layer_norm": layer_norm,
    "local_response_norm": local_response_norm,
}
