"""The training loop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from math import log

from foveal.engines.pytorch.machine import Machine
from foveal.recipe import Goal
from foveal.training import checkpoint
from foveal.training.checkpoint import Checkpoint
from foveal.training.events import Epoch, Event, Finished, Fitted, Saved, Started, Step, Stopped
from foveal.training.job import Job
from foveal.training.learner import Learner, Rehearsal
from foveal.training.schedule import SCHEDULES

WATCH = 50
"""Every so many steps the loss is asked whether it is still a number."""


def train(job: Job) -> Iterator[Event]:
    """Train a net and yield what happens; closing the iterator cancels.

    Use it below every front end: a progress bar, a notebook and a test read the same events.
    The same job on the same machine and versions gives the same bits, resumed or not, unless a
    clock decides.

    Raises:  FovealError if the loss is no longer a number; MachineError if a checkpoint cannot be
             saved; DataError if the checkpoint to resume is of another training
    """
    machine = Machine.find(job.recipe.precision, job.net.bind(job.input))
    with machine.steady():
        yield from _train(job, machine)


def _train(job: Job, machine: Machine) -> Iterator[Event]:
    learner, goal = Learner(job, machine), job.goal
    rate = SCHEDULES[job.recipe.schedule]
    identity = checkpoint.identity(job) if job.checkpoint else {}
    found = checkpoint.load(job.checkpoint, identity) if job.checkpoint and job.resume else None
    rehearsal = learner.rehearse()
    clock = _Clock(job, learner.per_epoch, rehearsal)
    epochs: list[Epoch] = []
    first_loss, number = rehearsal.first_loss, 0
    if found:
        learner.restore(found)
        epochs, first_loss, number = list(found.epochs), found.first_loss, found.step
        clock.seconds, clock.epoch_start = found.seconds, found.epoch_start
    yield Started(
        parameters=sum(p.numel() for p in learner.module.parameters()),
        device=machine.name(),
        precision=machine.precision,
        threads=machine.threads,
        steps=clock.steps,
        estimate=clock.seconds_left(number),
        first_loss=first_loss,
        expected_first_loss=log(job.num_classes),
        repeatable=goal.within is None,
        resumed=tuple(epochs),
    )

    stopped: Stopped | None = None
    while stopped is None:
        start, progress = time.perf_counter(), clock.progress(number)
        share = rate(progress)
        loss = learner.step(number, share)
        number += 1
        clock.stepped(time.perf_counter() - start)
        yield Step(number, clock.steps, clock.progress(number), clock.seconds_left(number), loss)

        interrupted, over = job.stop(), clock.is_over(number)
        if number % learner.per_epoch == 0 or (over and not interrupted):
            start = time.perf_counter()
            train_loss = learner.mean_loss(number)
            validation_loss, validation_accuracy = learner.evaluate()
            learner.loss.zero_()
            clock.evaluated(time.perf_counter() - start)
            epoch = Epoch(
                epoch=len(epochs) + 1,
                train_loss=train_loss,
                validation_loss=validation_loss,
                validation_accuracy=validation_accuracy,
                learning_rate=job.recipe.learning_rate * share,
                seconds=clock.seconds - clock.epoch_start,
            )
            clock.epoch_start = clock.seconds
            epochs.append(epoch)
            yield epoch
            stopped = reached(goal, epoch)
        elif number % WATCH == 0:
            learner.mean_loss(number)
        if over and stopped is None:
            stopped = "within" if goal.within else "epochs"
        if interrupted and stopped is None:
            stopped = "interrupted"
        if job.checkpoint and (stopped or number % learner.per_epoch == 0):
            state = Checkpoint(
                step=number,
                epochs=tuple(epochs),
                seconds=clock.seconds,
                epoch_start=clock.epoch_start,
                first_loss=first_loss,
                arrays=learner.arrays(),
            )
            yield Saved(checkpoint.save(job.checkpoint, identity, state))
    yield Finished(learner.answer(), tuple(epochs), number, clock.seconds, stopped)


def reached(goal: Goal, measured: Epoch | Fitted) -> Stopped | None:
    """Which goal the validation part has reached, if any."""
    accuracy, loss = measured.validation_accuracy, measured.validation_loss
    if goal.accuracy is not None and accuracy is not None and accuracy >= goal.accuracy:
        return "accuracy"
    if goal.loss is not None and loss is not None and loss <= goal.loss:
        return "loss"
    return None


class _Clock:
    """How far a training is, by its steps or by its time limit, and how long it will take."""

    def __init__(self, job: Job, per_epoch: int, rehearsal: Rehearsal) -> None:
        self.within, self.per_epoch = job.goal.within, per_epoch
        self.steps = per_epoch * job.recipe.epochs
        self.rehearsal = rehearsal
        self.seconds = self.epoch_start = 0.0
        self.step_seconds = 0.0
        self.measured = 0
        self.evaluation_seconds = rehearsal.evaluation_seconds

    def stepped(self, seconds: float) -> None:
        self.seconds += seconds
        self.step_seconds += seconds
        self.measured += 1

    def evaluated(self, seconds: float) -> None:
        self.seconds += seconds
        self.evaluation_seconds = seconds

    def progress(self, number: int) -> float:
        if self.within is None:
            return number / self.steps
        return min(1.0, self.seconds / max(self.within - self.evaluation_seconds, 1e-3))

    def is_over(self, number: int) -> bool:
        """Whether that was the last step; a time limit leaves time for the last evaluation."""
        return self.progress(number) >= 1

    def seconds_left(self, number: int) -> float:
        if self.within is not None:
            return max(0.0, self.within - self.seconds)
        rehearsed = self.rehearsal.step_seconds
        mean = self.step_seconds / self.measured if self.measured >= 5 else rehearsed
        left = self.steps - number
        return left * mean + -(-left // self.per_epoch) * self.evaluation_seconds
