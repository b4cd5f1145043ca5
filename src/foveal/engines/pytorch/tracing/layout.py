"""Functions that compute nothing: other shapes, another order of axes, some of the channels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from foveal.engines.pytorch.tracing.call import Call
from foveal.engines.pytorch.tracing.value import Row, Told, Value
from foveal.errors import SpecError
from foveal.importing.sizes import alike
from foveal.net.layers import Concat, Flatten, MaxPool, Reshape, Take

ALL = slice(None)


def same(call: Call, input: Tensor, *args: Any, **named: Any) -> Value:
    """Copies, and moves between devices and number formats."""
    if call.made.dtype != input.dtype:
        raise SpecError(
            f"makes {_word(call.made)} of {_word(input)}", expected="float32 throughout"
        )
    return call.value(input)


def reshape(call: Call, input: Tensor, *args: Any, **named: Any) -> Value:
    """The same values one after another in another shape."""
    if call.made.dtype != input.dtype:
        return same(call, input)
    if call.made.shape[:1] != input.shape[:1]:
        raise SpecError(
            "lays values of several samples together",
            expected="the batch as the first axis, as it was",
        )
    value = call.value(input)
    if call.made.shape == input.shape:
        return value
    return _regrouped(call, value) or relaid(call, Value(call.ordered(input), value.axes))


def relaid(call: Call, value: Value) -> Value:
    """A value in the shape that was made; what was only laid out before is laid out anew."""
    shape = tuple(call.made.shape[1:])
    before = call.trace.made.get(value.name)
    name = value.name
    if before is not None and isinstance(before.kind, Flatten | Reshape):
        name = before.inputs[0]
        if call.trace.shapes[name] == shape:
            return Value(name, call.order())
    if not 1 <= len(shape) <= 4:
        raise SpecError(
            f"makes {len(shape)} axes beside the batch",
            expected="one to four",
            fix="leave out the squeeze, or x.flatten(1)" if not shape else "fewer axes",
        )
    return call.node(Flatten() if len(shape) == 1 else Reshape(shape), (name,), call.order())


def _regrouped(call: Call, value: Value) -> Value | None:
    """Channels parted into groups, turned and laid together again, as ShuffleNet writes it."""
    before = call.trace.made.get(value.name)
    if before is None or not isinstance(before.kind, Reshape):
        return None
    whole, parted = (call.trace.shapes[name] for name in (before.inputs[0], value.name))
    turned = (0, 2, 1, *range(3, len(value.axes)))
    if call.made.shape[1:] != whole or parted[0] * parted[1] != whole[0] or value.axes != turned:
        return None
    return call.node(_shuffle(whole[0], parted[0]), (before.inputs[0],), call.order())


def permute(call: Call, input: Tensor, *order: Any, dims: Any = None) -> Value:
    places = dims or (order if isinstance(order[0], int) else order[0])
    value = call.value(input)
    return Value(value.name, tuple(value.axes[place] for place in places))


def transpose(call: Call, input: Tensor, dim0: int, dim1: int) -> Value:
    value = call.value(input)
    axes = list(value.axes)
    axes[dim0], axes[dim1] = axes[dim1], axes[dim0]
    return Value(value.name, tuple(axes))


def movedim(call: Call, input: Tensor, source: Any, destination: Any) -> Value:
    value = call.value(input)
    froms, tos = ([d] if isinstance(d, int) else list(d) for d in (source, destination))
    count = len(value.axes)
    at = {to % count: value.axes[start] for start, to in zip(froms, tos, strict=True)}
    rest = iter([axis for axis in value.axes if axis not in at.values()])
    return Value(value.name, tuple(at[n] if n in at else next(rest) for n in range(count)))


def concatenate(call: Call, tensors: Sequence[Tensor], dim: int = 0) -> Value:
    values = [call.value(tensor) for tensor in tensors]
    orders = {value.axes for value in values}
    if len(orders) > 1 or values[0].axes[dim] != 1:
        raise SpecError(
            "lays other things behind one another than channels", expected="dim=1 of (N, C, ...)"
        )
    return call.node(Concat(), tuple(value.name for value in values), values[0].axes)


def chunk(call: Call, input: Tensor, *sizes: Any, **named: Any) -> Told:
    """Neighbouring channels, parted into several values."""
    value, dim = call.value(input), named.get("dim", sizes[-1] if len(sizes) > 1 else 0)
    if value.axes[dim] != 1:
        raise SpecError("takes other things apart than channels", expected="dim=1 of (N, C, ...)")
    ends = list(accumulate(part.shape[dim] for part in call.made))
    starts = [0, *ends[:-1]]
    return tuple(
        call.node(Take(tuple(range(a, b))), (value.name,), value.axes)
        for a, b in zip(starts, ends, strict=True)
    )


def getitem(call: Call, input: Tensor, index: Any) -> Value:
    """Some of the channels, every second position, or an axis more."""
    given = list(index) if isinstance(index, tuple) else [index]
    if Ellipsis in [each for each in given if not isinstance(each, Tensor)]:
        place = next(n for n, each in enumerate(given) if each is Ellipsis)
        count = input.dim() - sum(each is not None for each in given) + 1
        given[place : place + 1] = [ALL] * count
    if all(each is None or _is_all(each) for each in given):
        return reshape(call, input)
    value = call.value(input)
    given += [ALL] * (input.dim() - len(given))
    asked = dict(zip(value.axes, given, strict=False))
    channels, others = asked.pop(1, ALL), list(asked.items())
    widened = any(each is None for each in given)
    if not widened and _is_all(channels) and _is_all(asked[0]):
        steps = {axis: _step(each) for axis, each in others}
        strides = [steps[axis] for axis in range(2, input.dim())]
        kind = MaxPool(1, stride=alike(strides))
        return call.node(kind, (value.name,), value.axes)
    if widened or not all(_is_all(each) for _, each in others):
        raise SpecError(
            "takes a part of its values that is not some of the channels",
            expected="x[:, channels], or every s-th position: x[:, :, ::s, ::s]",
        )
    numbers = torch.arange(call.shape(input)[0])[channels]
    taken = call.node(Take(tuple(numbers.reshape(-1).tolist())), (value.name,), value.axes)
    if numbers.dim():
        return taken
    call.ordered(input)
    return relaid(call, taken)


def channel_shuffle(call: Call, input: Tensor, groups: int) -> Value:
    return call.step(_shuffle(call.shape(input)[0], groups), input)


def _shuffle(channels: int, groups: int) -> Take:
    """Of each group the first channel, then of each the second."""
    return Take(tuple(torch.arange(channels).reshape(groups, -1).t().reshape(-1).tolist()))


def _is_all(index: object) -> bool:
    return isinstance(index, slice) and index == ALL


def _step(index: object) -> int:
    """The s of `::s`."""
    if isinstance(index, slice) and index.start in (None, 0) and index.stop is None:
        return int(index.step or 1)
    raise SpecError(
        "cuts a part out of maps",
        expected="x[:, channels], or every s-th position: x[:, :, ::s, ::s]",
    )


def _word(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


ROWS: dict[str, Row] = {
    **dict.fromkeys(
        ("contiguous", "clone", "detach", "data", "float", "to", "type_as", "cpu"), same
    ),
    **dict.fromkeys(("flatten", "view", "view_as", "reshape", "reshape_as", "unflatten"), reshape),
    **dict.fromkeys(("squeeze", "unsqueeze"), reshape),
    "permute": permute,
    **dict.fromkeys(("transpose", "swapaxes", "swapdims"), transpose),
    **dict.fromkeys(("movedim", "moveaxis"), movedim),
    **dict.fromkeys(("cat", "concat", "concatenate"), concatenate),
    **dict.fromkeys(("chunk", "split"), chunk),
    "getitem": getitem,
    "channel_shuffle": channel_shuffle,
}
