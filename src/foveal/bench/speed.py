"""How many pictures a second a net learns from, or answers about."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from foveal.model import Model
from foveal.net import Net
from foveal.net.kind import Shape
from foveal.net.layers import Input, Normalise, Softmax

if TYPE_CHECKING:
    from foveal.data.colours import Pixels

LEVELS = Normalise((127.5,), (73.9,))
"""Mean and deviation of levels that are all equally frequent, as those here are."""
SLOW = 1e-6
"""Learning rate with which no net comes to grief over pictures that show nothing."""
AS_MANY_AS = 20_000
"""Training pictures that the recipe is chosen for: more are learned from in the same way."""


def learning(
    net: Net,
    input: Shape,
    num_classes: int,
    *,
    batch_size: int,
    steps: int = 1,
    n: int = 5,
    precision: str = "auto",
) -> tuple[float, ...]:
    """Pictures a second that a net learns from: of n rounds of some steps, after one to warm up.

    Use it to measure a computer or a net; what the pictures show does not matter, so they are
    noise. A step is what `foveal train` does for a picture in memory: it is changed at random, the
    net computes forwards and backwards, the optimiser takes its step.

    Raises:  SpecError or ShapeError if the net does not end in a score for each class
    """
    from foveal.training import Epoch, Job, choose, train

    count = batch_size * steps
    recipe = replace(
        choose(AS_MANY_AS, input, net),
        batch_size=batch_size,
        epochs=n + 1,
        precision=precision,
        learning_rate=SLOW,
    )
    job = Job(
        net=Net.of(LEVELS, *net.root.items),
        input=input,
        train=(noise(count, input), np.arange(count, dtype=np.int64) % num_classes),
        num_classes=num_classes,
        recipe=recipe,
    )
    rounds = [count / event.seconds for event in train(job) if isinstance(event, Epoch)]
    return tuple(rounds[1:])


def answering(
    net: Net, input: Shape, num_classes: int, *, batch_size: int, n: int = 5
) -> tuple[float, ...]:
    """Pictures a second that a net answers about: of n batches, after one to warm up.

    The engine is that of `foveal predict` for many files; decoding them is not counted.

    Raises:  SpecError or ShapeError if the net does not end in a score for each class
    """
    whole = Net.of(Input("uint8"), LEVELS, *net.root.items, Softmax())
    names = (f"class {number}" for number in range(num_classes))
    engine = Model.fresh(whole, input, names).engine()
    pictures = noise(batch_size, input)
    seconds = []
    for _ in range(n + 1):
        began = time.perf_counter()
        engine.run(pictures)
        seconds.append(time.perf_counter() - began)
    return tuple(batch_size / each for each in seconds[1:])


def noise(count: int, input: Shape) -> Pixels:
    """Pictures of a shape that show nothing, always the same ones.

    Shape:  -> (count, H, W, C) uint8
    """
    channels, *sizes = input
    random = np.random.default_rng(0)
    return random.integers(0, 256, (count, *sizes, channels), np.uint8)
