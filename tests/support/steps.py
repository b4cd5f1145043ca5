"""One step at a time: a random layer of a kind, or a given one, bound to what arrives."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from support.kinds import GENERATORS, draw_arriving, draw_weight
from support.kinds.drawing import MOST_WHOLE, Random, integers

from foveal.errors import SpecError
from foveal.net import Net
from foveal.net.combinators import Branch, branches, chain
from foveal.net.kind import Kind, Merge, Shape
from foveal.net.layers import Conv, Crop, Dense, GlobalAvgPool, Identity
from foveal.net.program import Program, Step

MOST_VALUES = 1000
SIDES = {0: 1, 1: 7, 2: 7, 3: 5}
"""The longest side, by the number of spatial axes."""


@dataclass(frozen=True)
class Drawn:
    """A program, and the step of it that is looked at."""

    program: Program
    step: Step

    @property
    def kind(self) -> Kind:
        return self.step.kind

    @property
    def is_alone(self) -> bool:
        return len(self.program.steps) == 1

    def arriving(self, random: Random, batch: int, whole: bool = False) -> list[np.ndarray]:
        """What the step can read, one array for each value."""
        return [draw_arriving(random, self.kind, batch, shape, whole) for shape in self.step.ins]

    def weights(self, random: Random, whole: bool = False) -> dict[str, np.ndarray]:
        """Every tensor of the program by its path, float32."""
        return {
            path: (
                random.integers(-MOST_WHOLE, MOST_WHOLE + 1, tensor.shape)
                if whole
                else draw_weight(random, step.kind, tensor)
            ).astype(np.float32)
            for step, path, tensor in self.program.owned()
        }

    def own(self, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Of these the tensors of the step, by their names within the kind, float64."""
        paths = self.step.tensor_paths()
        return {name: weights[path].astype(float) for name, path in paths.items()}


def draw_step(kind: type[Kind], random: Random, sides: dict[int, int] = SIDES) -> Drawn:
    """A random layer of a kind, in what its generator puts around it, for a random shape."""
    while True:
        shape = _shape(random, sides)
        try:
            program = Net.of(GENERATORS[kind](random, shape)).bind(shape)
        except SpecError:
            continue
        found = [step for step in program.steps if type(step.kind) is kind]
        assert found, f"the generator of {kind.__name__} drew none"
        if all(prod(step.shape) <= MOST_VALUES for step in program.steps):
            return Drawn(program, found[-1])


def example_step(kind: Kind, ins: tuple[Shape, ...]) -> Drawn:
    """A given layer that reads these shapes; one that merges has branches which make them."""
    if not isinstance(kind, Merge):
        program = Net.of(kind).bind(ins[0])
        return Drawn(program, program.steps[0])
    most = max(map(len, ins))
    arrives = tuple(max(shape[axis] for shape in ins if len(shape) > axis) for axis in range(most))
    program = Net.of(branches(kind, *(_way(arrives, shape) for shape in ins))).bind(arrives)
    made = Drawn(program, program.steps[-1])
    assert made.step.ins == ins
    return made


def _way(arrives: Shape, shape: Shape) -> Branch:
    """From what arrives to another shape with as many axes or none."""
    if len(shape) == 1 < len(arrives):
        return chain(GlobalAvgPool(), Dense(shape[0]))
    if shape[1:] != arrives[1:]:
        return chain(Conv(shape[0], 1), Crop(shape[1:]))
    if shape != arrives:
        return chain(Dense(shape[0]) if len(shape) == 1 else Conv(shape[0], 1))
    return chain(Identity())


def _shape(random: Random, sides: dict[int, int]) -> Shape:
    """Flat features or a picture of one to three axes; often channels that groups can share."""
    axes = int(random.integers(0, 4))
    if axes == 0:
        return (int(random.integers(1, 7)),)
    return (int(random.choice([1, 2, 2, 3, 4, 4])), *integers(random, 1, sides[axes], axes))
