"""What `foveal bench` measures: a row for each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from foveal.bench.figure import Figure
from foveal.errors import SpecError, did_you_mean

Measure: TypeAlias = Callable[[], Iterator[Figure]]

NETS = {"quick": ((1, 28, 28), 128, 20), "resnet18": ((3, 64, 64), 32, 2)}
"""Nets that are trained: their pictures, how many a step, and how many steps a round."""
PREDICTIONS = 200


def matrix() -> Iterator[Figure]:
    """The product of two matrices, in each precision that is fast here."""
    from foveal.engines.pytorch.machine import Machine
    from foveal.engines.pytorch.peak import products

    for precision in dict.fromkeys(("float32", Machine.find().precision)):
        rates = tuple(each / 1e9 for each in products(precision))
        yield Figure(f"matrix_{precision}", f"product of matrices, {precision}", "GFLOP/s", rates)


def digits() -> Iterator[Figure]:
    """`foveal train`, from the digits that come with it to a saved model."""
    import tempfile

    from foveal.run.one_call import train
    from foveal.run.results import Done

    events: list[object] = []
    with tempfile.TemporaryDirectory() as folder:
        train("digits", runs=folder, watch=events.append)
    done = next(event for event in events if isinstance(event, Done))
    of, right = done.evaluation.n, 100 * done.evaluation.accuracy
    yield Figure("digits", "foveal train digits: training", "s", (done.train_seconds,), "less")
    yield Figure("digits_right", f"right of {of} others", "%", (right,), "")


def training() -> Iterator[Figure]:
    """Learning from pictures in memory, by a small and by a larger net."""
    from foveal.bench.speed import learning
    from foveal.net.kind import shape_text
    from foveal.zoo import ENTRIES

    for name, (shape, batch_size, steps) in NETS.items():
        net = ENTRIES[name].build(shape, 10)
        rates = learning(net, shape, 10, batch_size=batch_size, steps=steps)
        yield Figure(f"train_{name}", f"training {name}, {shape_text(shape)}", "pictures/s", rates)


def predict() -> Iterator[Figure]:
    """One picture after another, asked of the digit reader."""
    from foveal.bench.speed import noise
    from foveal.model import load

    model = load("digit_reader")
    milliseconds = []
    for picture in noise(PREDICTIONS + 1, model.input):
        began = time.perf_counter()
        model.predict(picture)
        milliseconds.append(1000 * (time.perf_counter() - began))
    yield Figure("predict", "predicting one digit", "ms", tuple(milliseconds[1:]), "less")


MEASURES: dict[str, Measure] = {
    "matrix": matrix,
    "digits": digits,
    "training": training,
    "predict": predict,
}
"""Each by its name, in the order they are made; one may come to several figures."""


def choose(names: Sequence[str]) -> dict[str, Measure]:
    """The measures of these names; all of them if there are none.

    Raises:  SpecError if a name is unknown
    """
    for name in names:
        if name not in MEASURES:
            raise SpecError("is no measure", where=name, fix=did_you_mean(name, MEASURES))
    return {name: MEASURES[name] for name in names or MEASURES}
