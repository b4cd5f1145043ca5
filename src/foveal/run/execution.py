"""Carry out a plan: decode, train, measure, save, report."""

from __future__ import annotations

import contextlib
import os
import platform
import shlex
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path
from time import monotonic

import numpy as np

from foveal import files, report
from foveal.data import Loaded, Skipped
from foveal.errors import MachineError
from foveal.model import Model
from foveal.model.features import Extracted, Extractor
from foveal.model.preprocessing import split
from foveal.net import Net
from foveal.net.arithmetic import arithmetic
from foveal.net.kind import Shape
from foveal.net.layers import Normalise, Softmax
from foveal.run import trunk
from foveal.run.planning import Plan
from foveal.tasks.classify import Evaluation
from foveal.training import (
    Epoch,
    Event,
    Features,
    Finished,
    Fitted,
    Job,
    Started,
    can_fit,
    train,
    transfer,
)

MODEL = "model.safetensors"
MOST_PICTURES = 200
"""Wrong pictures that the report shows."""
Loading = Callable[[str, int, int], None]
"""Is told a part, how many of its pictures are read, and how many there are."""
LIBRARIES = ("foveal", "torch", "numpy", "pillow", "onnxruntime", "safetensors")


@dataclass(frozen=True)
class Done:
    """A training is over: what it came to, and where everything lies."""

    model: Model
    evaluation: Evaluation
    folder: Path
    model_path: Path
    report_path: Path
    finished: Finished
    fitted: Fitted | None
    started: Started
    train_seconds: float
    total_seconds: float
    n_train: int
    skipped: tuple[Skipped, ...]
    """Pictures that could not be read when their turn came."""
    notes: tuple[str, ...]


def _quietly(part: str, done: int, of: int) -> None:
    """Tell nobody how many pictures of a part are decoded."""


def execute(
    plan: Plan,
    stop: Callable[[], bool] = bool,
    loading: Loading = _quietly,
) -> Iterator[Event | Done]:
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
) -> Iterator[Event | Done]:
    when, data, begins = datetime.now().astimezone(), plan.data, plan.begins
    steps = trunk.geometry(begins.size)
    entrance = split(Net.of(*steps), plan.shape)
    checked = entrance.load(data.validation, partial(loading, "validation"))
    features = _features(plan, loading)
    if features is not None and plan.transfer.thaw == 0:
        learned = _unseen(features.train, plan.shape)
    else:
        learned = entrance.load(data.train, partial(loading, "training"))
    normalise = begins.normalise or _statistics(learned.pictures)
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
    events = train(job) if begins.weights is None else transfer(job, plan.transfer, features)
    fitted = started = finished = None
    for event in events:
        fitted = event if isinstance(event, Fitted) else fitted
        started = event if isinstance(event, Started) else started
        finished = event if isinstance(event, Finished) else finished
        yield event
    if started is None or finished is None:
        raise AssertionError("a training begins and ends")
    model = Model(whole, plan.shape, finished.weights, data.classes)
    model.save(folder / MODEL)  # what was learned is kept, whatever the test part holds
    model = model.calibrated(checked)
    tested = None if data.test is None else entrance.load(data.test, partial(loading, "test"))
    if tested is None:
        evaluation = model.measure(checked, data.classes, "validation")
    else:
        evaluation = model.measure(tested, data.classes, "test")
    parts = (learned, checked) if tested is None else (learned, checked, tested)
    done = Done(
        model=_described(model, plan, evaluation, started),
        evaluation=evaluation,
        folder=folder,
        model_path=folder / MODEL,
        report_path=folder / "report.html",
        finished=finished,
        fitted=fitted,
        started=started,
        train_seconds=finished.training_seconds,
        total_seconds=monotonic() - plan.began,
        n_train=len(learned),
        skipped=tuple(entry for part in parts for entry in part.skipped),
        notes=tuple(filter(None, (begins.says.replace("\n  ", "; "), *plan.notes))),
    )
    done.model.save(done.model_path)
    _report(done, plan, when)
    yield done


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


def _statistics(pictures: np.ndarray) -> Normalise:
    """Mean and deviation of each channel over the training part, to four digits."""
    sums = [np.zeros(pictures.shape[-1]), np.zeros(pictures.shape[-1])]
    for start in range(0, len(pictures), 1024):
        block = pictures[start : start + 1024].reshape(-1, pictures.shape[-1]).astype(np.float64)
        sums[0] += block.sum(axis=0)
        sums[1] += np.square(block).sum(axis=0)
    count = pictures.size / pictures.shape[-1]
    mean = sums[0] / count
    std = np.sqrt(np.maximum(sums[1] / count - mean**2, 1.0))
    return Normalise(
        mean=tuple(float(f"{value:.4g}") for value in mean),
        std=tuple(float(f"{value:.4g}") for value in std),
    )


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


def versions() -> dict[str, str]:
    """Of Python and of the libraries that a result depends on."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _report(done: Done, plan: Plan, when: datetime) -> None:
    """report.html, results.csv, wrong.csv and args.toml beside the model."""
    model, data = done.model, plan.data
    epochs = tuple(map(_row, done.finished.epochs))
    facts = arithmetic(model.program).facts()
    parts = {"training": data.train, "validation": data.validation, "test": data.test}
    goal = {name: value for name, value in asdict(plan.goal).items() if value is not None}
    args = {**plan.asked, "size": plan.begins.size, **asdict(plan.recipe)}
    if plan.begins.about is not None:
        args |= {"begins": plan.begins.about, "transfer": asdict(plan.transfer)}
    if goal:
        args["goal"] = goal
    report.write_args(done.folder / "args.toml", args)
    report.write_results_csv(done.folder / "results.csv", epochs)
    report.write_wrong_csv(done.folder / "wrong.csv", done.evaluation)
    record = report.RunRecord(
        title=f"{data.name} · {plan.begins.name}",
        net=model.net.write(),
        layers=tuple(facts["layers"]),  # type: ignore[arg-type]
        parameters=int(facts["parameters"]),  # type: ignore[call-overload]
        data=report.DataFacts(
            name=data.name,
            counts={
                part: tuple(map(int, samples.counts))
                for part, samples in parts.items()
                if samples is not None
            },
            skipped=tuple((entry.path, entry.reason) for entry in (*data.skipped, *done.skipped)),
            notes=done.notes,
        ),
        epochs=epochs,
        evaluation=done.evaluation,
        fitted=None if done.fitted is None else _fitted(done.fitted),
        only_fitted=done.finished.learned == "head",
        first_loss=done.started.first_loss,
        args=args,
        seed=plan.recipe.seed,
        device=done.started.device,
        precision=done.started.precision,
        versions=versions(),
        started=when,
        training_seconds=done.train_seconds,
        total_seconds=done.total_seconds,
        model_file=done.model_path.name,
        uses=_uses(done.model_path),
        repeatable=done.started.repeatable,
        reached_goal=done.finished.reached_goal,
        pictures=_wrong_pictures(done, plan),
    )
    report.write_report(done.folder, record)


def _row(epoch: Epoch) -> report.EpochRow:
    return report.EpochRow(
        epoch=epoch.epoch,
        train_loss=epoch.train_loss,
        validation_loss=epoch.validation_loss,
        validation_accuracy=epoch.validation_accuracy,
        learning_rate=epoch.learning_rate,
        seconds=epoch.seconds,
    )


def _fitted(event: Fitted) -> report.FittedRow:
    return report.FittedRow(
        features=event.features,
        validation_loss=event.validation_loss,
        validation_accuracy=event.validation_accuracy,
    )


def _uses(model: Path) -> tuple[report.Use, ...]:
    file = shlex.quote(str(model))
    return (
        report.Use("Ask what is in pictures", f"foveal predict {file} PICTURES…"),
        report.Use("Measure it on other pictures", f"foveal evaluate {file} FOLDER"),
        report.Use("Take it elsewhere", f"foveal export {file} -o model.onnx"),
        report.Use("See every layer", f"foveal show {file}"),
    )


def _wrong_pictures(done: Done, plan: Plan) -> dict[str, np.ndarray]:
    """The pictures of the first wrong answers, by name."""
    samples = plan.data.measured
    places = {name: place for place, name in enumerate(samples.names)}
    return {
        wrong.file: samples.pictures(places[wrong.file], done.model.split.at_least)
        for wrong in done.evaluation.wrong[:MOST_PICTURES]
    }
