"""Sums and products: of several values, and of values with numbers of the module."""

from __future__ import annotations

from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from foveal.engines.pytorch.tracing.call import Call
from foveal.engines.pytorch.tracing.value import Row, Value
from foveal.errors import SpecError
from foveal.importing.sizes import alike
from foveal.net.kind import shape_text
from foveal.net.layers import Add, Gain, Multiply, Normalise, Scale, Upsample

Number = float | Tensor


def add(call: Call, input: Any, other: Any, *, alpha: float = 1) -> Value:
    if call.comes_from_input(input) and call.comes_from_input(other):
        return _sum(call, input, other, alpha)
    if call.comes_from_input(other):
        if alpha != 1:
            raise SpecError("adds with a factor (alpha) to numbers of its own")
        return _shifted(call, other, input)
    return _shifted(call, input, other if alpha == 1 else other * alpha)


def subtract(call: Call, input: Any, other: Any, *, alpha: float = 1) -> Value:
    if call.comes_from_input(input) and call.comes_from_input(other):
        return _sum(call, input, other, -alpha)
    if call.comes_from_input(other):
        return _shifted(call, other, input, negative=True)
    return _shifted(call, input, -other * alpha)


def subtract_from(call: Call, input: Any, other: Any) -> Value:
    """Python's `other - input`, for numbers."""
    return subtract(call, other, input)


def multiply(call: Call, input: Any, other: Any) -> Value:
    if not call.comes_from_input(input):
        input, other = other, input
    if call.comes_from_input(other):
        first, second = call.value(input), call.value(other)
        _check_alike(first, second)
        return call.node(Multiply(), (first.name, second.name), first.axes)
    return _scaled(call, input, other)


def divide(call: Call, input: Any, other: Any, *, rounding_mode: str | None = None) -> Value:
    if not call.comes_from_input(input) or call.comes_from_input(other) or rounding_mode:
        raise SpecError("divides by values that come from the input", expected="fixed numbers")
    if _learned(other):
        raise SpecError("divides by numbers that are learned", fix="multiply by them")
    if isinstance(other, Tensor) and other.numel() > 1:
        return call.pointwise(Normalise((0.0,), _figures(call, input, other)), input)
    return _scaled(call, input, 1 / float(other))


def negative(call: Call, input: Tensor) -> Value:
    return call.pointwise(Gain(-1), input)


def _learned(tensor: Any) -> bool:
    """Whether these numbers are a parameter, or a view of one."""
    held = (tensor, tensor._base) if isinstance(tensor, Tensor) else ()
    return any(isinstance(each, nn.Parameter) for each in held)


def _sum(call: Call, input: Tensor, other: Tensor, factor: float) -> Value:
    """Two values added, the second times a factor, and spread where it has one position."""
    first, second = call.value(input), call.value(other)
    _check_alike(first, second)
    if factor != 1:
        second = call.node(Gain(factor), (second.name,), second.axes)
    names = [
        _spread(call, value, call.shape(tensor))
        for value, tensor in ((first, input), (second, other))
    ]
    return call.node(Add(), tuple(names), first.axes)


def _spread(call: Call, value: Value, shape: tuple[int, ...]) -> str:
    """A value repeated to the size of what was made."""
    sizes = dict(zip(value.axes, call.made.shape, strict=True))
    wanted = tuple(sizes[axis] for axis in range(1, len(sizes)))
    if wanted == shape:
        return value.name
    if wanted[0] != shape[0]:
        raise SpecError("adds one channel to several", expected="as many channels")
    factors = [a // b for a, b in zip(wanted[1:], shape[1:], strict=True)]
    return call.node(Upsample(alike(factors)), (value.name,), value.axes).name


def _shifted(call: Call, input: Tensor, number: Any, negative: bool = False) -> Value:
    """A value, or its negative, and a number for each channel added to it."""
    value = call.value(input)
    if negative:
        value = call.node(Gain(-1), (value.name,), value.axes)
    if _learned(number):
        bias = _each(call, input, number)
        weight = torch.ones_like(bias)
        kind = Scale(bias=True)
        return call.node(kind, (value.name,), value.axes, {"weight": weight, "bias": bias})
    figures = _figures(call, input, number)
    if not any(figures):
        return value
    mean = tuple(-figure for figure in figures)
    return call.node(Normalise(mean, (1.0,)), (value.name,), value.axes)


def _scaled(call: Call, input: Tensor, number: Any) -> Value:
    """A value times a number, for each channel."""
    if not isinstance(number, Tensor) or (number.numel() == 1 and not _learned(number)):
        factor = float(number)
        return call.value(input) if factor == 1 else call.pointwise(Gain(factor), input)
    return call.pointwise(Scale(), input, weight=_each(call, input, number))


def _figures(call: Call, input: Tensor, number: Any) -> tuple[float, ...]:
    """A number for all channels, or for each, with as few digits as tell float32 apart."""
    if not isinstance(number, Tensor):
        return (float(number),)
    each = number.reshape(1) if number.numel() == 1 else _each(call, input, number)
    return tuple(float(str(figure)) for figure in each.cpu().numpy())


def _each(call: Call, input: Tensor, number: Tensor) -> Tensor:
    """One number for each channel, of a tensor that is spread over the others' axes."""
    channels = call.shape(input)[0]
    place = call.value(input).axes.index(1) - input.dim()
    sizes = (1,) * (input.dim() - number.dim()) + tuple(number.shape)
    if number.numel() not in (1, channels) or sizes[place] != number.numel():
        raise SpecError(
            f"computes with {shape_text(tuple(number.shape))} numbers of its own",
            expected=f"one number, or {channels}: one for each channel",
        )
    return number.reshape(-1).expand(channels) if prod(sizes) == 1 else _flat(number)


def _flat(number: Tensor) -> Tensor:
    return number if number.dim() == 1 else number.reshape(-1)


def _check_alike(first: Value, second: Value) -> None:
    if first.axes != second.axes:
        raise SpecError(
            "joins values whose channels stand at different places",
            expected="(N, C, ...) of both",
            fix="keep the axes of a gate: x.mean((2, 3), keepdim=True)",
        )


ROWS: dict[str, Row] = {
    "add": add,
    **dict.fromkeys(("sub", "subtract"), subtract),
    **dict.fromkeys(("rsub", "__rsub__"), subtract_from),
    **dict.fromkeys(("mul", "multiply"), multiply),
    **dict.fromkeys(("div", "divide", "truediv", "true_divide"), divide),
    **dict.fromkeys(("neg", "negative"), negative),
}
