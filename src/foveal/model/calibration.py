"""Probabilities that mean what they say: one number that all scores are divided by.

A net that has learned is usually too sure of itself. Dividing its scores by a temperature makes
it less sure of everything at once: no answer changes, only its probability.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import exp, log
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foveal import engines
from foveal.model.views import ONE, logarithm
from foveal.net import Net
from foveal.net.combinators import Named
from foveal.net.layers import (
    AvgPool,
    BatchNorm,
    Conv,
    Dense,
    Depthwise,
    Dropout,
    Flatten,
    Gain,
    GlobalAvgPool,
    Identity,
    Scale,
    Softmax,
)
from foveal.net.program import Program, Step

if TYPE_CHECKING:
    from foveal.data.samples import Loaded
    from foveal.data.spread import Pictures
    from foveal.model.model import Model

BATCH = 32
HOTTEST = 8.0
"""No temperature is above this, or below its inverse."""
PRIOR = 1.0
"""How far ln(temperature) is from 0 before any picture was seen: within it two times of three."""
TRIED = 41
"""Temperatures tried across the whole range, and again around the best."""


def calibrated(model: Model, pictures: Loaded) -> Model:
    """The same model with its scores divided by the temperature that suits these pictures.

    Use it with pictures the model did not learn from, such as the validation part. The
    temperature goes into the weights of the last layer, and the net stays as it is; where these
    cannot take it up, a `gain` is put before the softmax. `about["temperature"]` says it, as
    the product of all that came one after another.

    Raises:  nothing
    Source:  Guo et al. 2017, arXiv:1706.04599
    """
    if model.views == ONE:
        found = scores(model, pictures.pictures)
    else:
        found = logarithm(model.probabilities(pictures.pictures))
    return cooled(model, temperature(found, pictures.labels))


def cooled(model: Model, found: float) -> Model:
    """The same model with its scores divided by a temperature, which `about` says.

    Raises:  nothing
    """
    before = model.about.get("temperature", 1.0)
    about = {**model.about, "temperature": round(found * before, 6)}
    if found == 1:
        return replace(model, about=about)
    weights = _cooler(model.program, model.weights, found)
    if weights is not None:
        return replace(model, weights=weights, about=about)
    *rest, last = model.net.root.items
    if not isinstance(last.body if isinstance(last, Named) else last, Softmax):
        return model
    return replace(model, net=Net.of(*rest, Gain(1 / found), last), about=about)


def temperature(scores: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """What scores must be divided by so that their softmax is most likely to have come true.

    Few pictures say little, and where all answers are right any temperature nearer to 0 looks
    better: so ln(temperature) is held near 0 as if it were drawn from a normal distribution of
    deviation 1. Forty pictures can overrule that, none leave 1.

    Shape:   scores (N, C), labels (N,)
    Raises:  nothing
    Source:  Guo et al. 2017, arXiv:1706.04599, section 4.2; the prior is Foveal's own

    >>> temperature(np.array([[9.0, 0.0]] * 3 + [[0.0, 9.0]]), np.zeros(4, int)) > 2
    True
    """
    exact = scores.astype(np.float64)
    exact -= exact.max(axis=1, keepdims=True)
    of_truth = np.take_along_axis(exact, labels[:, None], axis=1)[:, 0]

    def cost(ln: float) -> float:
        cooled = exact * exp(-ln)
        surprise = np.log(np.exp(cooled).sum(axis=1)) - of_truth * exp(-ln)
        return float(surprise.sum()) + (ln / PRIOR) ** 2 / 2

    if not len(exact):
        return 1.0
    low, high = -log(HOTTEST), log(HOTTEST)
    for _ in range(2):
        tried = np.linspace(low, high, TRIED).tolist()
        best = min(tried, key=cost)
        step = tried[1] - tried[0]
        low, high = best - step, best + step
    return exp(best)


def scores(model: Model, prepared: Pictures) -> NDArray[np.float32]:
    """What a model's softmax reads, for prepared pictures.

    Shape:   (N, H, W, C) uint8 -> (N, num_classes)
    """
    program = model.split.rest.bind(model.split.shape)
    *steps, last = program.steps
    before = replace(program, steps=tuple(steps), results=(("", last.inputs[0]),))
    engine = engines.build("portable", before, model.weights)
    starts = range(0, len(prepared), BATCH)
    parts = [engine.run(prepared[start : start + BATCH])[""] for start in starts]
    return np.concatenate([np.empty((0, len(model.classes)), np.float32), *parts])


PROPORTIONAL = (Dense, Conv, Depthwise, Scale, BatchNorm)
"""Kinds whose values are half as large when their weights and their bias are."""
PASSING = (Identity, Dropout, Flatten, GlobalAvgPool, AvgPool, Gain)
"""Kinds that make half of half of what arrives."""


def _cooler(
    program: Program, weights: Mapping[str, np.ndarray], temperature: float
) -> Mapping[str, np.ndarray] | None:
    """The weights with the scores divided by the temperature; None if no layer can take it up."""
    paths = _proportional(_last_layer(program), program)
    cooled = {path: weights[path] / np.float64(temperature) for path in paths}
    if not cooled:
        return None
    return {**weights, **{path: new.astype(weights[path].dtype) for path, new in cooled.items()}}


def _last_layer(program: Program) -> Step:
    """The step that makes the scores, seen through those that only pass them on."""
    made_by = {step.output: step for step in program.steps}
    step = made_by[program.steps[-1].inputs[0]]
    while isinstance(step.kind, PASSING) and step.inputs[0] in made_by:
        step = made_by[step.inputs[0]]
    return step


def _proportional(step: Step, program: Program) -> list[str]:
    """Paths of the tensors that all scores, and nothing else, are proportional to."""
    shares = sum(other.owner == step.owner for other in program.steps)
    learned = {tensor.name for tensor in step.tensors if tensor.trained and not tensor.frozen}
    factor = "gain" if "gain" in learned else "weight"  # the lengths, where those are learned apart
    if (
        not isinstance(step.kind, PROPORTIONAL)
        or factor not in learned
        or getattr(step.kind, "weight", "free") == "unit_sum"
        or shares > 1
    ):
        return []
    return [path for name, path in step.tensor_paths().items() if name in (factor, "bias")]
