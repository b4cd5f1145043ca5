"""What a training came to, and the folder that tells of it."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from foveal import report
from foveal.data import Skipped
from foveal.model import Model
from foveal.net.arithmetic import arithmetic
from foveal.run.planning import Plan
from foveal.run.versions import versions
from foveal.tasks.classify import Evaluation
from foveal.training import Epoch, Finished, Fitted, Started

MOST_PICTURES = 200
"""Wrong pictures that the report shows."""


@dataclass(frozen=True)
class Refit:
    """The net is measured, and learns once more: now from those pictures too that measured it."""

    pictures: int
    """From how many: training and validation part."""


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
    """Pictures that it had learned from when it was measured."""
    refitted: bool
    """Whether the model has since learned from the validation part too."""
    skipped: tuple[Skipped, ...]
    """Pictures that could not be read when their turn came."""
    notes: tuple[str, ...]


def write_report(done: Done, plan: Plan, when: datetime) -> None:
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
        refitted=done.refitted,
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
