"""What a person sees while a net is trained: a line before, a bar during, a result after."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TextIO

from foveal.run.execution import Done
from foveal.training import Epoch, Event, Started, Step

if TYPE_CHECKING:
    from rich.progress import Progress

    from foveal.run.planning import Plan

REDRAW = 0.1
"""Seconds between two pictures of the bar."""


class Watcher:
    """Shows the records of a training; a bar only where somebody watches."""

    def __init__(self, plan: Plan, out: TextIO) -> None:
        self.plan = plan
        self.out = out
        self.bar: Progress | None = None
        self.task: Any = None
        self.drawn = 0.0
        self._introduce()

    def loading(self, part: str, done: int, of: int) -> None:
        """So many pictures of a part are decoded."""
        if not self._due(done == of) or of < 1000:
            return
        self._show(f"reading {part}", done / of, "")

    def see(self, event: Event | Done) -> None:
        if isinstance(event, Started):
            self._started(event)
        elif isinstance(event, Step):
            if self._due():
                self._show("training", event.progress, f"{_time(event.seconds_left)} left")
        elif isinstance(event, Epoch):
            self._say(epoch_line(event))
        elif isinstance(event, Done):
            self.close()
            self._done(event)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None

    def _introduce(self) -> None:
        data = self.plan.data
        self._say(
            f"{data.name}: {len(data.classes)} classes, {len(data.train):,} pictures to learn from"
        )
        for note in data.notes:
            self._say(f"  {note}")
        for entry in data.skipped[:5]:
            self._say(f"  not used: {entry.path}: {entry.reason}")
        if len(data.skipped) > 5:
            self._say(f"  … and {len(data.skipped) - 5:,} more, all in the report")

    def _started(self, event: Started) -> None:
        size = self.plan.size
        side = f"{size}x{size}" if isinstance(size, int) else f"{size[0]}x{size[1]}"
        self._say(
            f"{self.plan.net_name}: {event.parameters:,} parameters, pictures of "
            f"{self.plan.data.channels}x{side}, {event.precision} on {event.device}, "
            f"about {_time(event.estimate)}"
        )
        guessing = event.expected_first_loss
        self._say(
            f"  first loss {event.first_loss:.3f}; guessing gives ln(classes) = {guessing:.3f}"
        )
        if not event.repeatable:
            self._say("  ends by the clock: the same seed will not give the same numbers")

    def _done(self, event: Done) -> None:
        from foveal.report import result_sentence

        self._say("")
        self._say(result_sentence(event.evaluation))
        if event.finished.stopped in ("accuracy", "loss"):
            self._say("Stopped when the validation part reached the goal: no benchmark.")
        seconds = f"{event.train_seconds:.1f} s of training, {event.total_seconds:.1f} s in all"
        self._say(f"{seconds}; seed {self.plan.recipe.seed}")
        self._say(f"model   {event.model_path}")
        self._say(f"report  {event.report_path}")

    def _due(self, last: bool = False) -> bool:
        now = time.monotonic()
        if not last and now - self.drawn < REDRAW:
            return False
        self.drawn = now
        return True

    def _show(self, what: str, share: float, left: str) -> None:
        if not self.out.isatty():
            return
        if self.bar is None:
            self.bar = _progress(self.out)
            self.task = self.bar.add_task(what, total=1.0, left="")
        self.bar.update(self.task, completed=share, description=what, left=left)

    def _say(self, line: str) -> None:
        if self.bar is not None:
            self.bar.console.print(line, highlight=False, markup=False)
        else:
            print(line, file=self.out, flush=True)


def epoch_line(epoch: Epoch) -> str:
    """One epoch in one line."""
    parts = [f"epoch {epoch.epoch:>3}", f"training loss {epoch.train_loss:.4f}"]
    if epoch.validation_loss is not None and epoch.validation_accuracy is not None:
        parts.append(f"validation loss {epoch.validation_loss:.4f}")
        parts.append(f"accuracy {epoch.validation_accuracy:.2%}")
    parts.append(f"{epoch.seconds:.1f} s")
    return "  ".join(parts)


def _progress(out: TextIO) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    bar = Progress(
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=40),
        TaskProgressColumn(),
        TextColumn("{task.fields[left]}"),
        console=Console(file=out),
        transient=True,
    )
    bar.start()
    return bar


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 1 else "a second"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes / 60:.1f} h"
