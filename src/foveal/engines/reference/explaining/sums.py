"""Sums of products, with the place of every weight: convolution, local connections, dense."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from foveal.engines.reference import filters
from foveal.engines.reference.explaining.call import (
    Call,
    Explainer,
    Told,
    ToldGradient,
    gradient_term,
    term,
    total,
    where,
)
from foveal.engines.reference.explaining.scales import bias_gradient
from foveal.engines.reference.explaining.terms import Index, Number
from foveal.engines.reference.padding import pad
from foveal.engines.reference.row import Array
from foveal.engines.reference.sliding import Track, slide
from foveal.engines.reference.transposed import laid
from foveal.net.layers import Conv, Dense, Depthwise


class Read(NamedTuple):
    """One number that a sum reads, with its weight."""

    weight: Index
    """Among the weights as they are used."""
    value: float
    at: Index | None


class Use(NamedTuple):
    """One sum that a weight goes into, with the number it multiplies."""

    output: Index
    value: float
    at: Index | None


class Sum(ABC):
    """Which products a kind adds up, said twice: for each output, and for each weight."""

    @abstractmethod
    def reads(self, output: Index) -> Iterator[Read]:
        """What an output reads, in the order of the weights."""

    @abstractmethod
    def uses(self, weight: Index) -> Iterator[Use]:
        """Where a weight is used, in the order of the outputs."""


@dataclass(frozen=True)
class Padded:
    """A picture with its padding, and a kernel that slides over it."""

    x: Array
    tracks: tuple[Track, ...]
    fill: float | str
    sources: tuple[list[int | None], ...]
    """For each axis and padded position the one whose value it has; None for a constant."""

    @staticmethod
    def of(call: Call) -> Padded:
        kind, x = call.kind, call.xs[0]
        over = slide(x, kind.kernel_size, kind.stride, kind.padding, kind.dilation)
        sources = tuple(_sources(track, kind.fill) for track in over.tracks)
        return Padded(x, over.tracks, kind.fill, sources)

    def taps(self) -> Iterator[Index]:
        return product(*(range(track.kernel_size) for track in self.tracks))

    def positions(self) -> Iterator[Index]:
        return product(*(range(len(track.starts)) for track in self.tracks))

    def look(
        self, sample: int, channel: int, position: Index, tap: Index
    ) -> tuple[float, Index | None]:
        """What one tap reads, and where."""
        places = zip(self.sources, self.tracks, position, tap, strict=True)
        at = [source[track.starts[p] + t * track.dilation] for source, track, p, t in places]
        if any(place is None for place in at):
            return float(self.fill), None
        index = (sample, channel, *(place for place in at if place is not None))
        return float(self.x[index]), index


def _sources(track: Track, fill: float | str) -> list[int | None]:
    """What `pad` makes of the positions themselves."""
    positions = np.arange(float(track.n)).reshape(1, 1, -1)
    padded = pad(positions, ((track.before, track.after),), fill if isinstance(fill, str) else -1.0)
    return [None if place < 0 else int(place) for place in padded.reshape(-1)]


@dataclass(frozen=True)
class Shared(Sum):
    """Convolution: weight[o, c, tap], the same at every position."""

    over: Padded
    filters: int
    """Of one group."""
    channels: int
    """Of one group."""

    @staticmethod
    def of(call: Call) -> Shared:
        channels, out_channels = call.xs[0].shape[1], call.y.shape[1]
        groups = channels if isinstance(call.kind, Depthwise) else call.kind.groups
        return Shared(Padded.of(call), out_channels // groups, channels // groups)

    def reads(self, output: Index) -> Iterator[Read]:
        sample, o, *position = output
        for c in range(self.channels):
            for tap in self.over.taps():
                yield Read((o, c, *tap), *self._look(sample, o, c, tuple(position), tap))

    def uses(self, weight: Index) -> Iterator[Use]:
        o, c, *tap = weight
        for sample in range(len(self.over.x)):
            for position in self.over.positions():
                found = self._look(sample, o, c, position, tuple(tap))
                yield Use((sample, o, *position), *found)

    def _look(
        self, sample: int, o: int, c: int, position: Index, tap: Index
    ) -> tuple[float, Index | None]:
        channel = o // self.filters * self.channels + c
        return self.over.look(sample, channel, position, tap)


@dataclass(frozen=True)
class Unshared(Sum):
    """Local connections: weight[o, position, c, tap]."""

    over: Padded

    @staticmethod
    def of(call: Call) -> Unshared:
        return Unshared(Padded.of(call))

    def reads(self, output: Index) -> Iterator[Read]:
        sample, o, *position = output
        for c in range(self.over.x.shape[1]):
            for tap in self.over.taps():
                found = self.over.look(sample, c, tuple(position), tap)
                yield Read((o, *position, c, *tap), *found)

    def uses(self, weight: Index) -> Iterator[Use]:
        axes = len(self.over.tracks)
        o, position, (c, *tap) = weight[0], weight[1 : axes + 1], weight[axes + 1 :]
        for sample in range(len(self.over.x)):
            found = self.over.look(sample, c, position, tuple(tap))
            yield Use((sample, o, *position), *found)


@dataclass(frozen=True)
class Transposed(Sum):
    """Transposed convolution: weight[c, o, tap] lies at position · stride + tap · dilation."""

    x: Array
    lying: list[dict[int, list[tuple[int, int]]]]
    """For each axis and kept position the pairs of an input position and a tap that reach it."""
    filters: int
    """Of one group."""
    channels: int
    """Of one group."""

    @staticmethod
    def of(call: Call) -> Transposed:
        kind, x = call.kind, call.xs[0]
        lying: list[dict[int, list[tuple[int, int]]]] = []
        for track in laid(kind, x):
            reached: dict[int, list[tuple[int, int]]] = {p: [] for p in range(len(track.kept))}
            for tap in range(track.kernel_size):
                for i, place in enumerate(range(*track.written_by(tap).indices(track.covered))):
                    if place in track.kept:
                        reached[track.kept.index(place)].append((i, tap))
            lying.append(reached)
        return Transposed(x, lying, kind.out_channels // kind.groups, x.shape[1] // kind.groups)

    def reads(self, output: Index) -> Iterator[Read]:
        sample, o, *position = output
        group = o // self.filters
        for c in range(group * self.channels, (group + 1) * self.channels):
            for pairs in product(*(at[p] for at, p in zip(self.lying, position, strict=True))):
                read = (sample, c, *(i for i, _ in pairs))
                taps = (tap for _, tap in pairs)
                yield Read((c, o % self.filters, *taps), float(self.x[read]), read)

    def uses(self, weight: Index) -> Iterator[Use]:
        c, filter_, *tap = weight
        o = c // self.channels * self.filters + filter_
        reached = [
            [(p, i) for p, pairs in at.items() for i, by in pairs if by == t]
            for at, t in zip(self.lying, tap, strict=True)
        ]
        for sample in range(len(self.x)):
            for pairs in product(*reached):
                read = (sample, c, *(i for _, i in pairs))
                yield Use((sample, o, *(p for p, _ in pairs)), float(self.x[read]), read)


@dataclass(frozen=True)
class Matrix(Sum):
    """Fully connected: weight[o, i]."""

    x: Array

    @staticmethod
    def of(call: Call) -> Matrix:
        return Matrix(call.xs[0])

    def reads(self, output: Index) -> Iterator[Read]:
        sample, o = output
        for i, value in enumerate(self.x[sample].tolist()):
            yield Read((o, i), value, (sample, i))

    def uses(self, weight: Index) -> Iterator[Use]:
        o, i = weight
        for sample, value in enumerate(self.x[:, i].tolist()):
            yield Use((sample, o), value, (sample, i))


def explainer(make: Callable[[Call], Sum]) -> Explainer:
    """The explainer of a kind that is a sum of products."""

    def value(call: Call, index: Index) -> Told:
        return _value(call, make(call), index)

    def gradient(call: Call, dy: Array, name: str, index: Index) -> ToldGradient:
        if name == "bias":
            return bias_gradient(call, dy, index)
        if name == "gain":
            return _gain_gradient(call, dy, index)
        return _weight_gradient(call, make(call), dy, index)

    return Explainer(value, gradient)


def _value(call: Call, made: Sum, index: Index) -> Told:
    used, origins = _used(call)
    shape = call.weights["weight"].shape
    terms, first = [], None
    for weight, value, at in made.reads(index):
        origin = _unravel(origins[weight], shape)
        first = origin if first is None else first
        place = None if at is None else call.read(at)
        terms.append(term(value, used[weight], place, call.tensor("weight", origin)))
    formula = "Σ value · weight" + _WORKED.get(_mode(call), "")
    numbers = () if first is None else _worked(call, first)
    if not call.kind.bias:
        return Told(formula, tuple(terms), numbers=numbers)
    biases = call.weights["bias"]
    own = index[1 : 1 + biases.ndim]
    bias_at = call.tensor("bias", own)
    formula = formula.replace("weight", "weight + bias", 1)
    return Told(formula, tuple(terms), float(biases[own]), bias_at, numbers)


_WORKED = {
    "unit_sum": ", each weight divided by the sum of its filter",
    "weight_norm": ", each weight · gain / length of its filter",
}


def _mode(call: Call) -> str:
    """What is done to the weights before they are used."""
    kind = call.kind
    return str(kind.weight) if isinstance(kind, Conv | Depthwise | Dense) else "free"


def _used(call: Call) -> tuple[Array, NDArray[np.intp]]:
    """The weights as they enter the sums, and for each its place in the tensor, counted row by row.

    The places are what turning and spreading make of the places themselves.
    """
    weight, kind = call.weights["weight"], call.kind
    places = np.arange(float(weight.size)).reshape(weight.shape)
    if not isinstance(kind, Conv | Depthwise | Dense):
        return weight, places.astype(np.intp)
    channels = call.xs[0].shape[1]
    moved = filters.used(replace(kind, weight="free"), {"weight": places}, channels)
    return filters.used(kind, call.weights, channels), moved.astype(np.intp)


def _worked(call: Call, origin: Index) -> tuple[Number, ...]:
    """What a weight was multiplied with or divided by before it was used."""
    mode = _mode(call)
    if mode == "unit_sum":
        channels = call.xs[0].shape[1]
        spread = filters.spread(call.kind, call.weights["weight"], channels)
        return (Number("sum of the filter", float(spread[origin[0]].sum())),)
    if mode == "weight_norm":
        gain = call.tensor("gain", origin[:1])
        return (
            Number("gain", float(call.weights["gain"][origin[0]]), gain),
            Number("length of the filter", _length(call.weights["weight"][origin[0]])),
        )
    return ()


def _length(filter_: Array) -> float:
    return float(np.sqrt((filter_**2).sum()))


def _weight_gradient(call: Call, made: Sum, dy: Array, index: Index) -> ToldGradient:
    used, origins = _used(call)
    number = int(np.ravel_multi_index(index, call.weights["weight"].shape))
    places = where(origins == number)
    terms = tuple(
        gradient_term(dy[output], value, call.made(output), None if at is None else call.read(at))
        for place in places
        for output, value, at in made.uses(place)
    )
    formula, found = "Σ upstream · value", total(terms)
    mode = _mode(call)
    if mode == "free":
        return ToldGradient(formula, terms, found)
    flowing = _used_gradients(call, dy, used)
    said = Number("sum of the terms, gradient of the weight as it is used", found)
    if mode == "unit_sum":
        (whole,) = _worked(call, index)
        mean = sum(float((flowing[place[0]] * used[place[0]]).sum()) for place in places)
        numbers = (said, Number("Σ of the filter: gradient · weight, both as used", mean), whole)
        formula += ", then (sum - Σ of the filter) / sum of the filter"
        return ToldGradient(formula, terms, (found - mean) / whole.value, numbers)
    gain, length = _worked(call, index)
    filter_ = call.weights["weight"][index[0]]
    along = float((_gathered(call, flowing, origins)[index[0]] * filter_).sum()) / length.value
    direction = float(filter_[index[1:]]) / length.value
    told = (
        said,
        Number("gradient of the gain", along),
        gain,
        length,
        Number("weight / length", direction),
    )
    formula += ", then gain / length · (sum - gradient of the gain · weight / length)"
    result = gain.value / length.value * (found - along * direction)
    return ToldGradient(formula, terms, result, told)


def _gain_gradient(call: Call, dy: Array, index: Index) -> ToldGradient:
    """The length of a filter goes into all its weights."""
    used, origins = _used(call)
    flowing = _gathered(call, _used_gradients(call, dy, used), origins)[index[0]]
    filter_ = call.weights["weight"][index[0]]
    length = _length(filter_)
    terms = tuple(
        gradient_term(
            flowing[place], filter_[place] / length, call.tensor("weight", (*index, *place)), None
        )
        for place in np.ndindex(filter_.shape)
    )
    numbers = (Number("length of the filter", length),)
    formula = "Σ gradient of the weight as it is used · weight / length of the filter"
    return ToldGradient(formula, terms, total(terms), numbers)


def _used_gradients(call: Call, dy: Array, used: Array) -> Array:
    """The gradients of all weights as they are used: those of a kind that uses them as they are."""
    plain = replace(call.kind, weight="free", bias=False)
    if not isinstance(plain, Dense):
        plain = replace(plain, flip=False, shared=False)
    _, found = call.row.backward(plain, call.xs, call.y, {"weight": used}, dy, call.context)
    return found["weight"]


def _gathered(call: Call, flowing: Array, origins: NDArray[np.intp]) -> Array:
    """What all uses of each weight of the tensor say of it, added up."""
    weight = call.weights["weight"]
    sums = np.zeros(weight.size)
    np.add.at(sums, origins.reshape(-1), flowing.reshape(-1))
    return sums.reshape(weight.shape)


def _unravel(number: np.intp, shape: tuple[int, ...]) -> Index:
    return tuple(map(int, np.unravel_index(int(number), shape)))
