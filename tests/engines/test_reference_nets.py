"""The random nets that every engine is tested on: what they cover, and that they can be run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from support.kinds import GENERATORS
from support.kinds.drawing import MOST_CHANNELS
from support.nets import MOST_DEPTH, random_input, random_net, random_weights

from foveal.engines.reference import build
from foveal.net import Net
from foveal.net.combinators import Again, Branches, Each, Item, Outputs, Reference, Repeat, children
from foveal.net.kind import Kind, Shape
from foveal.net.layers import KINDS, Conv

SEEDS = range(500)


@pytest.fixture(scope="module")
def nets() -> list[tuple[Net, Shape]]:
    return [random_net(seed) for seed in SEEDS]


def nodes(item: Item) -> Iterator[Item]:
    yield item
    for child in children(item):
        yield from nodes(child)


def test_every_kind_can_be_drawn() -> None:
    assert set(GENERATORS) == set(KINDS)


def test_every_kind_and_every_form_occurs_often(nets: list[tuple[Net, Shape]]) -> None:
    kinds: Counter[type[Kind]] = Counter()
    forms: Counter[type[object]] = Counter()
    branched, axes, depths, convolutions = 0, Counter[int](), Counter[int](), list[Conv]()
    for net, shape in nets:
        steps = net.bind(shape).steps
        kinds.update(type(step.kind) for step in steps)
        convolutions += [step.kind for step in steps if isinstance(step.kind, Conv)]
        tree = list(nodes(net.root))
        forms.update({type(node) for node in tree})
        branched += any(isinstance(node, Branches | Repeat) for node in tree)
        axes[len(shape) - 1] += 1
        depths[len(net.root.items)] += 1
    assert min(kinds[kind] for kind in KINDS) >= 20
    assert min(forms[form] for form in (Again, Each, Outputs, Reference, Repeat)) >= 20
    assert branched >= 0.3 * len(nets)
    assert min(axes[count] for count in (1, 2, 3)) >= 50
    assert set(depths) >= set(range(1, MOST_DEPTH + 1))  # an item may be a chain, and dissolve
    assert sum(len(set(shape[1:])) > 1 for _, shape in nets) >= 100
    for uses in (
        lambda conv: conv.groups > 1,
        lambda conv: conv.dilation not in (1, (1, 1), (1, 1, 1)),
        lambda conv: conv.stride not in (1, (1, 1), (1, 1, 1)),
        lambda conv: conv.padding == "same",
        lambda conv: isinstance(conv.padding, int),
        lambda conv: isinstance(conv.padding, tuple),
        lambda conv: isinstance(conv.kernel_size, tuple),
        lambda conv: not conv.bias,
    ):
        assert sum(map(uses, convolutions)) >= 40


def test_the_same_seed_draws_the_same(nets: list[tuple[Net, Shape]]) -> None:
    for seed in range(20):
        net, shape = random_net(seed)
        assert (net, shape) == nets[seed]
        program = net.bind(shape)
        assert np.array_equal(random_input(program, seed), random_input(program, seed))
        first, second = random_weights(program, seed), random_weights(program, seed)
        assert all(np.array_equal(first[path], second[path]) for path in first)
    assert len(set(nets)) > 480


def test_all_run_in_the_reference_engine_with_the_shapes_of_their_programs(
    nets: list[tuple[Net, Shape]],
) -> None:
    for seed, (net, shape) in enumerate(nets):
        program = net.bind(shape)
        channels, *sizes = shape if len(shape) > 1 else (1, *shape)
        assert channels <= MOST_CHANNELS
        assert max(sizes) <= 12
        x = random_input(program, seed)
        engine = build(program, random_weights(program, seed))
        values = engine.values(x)
        assert {step.path: (2, *step.shape) for step in program.steps} == {
            path: value.shape for path, value in values.items()
        }
        for name, y in engine.run(x).items():
            assert np.isfinite(y).all()
            assert np.abs(y).max() < 1000, (seed, name)  # rbf and sums square and add
