"""Operators that compute nothing: they lay values out anew, turn them, or take some of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import accumulate
from math import prod

import numpy as np

from foveal.importing.onnx.arrays import Array
from foveal.importing.onnx.folding import axes_of, slices
from foveal.importing.onnx.reading import BATCH, Here, Known, Row
from foveal.importing.onnx.values import Value
from foveal.net.kind import Shape, shape_text
from foveal.net.layers import Embed, GlobalAvgPool, GlobalMaxPool, GlobalSumPool


def shape(here: Here) -> Array:
    """The batch first, as a number that stands for it."""
    x = here.flow()
    full = (here.reading.batch, *x.shape)
    start, end = here.option("start", 0), here.option("end", len(full))
    return np.array(full[start:end], np.int64)


def reshape(here: Here) -> Value:
    x, target = here.flow(), here.whole_numbers(1) or ()
    copies = not here.option("allowzero", 0)
    full = (here.reading.batch, *x.shape)
    sizes = [
        full[place] if n == 0 and copies and place < len(full) else n
        for place, n in enumerate(target)
    ]
    return laid_out(here, x, sizes)


def laid_out(here: Here, x: Value, sizes: list[int]) -> Value:
    """A value in another shape, if the samples of a batch stay apart."""
    count = prod(x.shape)
    first, rest = (sizes[0], sizes[1:]) if sizes else (1, [])
    if -1 in rest and here.is_batch(first) and rest.count(-1) == 1:
        others = -prod(rest)
        rest = [count // max(1, others) if n == -1 else n for n in rest]
    apart = first == -1 or here.is_batch(first)
    if not apart or min(rest, default=1) < 1 or prod(rest) != count:
        written = "x".join("N" if n == BATCH else str(n) for n in sizes)
        raise here.refusal(
            f"lays values out as {written}, so that the samples of a batch do not stay apart",
            arrives=f"Nx{shape_text(x.shape)}",
        )
    return x.seen(x.numbered().reshape(rest))


def flatten(here: Here) -> Value:
    x = here.flow()
    if here.axis("axis", 1, len(x.shape) + 1) != 1:
        raise here.refusal("flattens other axes than those of a sample", expected="axis 1")
    return x.seen(x.numbered().reshape(-1))


def transpose(here: Here) -> Value:
    x = here.flow()
    rank = len(x.shape) + 1
    turned = here.wholes("perm") or tuple(reversed(range(rank)))
    if sorted(turned) != list(range(rank)):
        raise here.refusal("does not say a place for each axis")
    if turned[0] != 0:
        raise here.refusal("moves the batch to another axis", expected="the batch first")
    return x.seen(x.numbered().transpose([axis - 1 for axis in turned[1:]]))


def _named_axes(here: Here, rank: int) -> tuple[int, ...] | None:
    axes = here.wholes("axes") if here.opset < 13 else here.whole_numbers(1)
    if axes is None:
        return None
    if any(not -rank <= axis < rank or axis % rank == 0 for axis in axes):
        raise here.refusal(
            f"has axes {', '.join(map(str, axes))}", expected="axes of a sample, not the batch"
        )
    return tuple(axis % rank for axis in axes)


def squeeze(here: Here) -> Value:
    x = here.flow()
    axes = _named_axes(here, len(x.shape) + 1)
    gone = [axis for axis, n in enumerate(x.shape, 1) if n == 1] if axes is None else axes
    return x.seen(np.squeeze(x.numbered(), tuple(axis - 1 for axis in gone)))


def unsqueeze(here: Here) -> Value:
    x = here.flow()
    given = here.wholes("axes") if here.opset < 13 else here.whole_numbers(1)
    rank = len(x.shape) + 1 + len(given or ())
    axes = [axis % rank for axis in given or ()]
    if not axes or 0 in axes:
        raise here.refusal("adds an axis before the batch")
    return x.seen(np.expand_dims(x.numbered(), tuple(axis - 1 for axis in axes)))


def take_slice(here: Here) -> Value:
    x = here.flow()
    if here.opset < 10:
        said = {name: here.wholes(name) for name in ("starts", "ends", "axes")}
        rest: tuple[Array | None, ...] = ()
        said = {name: value for name, value in said.items() if value is not None}
    else:
        said, rest = {}, tuple(here.given(place) for place in range(1, 5))
    batch, *cuts = slices(said, len(x.shape) + 1, rest)
    if batch not in (slice(None), slice(0, None, 1)) and not _whole(batch):
        raise here.refusal("takes some samples of the batch")
    return x.seen(x.numbered()[tuple(cuts)])


def _whole(cut: slice) -> bool:
    return (cut.start, cut.step) == (0, 1) and bool(cut.stop >= 2**31 - 1)


def split(here: Here) -> list[Known]:
    x = here.flow()
    axis = here.axis("axis", 0, len(x.shape) + 1)
    sizes = here.wholes("split") if here.opset < 13 else here.whole_numbers(1)
    parts = here.option("num_outputs", len(here.node.outputs))
    if axis == 0 or not parts:
        raise here.refusal("splits the batch")
    total = x.shape[axis - 1]
    each = -(-total // parts)
    sizes = sizes or (*(each,) * (parts - 1), total - each * (parts - 1))
    if sum(sizes) != total or min(sizes) < 1:
        raise here.refusal(f"splits {total} into {', '.join(map(str, sizes))}")
    ends = list(accumulate(sizes))
    places = np.moveaxis(x.numbered(), axis - 1, 0)
    return [
        x.seen(np.moveaxis(places[end - size : end], 0, axis - 1))
        for size, end in zip(sizes, ends, strict=True)
    ]


def gather(here: Here) -> Value:
    """Some places of an axis; of given rows by the numbers that arrive, an embedding."""
    table = here.input(0)
    if not isinstance(table, Value):
        return _embed(here, table)
    indices, rank = here.weights(1), len(table.shape) + 1
    axis = here.axis("axis", 0, rank)
    if axis == 0 or indices.dtype.kind not in "iu":
        raise here.refusal("takes some samples of the batch")
    return table.seen(np.take(table.numbered(), indices, axis=axis - 1))


def _embed(here: Here, table: Array) -> Value:
    """Vectors of given rows: their features come last in the graph and first in the net."""
    numbers = here.flow(1)
    if table.ndim != 2 or here.axis("axis", 0, 2) != 0 or len(numbers.shape) != 1:
        raise here.refusal("looks up values as no layer does")
    made = here.layer(Embed(*table.shape), here.plain(numbers), weight=table)
    return made.seen(made.numbered().transpose(1, 0))


def reduce(here: Here, kind: type[GlobalAvgPool | GlobalMaxPool | GlobalSumPool]) -> Value:
    """Over all positions of each channel, it is a global pooling."""
    x = here.flow()
    x, rank = (x if x.order() else here.plain(x)), len(x.shape) + 1
    since = 13 if here.node.op == "ReduceSum" else 18
    said = {} if here.opset >= since else {"axes": here.wholes("axes")}
    rest = (here.given(1),) if here.opset >= since else ()
    axes = axes_of(here.opset, said, rest, since)
    keeps = bool(here.option("keepdims", 1))
    here.must_be("noop_with_empty_axes", 0)
    order = x.order() or ()
    named = sorted(axis % rank for axis in axes) if axes else []
    positions = [axis for axis, ours in enumerate(order, 1) if ours != 0]
    if not positions or named != positions:
        raise here.refusal(
            f"is over the axes {', '.join(map(str, named))}, and layers do it over all positions"
        )
    made = here.layer(kind(keep=True), Value(x.of, x.whole))
    places = made.numbered().transpose(order)
    left: Shape = tuple(n for axis, n in enumerate(places.shape, 1) if keeps or axis not in named)
    return made.seen(places.reshape(left))


LAYOUT: Mapping[str, Row] = {
    "Shape": shape,
    "Reshape": reshape,
    "Flatten": flatten,
    "Transpose": transpose,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Slice": take_slice,
    "Split": split,
    "Gather": gather,
    "ReduceMean": partial(reduce, kind=GlobalAvgPool),
    "ReduceSum": partial(reduce, kind=GlobalSumPool),
    "ReduceMax": partial(reduce, kind=GlobalMaxPool),
}
