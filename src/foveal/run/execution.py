"""Carry out a plan: decode, train, measure, save, report."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from time import monotonic

import numpy as np

from foveal import files
from foveal.data import Loaded
from foveal.errors import MachineError
from foveal.model import Model
from foveal.model.calibration import cooled
from foveal.model.features import Extracted, Extractor
from foveal.model.prepared import load_kept
from foveal.model.preprocessing import split
from foveal.model.twins import MEASURED, MODEL
from foveal.net import Net
from foveal.net.kind import Shape
from foveal.net.layers import Softmax
from foveal.run import trunk
from foveal.run.levels import Levels
from foveal.run.planning import Plan
from foveal.run.results import Done, Refit, write_report
from foveal.run.versions import versions
from foveal.tasks.classify import Evaluation
from foveal.training import (
    Event,
    Features,
    Finished,
    Fitted,
    Job,
    Started,
    can_fit,
    refit,
    train,
    transfer,
)

Loading = Callable[[str, int, int], None]
"""Is told a part, how many of its pictures are read, and how many there are."""


def _quietly(part: str, done: int, of: int) -> None:
    """Tell nobody how many pictures of a part are decoded."""


def execute(
    plan: Plan,
    stop: Callable[[], bool] = bool,
    loading: Loading = _quietly,
) -> Iterator[Event | Refit | Done]:
    """Train as planned, and yield what happens; the last record is `Done`.

    `stop` is asked after every step; true ends the training, and what was learned is kept.
    `loading` is told the part, how many of its pictures are decoded, and how many there are.
    The model is on the disk before it is measured; the folder goes if nothing came into it.

    Raises: DataError if too many pictures cannot be read; MachineError if the disk refuses
    """
    folder = _new_folder(plan.folder)
    try:
        yield from _execute(plan, folder, stop, loading)
    finally:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _execute(
    plan: Plan, folder: Path, stop: Callable[[], bool], loading: Loading
) -> Iterator[Event | Refit | Done]:
    when, data = datetime.now().astimezone(), plan.data
    ready = _ready(plan, stop, loading)
    taught = yield from _taught(_events(plan, ready))
    finished = taught.finished
    views = plan.recipe.views
    bare = Model(ready.net, plan.shape, finished.weights, data.classes, views=views)
    bare.save(folder / MODEL)  # what was learned is kept, whatever the test part holds
    tested = None if data.test is None else ready.load(data.test, partial(loading, "test"))
    model = bare.calibrated(ready.checked)
    if tested is None:
        evaluation = model.measure(ready.checked, data.classes, "validation")
    else:
        evaluation = model.measure(tested, data.classes, "test")
    model = _described(model, plan, evaluation, taught.started)
    model.save(folder / MODEL)
    seconds, refitted = finished.training_seconds, False
    if plan.refits and finished.stopped == "epochs":
        yield Refit(len(ready.learned) + len(ready.checked))
        how, learned = plan.transfer, finished.learned
        again = (yield from _taught(refit(ready.job, how, ready.features, learned))).finished
        seconds, refitted = seconds + again.training_seconds, again.stopped == "epochs"
    if refitted:
        model.save(folder / MEASURED)
        bare = replace(bare, weights=again.weights, about={"refit": MEASURED})
        model = cooled(bare, model.about["temperature"])
        if tested is not None:
            evaluation = model.measure(tested, data.classes, "test")
        model = _described(model, plan, evaluation, taught.started)
        model.save(folder / MODEL)
    parts = (ready.learned, ready.checked, *([] if tested is None else [tested]))
    done = Done(
        model=model,
        evaluation=evaluation,
        folder=folder,
        model_path=folder / MODEL,
        report_path=folder / "report.html",
        finished=finished,
        fitted=taught.fitted,
        started=taught.started,
        train_seconds=seconds,
        total_seconds=monotonic() - plan.began,
        n_train=len(ready.learned),
        refitted=refitted,
        skipped=tuple(entry for part in parts for entry in part.skipped),
        notes=tuple(filter(None, (plan.begins.says.replace("\n  ", "; "), *plan.notes))),
    )
    write_report(done, plan, when)
    yield done


@dataclass(frozen=True, eq=False)
class _Ready:
    """All that a training needs, decoded."""

    net: Net
    """From bytes to probabilities."""
    job: Job
    features: Features | None
    learned: Loaded
    checked: Loaded
    load: Callable[..., Loaded]
    """Decodes another part."""


def _ready(plan: Plan, stop: Callable[[], bool], loading: Loading) -> _Ready:
    """Decode the training and the validation part, and say what is to be done with them."""
    data, begins, steps = plan.data, plan.begins, trunk.geometry(plan.begins.size)
    load = partial(load_kept, split(Net.of(*steps), plan.shape), limit=plan.cache_limit)
    levels = Levels(plan.shape[0])
    checked = load(data.validation, partial(loading, "validation"))
    features = _features(plan, loading)
    if features is not None and plan.transfer.thaw == 0:
        learned = _unseen(features.train, plan.shape)
    else:
        see = levels.see if begins.normalise is None else None
        learned = load(data.train, partial(loading, "training"), see=see)
    normalise = begins.normalise or levels.normalise()
    whole = Net.of(*steps, normalise, *begins.net.root.items, Softmax()).with_names()
    job = Job(
        net=Net.of(*whole.root.items[len(steps) : -1]),
        input=plan.shape,
        train=(learned.pictures, learned.labels),
        validation=(checked.pictures, checked.labels) if len(checked) else None,
        num_classes=len(data.classes),
        recipe=plan.recipe,
        start=begins.weights or {},
        class_weights=plan.class_weights,
        goal=plan.goal,
        stop=stop,
    )
    return _Ready(whole, job, features, learned, checked, load)


def _events(plan: Plan, ready: _Ready) -> Iterator[Event]:
    if plan.begins.weights is None:
        return train(ready.job)
    return transfer(ready.job, plan.transfer, ready.features)


@dataclass(frozen=True)
class _Taught:
    """The records of a training that are needed after it."""

    fitted: Fitted | None
    started: Started
    finished: Finished


def _taught(events: Iterator[Event]) -> Generator[Event, None, _Taught]:
    """Yield the events of a training, and return what is needed of them."""
    fitted = started = finished = None
    for event in events:
        fitted = event if isinstance(event, Fitted) else fitted
        started = event if isinstance(event, Started) else started
        finished = event if isinstance(event, Finished) else finished
        yield event
    if started is None or finished is None:
        raise AssertionError("a training begins and ends")
    return _Taught(fitted, started, finished)


def _features(plan: Plan, loading: Loading) -> Features | None:
    """What the trunk makes of the pictures, where a new last layer can be fitted to it."""
    data = plan.data
    extracting = extractor(plan)
    if extracting is None:
        return None
    return Features(
        extracting.run(data.train, partial(loading, "training")),
        extracting.run(data.validation, partial(loading, "validation"))
        if len(data.validation)
        else None,
    )


def extractor(plan: Plan) -> Extractor | None:
    """What computes the features that a new last layer can be fitted to, where there is one."""
    begins = plan.begins
    if begins.weights is None or begins.normalise is None:
        return None
    net = Net.of(*trunk.geometry(begins.size), begins.normalise, *begins.net.root.items)
    program = begins.net.bind(plan.shape)
    if set(begins.weights) == set(program.tensors()) or not can_fit(program):
        return None
    return Extractor(net, plan.shape, begins.weights)


def _unseen(known: Extracted, shape: Shape) -> Loaded:
    """Pictures whose features are all that is needed: nothing decoded, nothing in memory."""
    channels, *sizes = shape
    pictures = np.broadcast_to(np.uint8(0), (len(known), *sizes, channels))
    return Loaded(pictures, known.labels, known.names, known.skipped)


def _new_folder(wished: Path) -> Path:
    """A folder that was not there; a name that is taken gets a number.

    What interrupted runs beside it left half-written is removed.
    """
    folder = wished
    try:
        for number in count(2):
            try:
                folder.mkdir(parents=True)
                break
            except FileExistsError:
                if not os.path.lexists(folder):
                    raise  # something on the way to it is no folder
                folder = wished.with_name(f"{wished.name}-{number}")
    except OSError as error:
        raise MachineError(
            f"cannot be made: {error.strerror}",
            where=str(folder),
            fix="--runs FOLDER, where you may write",
        ) from error
    for run in wished.parent.iterdir():
        files.sweep(run)
    return folder


def _described(model: Model, plan: Plan, evaluation: Evaluation, started: Started) -> Model:
    """The model with what is known of its training."""
    about = {
        "metrics": {
            "part": evaluation.part,
            "n": evaluation.n,
            "accuracy": evaluation.accuracy,
            "accuracy_interval": list(evaluation.accuracy_interval),
            "loss": evaluation.loss,
        },
        "data": {
            "name": plan.data.name,
            "fingerprint": plan.data.fingerprint,
            **({"group_by": plan.data.group_by} if plan.data.group_by else {}),
        },
        "recipe": asdict(plan.recipe),
        "device": started.device,
        "precision": started.precision,
        "versions": versions(),
    }
    if plan.begins.about is not None:
        about |= {"begins": dict(plan.begins.about), "transfer": asdict(plan.transfer)}
    return replace(model, about={**model.about, **about})
