"""Operators that join values, or compute with given numbers: weights and what is beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from foveal.importing.graph import Node
from foveal.importing.onnx.arrays import Array
from foveal.importing.onnx.reading import Here, Known, Row, per_channel
from foveal.importing.onnx.values import Value
from foveal.importing.sizes import alike
from foveal.net.kind import Kind, Merge
from foveal.net.layers import (
    Add,
    Concat,
    Conv,
    ConvTranspose,
    Dense,
    Depthwise,
    Flatten,
    Gain,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    Multiply,
    Scale,
)

_TAKES_BIAS = (Conv, ConvTranspose, Dense, Depthwise, Scale)


def add(here: Here) -> Value:
    flows, given = _apart(here.inputs())
    made = flows[0] if len(flows) == 1 else _joined(here, Add(), flows)
    for numbers in given:
        made = _shifted(here, made, numbers)
    return made


def subtract(here: Here) -> Value:
    first, second = here.inputs()
    if not isinstance(second, Value):
        return _shifted(here, here.flow(), -second.astype(np.float32))
    less = here.pointwise(Gain(-1), second)
    if isinstance(first, Value):
        return _joined(here, Add(), [first, less])
    return _shifted(here, less, first)


def multiply(here: Here) -> Value:
    flows, given = _apart(here.inputs())
    made = flows[0] if len(flows) == 1 else _joined(here, Multiply(), flows)
    for numbers in given:
        made = _scaled(here, made, numbers)
    return made


def divide(here: Here) -> Value:
    first, second = here.inputs()
    if not isinstance(first, Value) or isinstance(second, Value):
        raise here.refusal("divides by a value of the net, which no layer does")
    with np.errstate(divide="ignore"):
        return _scaled(here, first, (1 / second.astype(np.float64)).astype(np.float32))


def _apart(inputs: list[Known]) -> tuple[list[Value], list[Array]]:
    flows = [each for each in inputs if isinstance(each, Value)]
    return flows, [each for each in inputs if not isinstance(each, Value)]


def _shifted(here: Here, value: Value, numbers: Array) -> Value:
    """A number added to each channel: the bias of the layer before, if that has none."""
    value, spread = here.spread(value, numbers)
    bias = per_channel(spread)
    if bias is None:
        raise here.refusal("adds given numbers that differ within a channel, which no layer does")
    if not bias.any():
        return value
    maker = here.maker(value)
    if maker and isinstance(maker.kind, _TAKES_BIAS):
        before = maker.tensors.get("bias", np.zeros_like(bias))
        kind = replace(maker.kind, bias=True)
        return here.instead(value, maker, kind, {**maker.tensors, "bias": before + bias})
    if maker and _is_affine(maker.kind):
        tensors = _affine(maker, np.ones_like(bias))
        return here.instead(
            value, maker, _with_affine(maker.kind), {**tensors, "bias": tensors["bias"] + bias}
        )
    return here.pointwise(Scale(bias=True), value, weight=np.ones_like(bias), bias=bias)


def _scaled(here: Here, value: Value, numbers: Array) -> Value:
    """Each channel times a number, or all times the same."""
    value, spread = here.spread(value, numbers)
    weight = per_channel(spread)
    if weight is None:
        raise here.refusal(
            "multiplies by given numbers that differ within a channel, which no layer does"
        )
    maker = here.maker(value)
    if maker and isinstance(maker.kind, Scale):
        tensors = {name: tensor * weight for name, tensor in maker.tensors.items()}
        return here.instead(value, maker, maker.kind, tensors)
    if maker and _is_affine(maker.kind):
        return here.instead(value, maker, _with_affine(maker.kind), _affine(maker, weight))
    if numbers.size == 1:
        return here.pointwise(Gain(float(str(np.float32(weight[0])))), value)
    return here.pointwise(Scale(), value, weight=weight)


def _is_affine(kind: Kind) -> bool:
    """A norm that may have a weight and a bias for each channel."""
    return isinstance(kind, GroupNorm | InstanceNorm) or (
        isinstance(kind, LayerNorm) and kind.over == "channels"
    )


def _with_affine(kind: Kind) -> Kind:
    return replace(kind, affine=True)  # type: ignore[call-arg]


def _affine(norm: Node, weight: Array) -> dict[str, Array]:
    """The weight and the bias of a norm, times another weight."""
    before = norm.tensors or {"weight": np.ones_like(weight), "bias": np.zeros_like(weight)}
    return {name: tensor * weight for name, tensor in before.items()}


def _joined(here: Here, kind: Merge, values: list[Value]) -> Value:
    """Branches, in the order of axes that the largest has."""
    if len({len(value.shape) for value in values}) > 1:
        raise here.refusal("joins values with different numbers of axes")
    order = max(values, key=lambda value: value.numbered().size).order()
    return _merged(here, kind, values, order or tuple(range(len(values[0].shape))))


def _merged(here: Here, kind: Merge, values: list[Value], order: tuple[int, ...]) -> Value:
    """Branches whose axes are those of the net in this order; so are those of the result."""
    back = np.argsort(order)
    ours = [here.plain(each.seen(each.numbered().transpose(back))) for each in values]
    made = here.layer(kind, *ours)
    return made if order == tuple(sorted(order)) else made.seen(made.numbered().transpose(order))


def concat(here: Here) -> Value:
    """Along the channels, wherever the graph has them."""
    values, given = _apart(here.inputs())
    if given or len({len(value.shape) for value in values}) > 1:
        raise here.refusal("joins values with given numbers, or with other numbers of axes")
    order = values[0].order() or tuple(range(len(values[0].shape)))
    axis = here.axis("axis", 1, len(order) + 1)
    if axis == 0 or order[axis - 1] != 0:
        raise here.refusal(f"joins values along axis {axis}, and layers do it along the channels")
    return values[0] if len(values) == 1 else _merged(here, Concat(), values, order)


def gemm(here: Here) -> Value:
    x, weight, bias = here.flow(), here.weights(1), here.given(2)
    here.must_be("transA", 0)
    weight = weight if here.option("transB", 0) else weight.T
    alpha, beta = np.float32(here.option("alpha", 1.0)), np.float32(here.option("beta", 1.0))
    weight = weight if alpha == 1 else weight * alpha  # which may be very large
    if bias is None:
        return _dense(here, x, weight)
    if bias.ndim > 1 and bias.shape[0] != 1:
        raise here.refusal("has a bias of its own for each sample")
    return _dense(here, x, weight, np.broadcast_to(bias.reshape(-1), len(weight)) * beta)


def _dense(here: Here, x: Value, weight: Array, bias: Array | None = None) -> Value:
    """A dense layer; its weights are sorted as the net lays the values out."""
    if weight.ndim != 2 or len(x.shape) != 1 or x.shape[0] != weight.shape[1]:
        raise here.refusal("multiplies by a matrix of another size, or a value that is not flat")
    columns = None if x.places is None else x.spread(np.arange(weight.shape[1]))
    if columns is None or x.is_laid_out():
        x = here.plain(x)
    else:
        weight = weight[:, columns.reshape(-1)]
        x = Value(x.of, x.whole)
        x = x if len(x.whole) == 1 else here.layer(Flatten(), x)
    if bias is None:
        return here.layer(Dense(len(weight), bias=False), x, weight=weight)
    return here.layer(Dense(len(weight)), x, weight=weight, bias=bias)


def matmul(here: Here) -> Value:
    """A dense layer, or at each position of a picture a convolution of one position."""
    x, matrix = here.flow(), here.weights(1)
    if len(x.shape) == 1:
        return _dense(here, x, matrix.T)
    order = x.order()
    if order is None or order[-1] != 0 or matrix.ndim != 2:
        raise here.refusal("multiplies by a matrix along another axis than the channels")
    axes = len(x.whole) - 1
    weight = matrix.T.reshape(*matrix.T.shape, *(1,) * axes)
    made = here.layer(
        Conv(len(weight), alike((1,) * axes), bias=False), Value(x.of, x.whole), weight=weight
    )
    return made.seen(made.numbered().transpose(order))


ARITHMETIC: Mapping[str, Row] = {
    "Add": add,
    "Sum": add,
    "Sub": subtract,
    "Mul": multiply,
    "Div": divide,
    "Concat": concat,
    "Gemm": gemm,
    "MatMul": matmul,
}
