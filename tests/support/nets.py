"""Random nets, weights and inputs: the same for the same seed, for every engine's tests."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from foveal.errors import SpecError
from foveal.net import Net
from foveal.net.combinators import (
    Again,
    Each,
    Item,
    Named,
    Outputs,
    Reference,
    branches,
    chain,
    named,
    repeat,
)
from foveal.net.kind import Kind, Merge, Shape
from foveal.net.layers import (
    Add,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Crop,
    Dense,
    Dropout,
    Expect,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    Identity,
    Input,
    MaxPool,
    Normalise,
    ReLU,
    Resize,
    Sigmoid,
    Softmax,
    Tanh,
)
from foveal.net.program import Program

Random = np.random.Generator
MOST_CHANNELS = 6
MOST_DEPTH = 12
MOST_VALUES = 1500


def random_net(seed: int) -> tuple[Net, Shape]:
    """A net of 1 to 12 items with the input shape it was made for.

    In one, two or three dimensions, with at most 6 channels and 12 pixels a side. Every kind
    occurs at least 20 times over the seeds 0 … 499, and over 30 % of them branch or repeat.
    """
    random = np.random.default_rng([seed, 1])
    depth = seed % MOST_DEPTH + 1
    items, shape = _entrance(random, depth)
    while len(items) < depth:
        ends = 2 < depth == len(items) + 1 and random.random() < 0.15
        items.append(_fitting(random, items, shape, _ending if ends else _middle))
    return Net.of(*items), shape


def random_weights(program: Program, seed: int) -> dict[str, np.ndarray]:
    """Every tensor of a program by its path, float32, such that values stay of order 1.

    Weights have the variance of He et al. 2015; batch norm has statistics that matter.
    """
    random = np.random.default_rng([seed, 2])
    draw: dict[str, Callable[[Shape], np.ndarray]] = {
        "kaiming": lambda shape: random.normal(0, (2 / prod(shape[1:])) ** 0.5, shape),
        "weight": lambda shape: random.uniform(0.5, 1.5, shape),
        "bias": lambda shape: random.normal(0, 0.1, shape),
        "running_mean": lambda shape: random.normal(0.1, 0.1, shape),
        "running_var": lambda shape: random.uniform(0.5, 2, shape),
    }
    made = {}
    for path, tensor in program.tensors().items():
        name = "kaiming" if tensor.init == "kaiming" else tensor.name
        made[path] = draw[name](tensor.shape).astype(np.float32)
    return made


def random_input(program: Program, seed: int, batch: int = 2) -> np.ndarray:
    """What the program reads: (N, C, ...) float32, or (N, ..., C) uint8 after `input uint8`."""
    random = np.random.default_rng([seed, 3])
    channels, *sizes = program.input
    if program.steps and program.steps[0].kind == Input("uint8"):
        return random.integers(0, 256, (batch, *sizes, channels), np.uint8)
    return random.standard_normal((batch, *program.input), np.float32)


def _entrance(random: Random, depth: int) -> tuple[list[Item], Shape]:
    """How a net begins, most often with nothing, and the shape that arrives."""
    if depth >= 4 and random.random() < 0.2:
        # Doubling and quadrupling have weights that are exact in every precision, so that no
        # engine rounds a level the other way.
        shape = (int(random.choice([1, 3])), *_integers(random, 3, 6, 2))
        cut: list[Item] = [_resize(random, shape), Crop(int(random.integers(3, 6)))]
        return [Input("uint8"), *cut, Normalise(mean=(120.0,), std=(60.0,))], shape
    axes = int(random.choice([1, 2, 2, 3]))
    smallest, largest = {1: (6, 12), 2: (5, 12), 3: (3, 6)}[axes]
    shape = (int(random.integers(1, 5)), *_integers(random, smallest, largest, axes))
    return [Input()] * (random.random() < 0.1), shape


def _fitting(
    random: Random,
    items: list[Item],
    shape: Shape,
    propose: Callable[[Random, list[Item], Shape], Item],
) -> Item:
    """One more item, that fits what arrives after the others."""
    arrives = Net.of(*items).bind(shape).result_shapes()[""] if items else shape
    while True:
        try:
            item = propose(random, items, arrives)
            made = Net.of(*items, item).bind(shape).result_shapes().values()
        except SpecError:
            continue
        if all(prod(sizes) <= MOST_VALUES for sizes in made):
            return item


def _middle(random: Random, items: list[Item], shape: Shape) -> Item:
    """An item for the middle of a net: most often a layer, now and then a repeat or a reference."""
    names = [item.name for item in items if isinstance(item, Named)]
    form = random.random()
    if names and form < 0.08:
        return Again(str(random.choice(names)))
    if names and form < 0.16:
        return branches(_merge(random), Reference(str(random.choice(names))), Identity())
    if form < 0.26:
        return repeat(int(random.integers(0, 4)), *(_layer(random, shape) for _ in range(2)))
    layer = _layer(random, shape)
    if form < 0.5:
        return named(f"{random.choice(['c', 'stage', 'p_'])}{len(items)}", layer)
    return layer


def _ending(random: Random, items: list[Item], shape: Shape) -> Item:
    """Several results; the bodies keep the number of channels, so that `each` can follow."""
    parts = [chain(_alike(random, shape)), chain(_alike(random, shape), ReLU())]
    outputs = Outputs((Named("fine", parts[0]), parts[1]))
    if random.random() < 0.5:
        return outputs
    shared = Dense(2) if len(shape) == 1 else Conv(2, 1)
    return named("heads", outputs, Each(chain(shared, Tanh())))


def _layer(random: Random, shape: Shape) -> Item:
    """One layer of any kind that may stand in the middle; few of them end the picture."""
    rows = [kind for kind in GENERATORS if kind not in (Input, Resize)]
    often = Dense if len(shape) == 1 else Conv
    seldom = (Flatten, GlobalAvgPool, GlobalMaxPool)
    chances = np.array([3 if kind is often else 0.4 if kind in seldom else 1 for kind in rows])
    kind = rows[random.choice(len(rows), p=chances / chances.sum())]
    return GENERATORS[kind](random, shape)


def _merge(random: Random) -> Merge:
    return Add() if random.random() < 0.5 else Concat()


def _integers(random: Random, low: int, high: int, count: int) -> tuple[int, ...]:
    return tuple(map(int, random.integers(low, high + 1, count)))


def _size(random: Random, largest: int, axes: int) -> int | tuple[int, ...]:
    """One number for all axes, or one for each."""
    if random.random() < 0.5:
        return int(random.integers(1, largest + 1))
    return _integers(random, 1, largest, axes)


def _padding(random: Random, axes: int) -> str | int | tuple[int | tuple[int, int], ...]:
    if random.random() < 0.6:
        return str(random.choice(["valid", "same"]))
    if random.random() < 0.3:
        return int(random.integers(0, 3))
    sides = [_integers(random, 0, 2, 2) for _ in range(axes)]
    return tuple(side[0] if random.random() < 0.5 else (side[0], side[1]) for side in sides)


def _axes(shape: Shape) -> int:
    if len(shape) == 1:
        raise SpecError("flat features have no axes")
    return len(shape) - 1


def _divisor(random: Random, *numbers: int) -> int:
    common = int(np.gcd.reduce(numbers))
    return int(random.choice([d for d in range(1, common + 1) if common % d == 0]))


def _conv(random: Random, shape: Shape) -> Item:
    axes, out_channels = _axes(shape), int(random.integers(1, MOST_CHANNELS + 1))
    return Conv(
        out_channels,
        _size(random, 3, axes),
        stride=_size(random, 2, axes),
        padding=_padding(random, axes),
        dilation=_size(random, 2, axes),
        groups=_divisor(random, shape[0], out_channels),
        bias=bool(random.random() < 0.7),
    )


def _pool(kind: type[MaxPool] | type[AvgPool]) -> Callable[[Random, Shape], Item]:
    def pool(random: Random, shape: Shape) -> Item:
        axes = _axes(shape)
        stride = None if random.random() < 0.4 else _size(random, 2, axes)
        return kind(_size(random, 3, axes), stride, _padding(random, axes))

    return pool


def _resize(random: Random, shape: Shape) -> Item:
    if random.random() < 0.5:
        return Resize(2 * min(shape[1:]))
    return Resize(tuple(n * factor for n, factor in zip(shape[1:], (2, 4), strict=True)))


def _crop(random: Random, shape: Shape) -> Item:
    cut = _integers(random, 0, 2, _axes(shape))
    sizes = tuple(max(1, n - less) for n, less in zip(shape[1:], cut, strict=True))
    return Crop(sizes if random.random() < 0.7 else min(sizes))


def _normalise(random: Random, shape: Shape) -> Item:
    count = int(random.choice([1, shape[0]]))
    mean, std = random.normal(0, 0.5, count), random.uniform(0.5, 2, count)
    return Normalise(tuple(mean.round(2).tolist()), tuple(std.round(2).tolist()))


def _alike(random: Random, shape: Shape) -> Item:
    """A body that keeps the shape of what arrives."""
    choices: list[Callable[[], Item]] = [Identity, ReLU, BatchNorm]
    if len(shape) > 1:
        choices += [
            lambda: Conv(shape[0], 3, padding="same", groups=_divisor(random, shape[0])),
            lambda: chain(BatchNorm(), Tanh(), Conv(shape[0], 1, bias=False)),
            lambda: AvgPool(int(random.integers(1, 4)), stride=1, padding="same"),
        ]
    return choices[random.integers(len(choices))]()


def _add(random: Random, shape: Shape) -> Item:
    if len(shape) > 1 and random.random() < 0.4:
        out, stride = int(random.integers(1, MOST_CHANNELS + 1)), _size(random, 2, len(shape) - 1)
        long = chain(Conv(out, 3, stride=stride, padding="same"), BatchNorm(), ReLU())
        return branches(Add(), Conv(out, 1, stride=stride), long)
    return branches(Add(), *(_alike(random, shape) for _ in range(random.integers(2, 4))))


def _concat(random: Random, shape: Shape) -> Item:
    if shape[0] * 2 > MOST_CHANNELS and len(shape) > 1:
        parts = [Conv(2, _size(random, 3, _axes(shape)), padding="same"), Conv(1, 1)]
        return branches(Concat(), chain(parts[0], ReLU()), Named("short", chain(parts[1])))
    return branches(Concat(), _alike(random, shape), _alike(random, shape))


def _plain(kind: type[Kind]) -> Callable[[Random, Shape], Item]:
    """A kind without fields."""
    return lambda random, shape: kind()


GENERATORS: dict[type[Kind], Callable[[Random, Shape], Item]] = {
    Input: _plain(Input),
    Resize: _resize,
    Crop: _crop,
    Normalise: _normalise,
    Expect: lambda random, shape: Expect(shape),
    Identity: _plain(Identity),
    Conv: _conv,
    MaxPool: _pool(MaxPool),
    AvgPool: _pool(AvgPool),
    GlobalMaxPool: lambda random, shape: GlobalMaxPool(keep=bool(random.random() < 0.6)),
    GlobalAvgPool: lambda random, shape: GlobalAvgPool(keep=bool(random.random() < 0.6)),
    BatchNorm: lambda random, shape: BatchNorm(eps=float(random.choice([1e-5, 1e-2]))),
    ReLU: _plain(ReLU),
    Tanh: _plain(Tanh),
    Sigmoid: _plain(Sigmoid),
    Softmax: _plain(Softmax),
    Dropout: lambda random, shape: Dropout(float(random.choice([0.0, 0.25, 0.5]))),
    Flatten: _plain(Flatten),
    Dense: lambda random, shape: Dense(
        int(random.integers(1, MOST_CHANNELS + 1)), bool(random.random() < 0.7)
    ),
    Add: _add,
    Concat: _concat,
}
"""How an item of each kind is drawn for what arrives; a kind without a row fails a test."""
