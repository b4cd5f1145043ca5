"""What a person sees while a net is trained: lines before, a bar during, a result after."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, TextIO

from foveal.cli.progress import Bar, in_words
from foveal.data import Skipped
from foveal.data.names import printable
from foveal.model.twins import MEASURED
from foveal.net.kind import shape_text
from foveal.run.results import Done, Refit
from foveal.training import Epoch, Event, Finished, Fitted, Started, Step

if TYPE_CHECKING:
    from foveal.run.planning import Plan

MOST_SKIPPED = 5
"""Files not used that are named; the report names all."""
MOST_EPOCHS = 20
"""Lines of a long training; results.csv has a row for every epoch."""
SOON = 1.0
"""Seconds after which reading pictures shows a bar."""


class Watcher:
    """Shows the records of a training."""

    def __init__(self, plan: Plan, out: TextIO) -> None:
        self.plan = plan
        self.bar = Bar(out)
        self.stride = -(-plan.recipe.epochs // MOST_EPOCHS)
        self.refitting = False
        self._introduce()
        self.began = monotonic()

    def loading(self, part: str, done: int, of: int) -> None:
        """So many pictures of a part are decoded."""
        if monotonic() - self.began > SOON:
            self.bar.show(f"reading {part}", done / of)

    def see(self, event: Event | Refit | Done) -> None:
        if isinstance(event, Refit):
            self._refit(event)
        elif self.refitting and isinstance(event, Started | Fitted | Epoch):
            return
        elif isinstance(event, Started):
            self._started(event)
        elif isinstance(event, Fitted):
            self.bar.say(fitted_line(event))
        elif isinstance(event, Step):
            self.bar.show("training", event.progress, f"{in_words(event.seconds_left)} left")
        elif isinstance(event, Epoch):
            if event.epoch == 1 or event.epoch % self.stride == 0:
                self.bar.say(epoch_line(event))
        elif isinstance(event, Finished):
            if event.epochs and event.learned == "head":
                self.bar.say("  no better than the last layer alone, which is kept")
        elif isinstance(event, Done):
            self.bar.close()
            self._done(event)

    def stopping(self) -> None:
        """The training was asked to end."""
        self.bar.say("stopped: measuring and saving what was learned; once more stops at once")

    def close(self) -> None:
        self.bar.close()

    def _introduce(self) -> None:
        data = self.plan.data
        if self.plan.begins.says:
            self.bar.say(self.plan.begins.says)
        self.bar.say(
            f"{data.name}: {len(data.classes)} classes, {len(data.train):,} pictures to learn from"
        )
        for note in self.plan.notes:
            self.bar.say(f"  {note}")
        self._name_skipped(data.skipped)

    def _name_skipped(self, skipped: Sequence[Skipped]) -> None:
        for entry in skipped[:MOST_SKIPPED]:
            self.bar.say(f"  not used: {printable(entry.path)}: {entry.reason}")
        if len(skipped) > MOST_SKIPPED:
            self.bar.say(f"  … and {len(skipped) - MOST_SKIPPED:,} more, all in the report")

    def _started(self, event: Started) -> None:
        self.bar.say(
            f"{self.plan.begins.name}: {event.parameters:,} parameters, pictures of "
            f"{shape_text(self.plan.shape)}, {event.precision} on {event.device}, "
            f"about {in_words(event.estimate)}{', twice' if self.plan.refits else ''}"
        )
        guessing = event.expected_first_loss
        self.bar.say(
            f"  first loss {event.first_loss:.3f}; guessing gives ln(classes) = {guessing:.3f}"
        )
        if not event.repeatable:
            self.bar.say("  ends by the clock: the same seed will not give the same numbers")

    def _refit(self, event: Refit) -> None:
        self.refitting = True
        self.bar.say(
            f"measured; learns once more, now from all {event.pictures:,} pictures "
            "(--no-refit: leaves it at that)"
        )

    def _done(self, event: Done) -> None:
        from foveal.report import result_sentence

        self._name_skipped(event.skipped)
        self.bar.say("")
        self.bar.say(result_sentence(event.evaluation))
        if event.refitted and event.evaluation.part == "validation":
            self.bar.say(f"The model has since learned from these too, {MEASURED} has not.")
        if event.finished.reached_goal:
            self.bar.say("Stopped when the validation part reached the goal: no benchmark.")
        seconds = f"{event.train_seconds:.1f} s of training, {event.total_seconds:.1f} s in all"
        self.bar.say(f"{seconds}; seed {self.plan.recipe.seed}")
        self.bar.say(f"model   {event.model_path}")
        self.bar.say(f"report  {event.report_path}")


def fitted_line(event: Fitted) -> str:
    """The first stage of a training that goes on from a trunk, in one line."""
    parts = [f"last layer on {event.features:,} features of {event.pictures:,} pictures"]
    if event.reused:
        parts[0] += f" ({event.reused:,} known from before)"
    if event.validation_loss is not None and event.validation_accuracy is not None:
        parts.append(f"validation loss {event.validation_loss:.4f}")
        parts.append(f"accuracy {event.validation_accuracy:.2%}")
    parts.append(f"{event.feature_seconds + event.seconds:.1f} s")
    return "  ".join(parts)


def epoch_line(epoch: Epoch) -> str:
    """One epoch in one line."""
    parts = [f"epoch {epoch.epoch:>3}", f"training loss {epoch.train_loss:.4f}"]
    if epoch.validation_loss is not None and epoch.validation_accuracy is not None:
        parts.append(f"validation loss {epoch.validation_loss:.4f}")
        parts.append(f"accuracy {epoch.validation_accuracy:.2%}")
    parts.append(f"{epoch.seconds:.1f} s")
    return "  ".join(parts)
