"""Learning from a trunk: a new last layer on its features, then the layers before it too."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import log, prod

import numpy as np

from foveal import engines
from foveal.data.spread import both
from foveal.engines.pytorch.machine import Machine
from foveal.errors import SpecError
from foveal.model.calibration import temperature
from foveal.model.features import Extracted, joined
from foveal.net.heads import head
from foveal.net.layers import Dense
from foveal.net.program import Program
from foveal.recipe import Transfer
from foveal.training.events import Event, Finished, Fitted, Learned, Started, Stopped
from foveal.training.head import Head, fit
from foveal.training.job import Job
from foveal.training.loop import reached, train

AT_ONCE = 100
"""Pictures asked about together."""


@dataclass(frozen=True, eq=False)
class Features:
    """What arrives at the last layer of a job's net, for the pictures it learns and checks with."""

    train: Extracted
    validation: Extracted | None = None

    def together(self) -> Features:
        """Those of the validation part among the training features."""
        parts = [part for part in (self.train, self.validation) if part is not None]
        return Features(joined(parts))


def can_fit(program: Program) -> bool:
    """Whether a net's last layer can be fitted to features: a plain dense one that makes scores."""
    try:
        last = head(program)
    except SpecError:
        return False
    kind = last.kind
    plain = isinstance(kind, Dense) and kind.bias and kind.weight == "free" and not kind.frozen
    return plain and last.output == program.results[0][1]


def transfer(job: Job, how: Transfer, features: Features | None = None) -> Iterator[Event]:
    """Teach a net that brings weights along something else, and yield what happens.

    Use it where pictures are few: `job.start` are the weights of a trunk. First the last layer is
    fitted to `features`, in seconds; without them it is left as it starts. Then the thawed layers
    learn with it as in `train`, the more slowly the nearer they are to the picture. `Finished` has
    what was thawed, unless the validation part says that the last layer alone is better.

    Raises:  SpecError if the features do not fit the net's last layer; else as `train`
    """
    program = job.net.bind(job.input)
    job = replace(
        job,
        rates={**rates(program, how), **job.rates},
        keep_statistics=how.statistics == "kept",
        anchor=how.anchor,
    )
    if features is None:
        yield from train(job)
        return
    last = head(program)
    fitted, found = _fitted(job, last.owner, features)
    yield fitted
    tensors = {"weight": found.weight, "bias": found.bias}
    named = {path: tensors[name] for name, path in last.tensor_paths().items()}
    job = replace(job, start={**job.start, **named})
    stopped = _stopped(job, how, fitted)
    if stopped is not None:
        yield from _nothing_more(job, fitted, stopped)
        return
    for event in train(_in_what_is_left(job, fitted)):
        if isinstance(event, Finished) and _is_worse(event, job, found, features.validation):
            event = replace(event, weights={**event.weights, **job.start}, learned="head")
        yield event


def refit(job: Job, how: Transfer, features: Features | None, learned: Learned) -> Iterator[Event]:
    """Do what `transfer` did once more, with the validation part among the training pictures.

    Use it where pictures are few, and the validation part has told what it had to tell: how good
    the net is, and by `learned` whether thawing was any good. The job and the features are those
    of `transfer`; nothing is measured.

    Raises:  SpecError if there is no validation part; else as `transfer`
    """
    if job.validation is None:
        raise SpecError("has no validation part to learn from", where="refit")
    (pictures, labels), (more, theirs) = job.train, job.validation
    together = both(pictures, more), np.concatenate([labels, theirs])
    job = replace(job, train=together, validation=None)
    if learned == "head":
        how = replace(how, thaw=0)
    yield from transfer(job, how, features and features.together())


def rates(program: Program, how: Transfer) -> dict[str, float]:
    """The share of the learning rate of each layer of the trunk: 0 for those that stay.

    The last layer has the whole rate. From there it falls evenly, as a factor for each layer, so
    that the first layer of all would have `how.falling` of it.

    >>> from foveal.net.notation import parse
    >>> program = parse("conv 8 3 -> conv 8 3 -> globalavgpool -> dense 2").bind((3, 9, 9))
    >>> rates(program, Transfer(falling=0.01)), rates(program, Transfer(thaw=0.5))
    ({'conv2': 0.1, 'conv1': 0.01}, {'conv2': 0.31622776601683794, 'conv1': 0.0})
    """
    last = head(program).owner
    owners = dict.fromkeys(step.owner for step, _, _ in program.owned())
    trunk = [owner for owner in reversed(owners) if owner != last]
    thawed = round(how.thaw * len(trunk))
    return {
        owner: how.falling ** (depth / len(trunk)) if depth <= thawed else 0.0
        for depth, owner in enumerate(trunk, start=1)
    }


def _fitted(job: Job, last: str, features: Features) -> tuple[Fitted, Head]:
    """The head that fits the features best."""
    began = time.perf_counter()
    known, checked = features.train, features.validation
    weights = np.ones(job.num_classes) if job.class_weights is None else job.class_weights
    with replace(Machine.find("float32"), threads=1).steady():  # others would mostly wait
        found = fit(known.values, known.labels, np.array(weights, np.float64), job.recipe.seed)
    loss, accuracy = _measured(found, checked) if checked is not None else (None, None)
    both = [part for part in (known, checked) if part is not None]
    fitted = Fitted(
        layer=last,
        features=known.values.shape[1],
        pictures=sum(map(len, both)),
        reused=sum(part.reused for part in both),
        feature_seconds=sum(part.seconds for part in both),
        seconds=time.perf_counter() - began,
        strength=found.strength,
        train_loss=_measured(found, known)[0],
        validation_loss=loss,
        validation_accuracy=accuracy,
    )
    return fitted, found


def _measured(found: Head, part: Extracted) -> tuple[float, float]:
    """Mean cross-entropy and share right."""
    scores = found.scores(part.values).astype(np.float64)
    right = scores.argmax(axis=1) == part.labels
    return float(_cross_entropies(scores, part.labels).mean()), float(right.mean())


def _cross_entropies(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """-ln(softmax(scores)) of each label."""
    scores = scores - scores.max(axis=1, keepdims=True)
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    made: np.ndarray = -logs[np.arange(len(labels)), labels]
    return made


def _stopped(job: Job, how: Transfer, fitted: Fitted) -> Stopped | None:
    """Why nothing is thawed, if nothing is."""
    within = job.goal.within
    if job.stop():
        return "interrupted"
    if within is not None and fitted.feature_seconds + fitted.seconds >= within:
        return "within"
    return reached(job.goal, fitted) or ("epochs" if how.thaw == 0 else None)


def _nothing_more(job: Job, fitted: Fitted, stopped: Stopped) -> Iterator[Event]:
    """The end of a training whose trunk stays as it is."""
    machine, tensors = Machine.find("float32"), job.net.bind(job.input).tensors()
    yield Started(
        parameters=sum(prod(tensor.shape) for tensor in tensors.values() if tensor.trained),
        device=machine.name(),
        precision=machine.precision,
        threads=machine.threads,
        steps=0,
        estimate=0.0,
        first_loss=fitted.train_loss,
        expected_first_loss=log(job.num_classes),
        repeatable=job.goal.within is None,
        resumed=(),
    )
    seconds = fitted.feature_seconds + fitted.seconds
    yield Finished(dict(job.start), (), 0, seconds, stopped, learned="head")


def _in_what_is_left(job: Job, fitted: Fitted) -> Job:
    """The job with what the head took off its time."""
    if job.goal.within is None:
        return job
    left = job.goal.within - fitted.feature_seconds - fitted.seconds
    return replace(job, goal=replace(job.goal, within=left))


def _is_worse(finished: Finished, job: Job, found: Head, checked: Extracted | None) -> bool:
    """Whether the validation part says that the layers before the last learned nothing good.

    Label smoothing makes a net too unsure, which the last layer alone is not: so both are asked
    as they will be, calibrated. Few pictures say little, and thawing helps more often than not:
    so it must be worse by more than the standard error of the difference.
    """
    if checked is None or job.validation is None:
        return False
    if not finished.epochs:
        return True
    labels = job.validation[1]
    after = _surprises(_scores(job, finished.weights), labels)
    before = _surprises(found.scores(checked.values), checked.labels)
    if len(after) != len(before):  # some picture could be read once only
        return bool(after.mean() > before.mean())
    worse = after - before
    return bool(worse.mean() > worse.std() / np.sqrt(len(worse)))


def _surprises(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Cross-entropy of each picture at the temperature that suits the scores best."""
    cooled = scores.astype(np.float64) / temperature(scores, labels)
    return _cross_entropies(cooled, labels)


def _scores(job: Job, weights: Mapping[str, np.ndarray]) -> np.ndarray:
    """What a net with these weights makes of the validation part."""
    assert job.validation is not None
    engine = engines.build("pytorch", job.net.bind(job.input), weights)
    pictures = job.validation[0]
    starts = range(0, len(pictures), AT_ONCE)
    blocks = (pictures[start : start + AT_ONCE].transpose(0, 3, 1, 2) for start in starts)
    return np.concatenate([engine.run(block.astype(np.float32))[""] for block in blocks])
