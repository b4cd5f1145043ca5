"""Random nets, weights and inputs: the same for the same seed, for every engine's tests."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
from support.kinds import ARRIVING, ENTRANCES, GENERATORS, draw_arriving, draw_weight
from support.kinds.drawing import Random, alike, integers

from foveal import engines
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
    Concat,
    Conv,
    Dense,
    Flatten,
    Identity,
    Input,
    MaxUnpool,
    ReLU,
    Tanh,
)
from foveal.net.program import Program

MOST_DEPTH = 12
MOST_VALUES = 1500


def random_net(seed: int) -> tuple[Net, Shape]:
    """A net of 1 to 12 items, some of them short chains, with the input shape it was made for.

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
    """Every tensor of a program by its path, float32, such that values stay of order 1."""
    random = np.random.default_rng([seed, 2])
    return {
        path: draw_weight(random, step.kind, tensor).astype(np.float32)
        for step, path, tensor in program.owned()
    }


def random_input(program: Program, seed: int, batch: int = 2) -> np.ndarray:
    """What the program reads: (N, C, ...) float32, or (N, ..., C) uint8 after `input uint8`."""
    random = np.random.default_rng([seed, 3])
    if not program.steps:
        return random.standard_normal((batch, *program.input), np.float32)
    x = draw_arriving(random, program.steps[0].kind, batch, program.input)
    return x.astype(np.float32) if x.dtype.kind == "f" else x


def _entrance(random: Random, depth: int) -> tuple[list[Item], Shape]:
    """How a net begins, most often with nothing, and the shape that arrives."""
    if depth >= 4 and random.random() < 0.1 + 0.1 * len(ENTRANCES):
        return ENTRANCES[random.integers(len(ENTRANCES))](random)
    axes = int(random.choice([1, 2, 2, 3]))
    smallest, largest = {1: (6, 12), 2: (5, 12), 3: (3, 6)}[axes]
    shape = (int(random.integers(1, 5)), *integers(random, smallest, largest, axes))
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
    parts = [chain(alike(random, shape)), chain(alike(random, shape), ReLU())]
    outputs = Outputs((Named("fine", parts[0]), parts[1]))
    if random.random() < 0.5:
        return outputs
    shared = Dense(2) if len(shape) == 1 else Conv(2, 1)
    return named("heads", outputs, Each(chain(shared, Tanh())))


def _layer(random: Random, shape: Shape) -> Item:
    """One layer of any kind that may stand in the middle; few of them end the picture."""
    rows = [kind for kind in GENERATORS if kind not in ARRIVING]
    often = Dense if len(shape) == 1 else Conv

    def chance(kind: type[Kind]) -> float:
        if kind is often:
            return len(rows) / 6
        return 0.6 if kind is Flatten or kind.word.startswith("global") else 1

    chances = np.array([chance(kind) for kind in rows])
    kind = rows[random.choice(len(rows), p=chances / chances.sum())]
    return GENERATORS[kind](random, shape)


def _merge(random: Random) -> Merge:
    return Add() if random.random() < 0.5 else Concat()


LEAST = 0.01
"""Results that are all smaller are measured against this: outputs should be of order 1."""
TREMOR = 1e-6
"""How far a number is moved to see whether a result hangs on the last digit of float32."""


def differs(a: np.ndarray, b: np.ndarray) -> float:
    """max|a - b| as a share of max|b|."""
    assert a.shape == b.shape
    return float(np.abs(a - b).max(initial=0) / max(np.abs(b).max(initial=0), LEAST))


def is_tossed(program: Program, weights: dict[str, np.ndarray], seed: int) -> bool:
    """Whether two values that are alike but for rounding decide where a third one is put.

    Then engines may differ, each being right. Only `maxunpool` puts values by others.
    """
    if not any(isinstance(step.kind, MaxUnpool) for step in program.steps):
        return False
    x, random = random_input(program, seed), np.random.default_rng(seed)
    moved = {
        path: weight * (1 + TREMOR * random.standard_normal(weight.shape))
        for path, weight in weights.items()
    }
    before, after = (engines.build("reference", program, w).run(x) for w in (weights, moved))
    return any(differs(after[name], before[name]) > 1000 * TREMOR for name in before)
