"""How the loss fell and the accuracy rose, epoch by epoch."""

from __future__ import annotations

from typing import Literal

from foveal.report.parts import term
from foveal.report.record import EpochRow, RunRecord
from foveal.report.svg import Series, line_chart
from foveal.report.words import count, number, percent

_RISEN = 1.25
"""The validation loss has risen again when it ends a quarter above its lowest: less is noise."""


def learning_section(run: RunRecord) -> str:
    """What happened in sentences, and as curves of loss and accuracy."""
    if not run.epochs:
        return f"<p>{' '.join(_first_stage(run)) or 'No epoch was finished.'}</p>"
    loss = line_chart(
        "loss",
        "Loss",
        (
            Series("training", "train", _points(run, "train_loss")),
            Series("validation", "held", _points(run, "validation_loss")),
        ),
        number,
    )
    accuracy = line_chart(
        "accuracy",
        "Accuracy on the validation part",
        (Series("validation", "held", _points(run, "validation_accuracy", 100)),),
        lambda value: percent(value / 100),
        unit="%",
        within=(0, 100),
    )
    return (
        f"<p>{' '.join([*_first_stage(run), *_sentences(run)])}</p>"
        f'<div class="pair"><figure>{loss}<figcaption>{term("loss", "Loss")}: how surprised the '
        "net is by the right names. Lower is better.</figcaption></figure>"
        f"<figure>{accuracy}<figcaption>{term('accuracy', 'Accuracy')} on the "
        f"{term('validation', 'validation part')}: the share named right. Higher is better."
        "</figcaption></figure></div>"
    )


def _first_stage(run: RunRecord) -> list[str]:
    """What the last layer alone came to, and what became of it."""
    if run.fitted is None:
        return []
    row = run.fitted
    said = (
        f"The net brought along what it had learned before. First its last layer was fitted to "
        f"the {row['features']:,} features that the others find in each picture"
    )
    if row["validation_accuracy"] is not None and row["validation_loss"] is not None:
        said += (
            f": {percent(row['validation_accuracy'])} of the pictures kept aside were named "
            f"right, with a loss of {number(row['validation_loss'])}"
        )
    if not run.epochs:
        return [f"{said}. The others stayed as they were."]
    if run.only_fitted:
        return [
            f"{said}. Then the others learned too, which made it no better: they were put back."
        ]
    return [f"{said}. Then the others learned too."]


def _points(
    run: RunRecord,
    column: Literal["train_loss", "validation_loss", "validation_accuracy"],
    factor: int = 1,
) -> tuple[tuple[int, float | None], ...]:
    values = ((row["epoch"], row[column]) for row in run.epochs)
    return tuple((epoch, value if value is None else factor * value) for epoch, value in values)


def _sentences(run: RunRecord) -> list[str]:
    last = run.epochs[-1]
    sentences = []
    if run.first_loss is not None and run.fitted is None:
        sentences.append(
            f"Before it learned, the {term('loss', 'loss')} was {number(run.first_loss)}; guessing "
            f"blindly among {len(run.evaluation.classes):,} classes gives "
            f"{number(run.loss_of_guessing)}."
        )
    sentences.append(
        f"After {term('epoch', count(len(run.epochs), 'epoch'))} it was "
        f"{number(last['train_loss'])} on the pictures it learned from" + _held(last)
    )
    lowest = _lowest(run)
    if lowest is not None:
        sentences.append(
            f"On the validation part it was lowest at epoch {lowest['epoch']} "
            f"({number(lowest['validation_loss'])}) and rose again, which mostly means that from "
            "there the net learned its pictures by heart. More pictures or fewer epochs may help."
        )
    return sentences


def _held(last: EpochRow) -> str:
    if last["validation_loss"] is None or last["validation_accuracy"] is None:
        return "."
    return (
        f" and {number(last['validation_loss'])} on those kept aside, of which "
        f"{percent(last['validation_accuracy'])} were named right."
    )


def _lowest(run: RunRecord) -> EpochRow | None:
    """The epoch of the lowest validation loss, if it was clearly left behind."""
    held = [
        (row["validation_loss"], row) for row in run.epochs if row["validation_loss"] is not None
    ]
    if not held:
        return None
    lowest, row = min(held, key=lambda pair: pair[0])
    return row if held[-1][0] > _RISEN * lowest else None
