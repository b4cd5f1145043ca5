"""What an exporter left to compute though it is known: sizes, lists of axes, turned weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from foveal.importing.onnx.arrays import TYPES, Array
from foveal.importing.onnx.values import UnfitError

Fold = Callable[..., Array]
"""`fold(at, options, *inputs)`: the array, where an input that is left out is None."""
Options = Mapping[str, Any]


@dataclass
class Folding:
    """How much may still be computed: a file of a few bytes can ask for any number of them."""

    opset: int
    left: int
    """Numbers."""

    def bound(self, count: int) -> None:
        if count > self.left:
            raise UnfitError(f"would make {count:,} numbers, more than there are weights")


def _elementwise(operate: Callable[..., Array]) -> Fold:
    def fold(at: Folding, said: Options, *inputs: Array) -> Array:
        at.bound(prod(np.broadcast_shapes(*(each.shape for each in inputs))))
        return np.asarray(operate(*inputs))

    return fold


def _divide(a: Array, b: Array) -> Array:
    """Of whole numbers the part before the point, as in C."""
    if a.dtype.kind == "f":
        return np.asarray(a / b)
    if not np.all(b):
        raise UnfitError("divides by 0")
    return np.asarray(np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b))).astype(a.dtype)


def _constant(at: Folding, said: Options) -> Array:
    kinds = {
        "value_float": np.float32,
        "value_floats": np.float32,
        "value_int": np.int64,
        "value_ints": np.int64,
    }
    ((name, value),) = said.items()
    return np.asarray(value, kinds.get(name))


def _shape(at: Folding, said: Options, x: Array) -> Array:
    return np.array(x.shape[said.get("start", 0) : said.get("end", x.ndim)], np.int64)


def _constant_of_shape(at: Folding, said: Options, shape: Array) -> Array:
    sizes = tuple(map(int, shape))
    at.bound(prod(sizes))
    value = np.asarray(said.get("value", np.zeros(1, np.float32)))
    return np.full(sizes, value.reshape(-1)[0])


def _cast(at: Folding, said: Options, x: Array) -> Array:
    return x.astype(TYPES[int(said["to"])][0])


def _matmul(at: Folding, said: Options, a: Array, b: Array) -> Array:
    at.bound(a.size * (b.shape[-1] if b.ndim > 1 else 1))  # which is how often it multiplies
    return np.asarray(a @ b)


def _concat(at: Folding, said: Options, *inputs: Array) -> Array:
    at.bound(sum(each.size for each in inputs))
    return np.concatenate(inputs, axis=said["axis"])


def _gather(at: Folding, said: Options, x: Array, indices: Array) -> Array:
    axis = said.get("axis", 0)
    at.bound(x.size // max(1, x.shape[axis]) * indices.size)
    return np.take(x, indices, axis=axis)


def axes_of(
    opset: int, said: Options, rest: tuple[Array | None, ...], since: int
) -> tuple[int, ...] | None:
    """The axes that an option names, or from an operator set on an input."""
    if opset < since or "axes" in said:
        return said.get("axes")
    return None if not rest or rest[0] is None else tuple(map(int, rest[0].reshape(-1)))


def _squeeze(at: Folding, said: Options, x: Array, *rest: Array | None) -> Array:
    return np.squeeze(x, axes_of(at.opset, said, rest, 13))


def _unsqueeze(at: Folding, said: Options, x: Array, *rest: Array | None) -> Array:
    return np.expand_dims(x, axes_of(at.opset, said, rest, 13) or ())


def _reshape(at: Folding, said: Options, x: Array, shape: Array) -> Array:
    sizes = [x.shape[place] if n == 0 else int(n) for place, n in enumerate(shape)]
    return x.reshape(sizes)


def _transpose(at: Folding, said: Options, x: Array) -> Array:
    return x.transpose(said.get("perm"))


def _expand(at: Folding, said: Options, x: Array, shape: Array) -> Array:
    sizes = np.broadcast_shapes(x.shape, tuple(map(int, shape)))
    at.bound(prod(sizes))
    return np.broadcast_to(x, sizes)


def _range(at: Folding, said: Options, start: Array, limit: Array, delta: Array) -> Array:
    if not np.all(delta):
        raise UnfitError("steps by 0")
    at.bound(max(0, int((limit - start) / delta)))
    return np.arange(start.item(), limit.item(), delta.item(), dtype=start.dtype)


def slices(said: Options, rank: int, rest: tuple[Array | None, ...]) -> tuple[slice, ...]:
    """Where a Slice cuts each axis: by its options, as it was said first, or by its inputs."""
    given = [None if each is None else tuple(map(int, each.reshape(-1))) for each in rest]
    starts, ends, axes, steps = (*given, None, None, None, None)[:4]
    starts, ends, axes = (
        said.get(name, value)
        for name, value in (("starts", starts), ("ends", ends), ("axes", axes))
    )
    if starts is None or ends is None:
        raise UnfitError("does not say where it cuts")
    axes = tuple(range(len(starts))) if axes is None else axes
    steps = (1,) * len(starts) if steps is None else steps
    if {len(starts)} != {len(ends), len(axes), len(steps)} or not all(steps):
        raise UnfitError("does not say for each axis where it cuts")
    if any(not -rank <= axis < rank for axis in axes):
        raise UnfitError("cuts axes that are not there")
    cuts = [slice(None)] * rank
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        # Going backwards, an end before the first is written as the smallest number.
        beyond = step < 0 and end < -(2**31) + 1
        cuts[axis] = slice(start, None if beyond else end, step)
    return tuple(cuts)


def _slice(at: Folding, said: Options, x: Array, *rest: Array | None) -> Array:
    return x[slices(said, x.ndim, rest)]


def _reduced(operate: Callable[..., Array], since: int) -> Fold:
    def fold(at: Folding, said: Options, x: Array, *rest: Array | None) -> Array:
        axes = axes_of(at.opset, said, rest, since)
        if axes is None and said.get("noop_with_empty_axes", 0):
            return x
        return np.asarray(operate(x, axis=axes, keepdims=bool(said.get("keepdims", 1))))

    return fold


def _length(x: Array, axis: tuple[int, ...] | None, keepdims: bool) -> Array:
    return np.asarray(np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims)))


def _itself(at: Folding, said: Options, x: Array, *rest: Array | None) -> Array:
    return x


FOLDS: Mapping[str, Fold] = {
    "Constant": _constant,
    "Shape": _shape,
    "ConstantOfShape": _constant_of_shape,
    "Identity": _itself,
    "Dropout": _itself,
    "Cast": _cast,
    "Concat": _concat,
    "MatMul": _matmul,
    "Gather": _gather,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Expand": _expand,
    "Range": _range,
    "Slice": _slice,
    "Add": _elementwise(np.add),
    "Sub": _elementwise(np.subtract),
    "Mul": _elementwise(np.multiply),
    "Div": _elementwise(_divide),
    "Mod": _elementwise(np.mod),
    "Pow": _elementwise(np.power),
    "Max": _elementwise(np.maximum),
    "Min": _elementwise(np.minimum),
    "Equal": _elementwise(np.equal),
    "Where": _elementwise(np.where),
    "Neg": _elementwise(np.negative),
    "Abs": _elementwise(np.abs),
    "Sqrt": _elementwise(np.sqrt),
    "Reciprocal": _elementwise(np.reciprocal),
    "Exp": _elementwise(np.exp),
    "Floor": _elementwise(np.floor),
    "Ceil": _elementwise(np.ceil),
    "ReduceProd": _reduced(np.prod, 18),
    "ReduceSum": _reduced(np.sum, 13),
    "ReduceMean": _reduced(np.mean, 18),
    "ReduceL2": _reduced(_length, 18),
}
"""Operators that are computed when all they read is known."""


def fold(at: Folding, op: str, said: Options, inputs: tuple[Array | None, ...]) -> Array:
    """What an operator makes of known arrays; UnfitError with the reason if it cannot be."""
    try:
        with np.errstate(all="ignore"):
            made = np.asarray(FOLDS[op](at, said, *inputs))
    except UnfitError:
        raise
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise UnfitError("has options or inputs that do not fit it") from error
    at.bound(made.size)
    at.left -= made.size
    return made
