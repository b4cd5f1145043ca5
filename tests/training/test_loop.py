"""The training loop: it learns, says what happens, repeats itself bit by bit, and goes on."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial
from math import log
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from foveal.engines.pytorch import machine
from foveal.errors import DataError, FovealError, ModelFileError, SpecError
from foveal.net import Net
from foveal.net.layers import (
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    MaxPool,
    Normalise,
    ReLU,
)
from foveal.recipe import Goal, Recipe
from foveal.training import (
    Epoch,
    Event,
    Finished,
    Job,
    Saved,
    Started,
    Step,
    checkpoint,
    train,
)
from foveal.training.job import Part
from foveal.training.learner import Learner

NET = Net.of(
    Normalise((60.0,), (70.0,)),
    Conv(4, 3, bias=False),
    BatchNorm(),
    ReLU(),
    MaxPool(2),
    Flatten(),
    Dropout(0.2),
    Dense(3),
)
RECIPE = Recipe(
    epochs=4, batch_size=16, learning_rate=0.1, averaging=0.9, shift=1, affine=0.1, cutout=2
)


def bars(count: int, seed: int) -> Part:
    """Pictures of a bright row, a bright column, or both, in noise."""
    random = np.random.default_rng(seed)
    x = random.integers(0, 80, (count, 8, 8, 1), np.uint8)
    y = random.integers(0, 3, count)
    for picture, label in zip(x, y, strict=True):
        if label != 1:
            picture[random.integers(1, 7), :] += 150
        if label != 0:
            picture[:, random.integers(1, 7)] = 200
    return x, y


JOB = Job(
    net=NET,
    input=(1, 8, 8),
    train=bars(100, 0),
    validation=bars(60, 1),
    num_classes=3,
    recipe=RECIPE,
)


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nets this small wait for threads longer than they compute."""
    monkeypatch.setattr(machine, "num_cores", lambda: 1)


def finished(job: Job) -> Finished:
    last = list(train(job))[-1]
    assert isinstance(last, Finished)
    return last


def same(a: Finished, b: Finished) -> bool:
    """Weights and measurements, to the bit."""
    alike = all(np.array_equal(a.weights[path], b.weights[path]) for path in a.weights)
    measured = [[replace(epoch, seconds=0.0) for epoch in one.epochs] for one in (a, b)]
    return a.weights.keys() == b.weights.keys() and alike and measured[0] == measured[1]


def after(steps: int) -> partial[bool]:
    """A stop that is asked after every step and says yes after so many."""
    left = iter([False] * (steps - 1) + [True])
    return partial(next, left, True)


def test_a_net_learns() -> None:
    events = list(train(replace(JOB, recipe=replace(RECIPE, epochs=12))))
    epochs = [event for event in events if isinstance(event, Epoch)]
    assert epochs[-1].train_loss < 0.8 * epochs[0].train_loss
    assert epochs[-1].validation_accuracy is not None
    assert epochs[-1].validation_accuracy > 0.8


def test_events_come_in_order_and_say_what_will_happen(tmp_path: Path) -> None:
    events = list(train(replace(JOB, checkpoint=tmp_path)))
    epoch: list[type[Event]] = [*[Step] * 6, Epoch, Saved]
    assert [type(event) for event in events] == [Started, *epoch * 4, Finished]
    started, last = events[0], events[-1]
    assert isinstance(started, Started)
    assert isinstance(last, Finished)
    assert started.steps == last.steps == 24
    assert started.parameters == 4 * 9 + 2 * 4 + 36 * 3 + 3
    assert started.expected_first_loss == log(3)
    assert started.first_loss == pytest.approx(log(3), rel=0.2)
    assert started.estimate > 0
    assert started.repeatable
    assert last.stopped == "epochs"
    assert last.epochs == tuple(event for event in events if isinstance(event, Epoch))
    assert set(last.weights) == set(NET.bind((1, 8, 8)).tensors())
    steps = [event for event in events if isinstance(event, Step)]
    assert [step.step for step in steps] == list(range(1, 25))
    assert [step.progress for step in steps] == [n / 24 for n in range(1, 25)]
    assert steps[-1].seconds_left == 0
    assert [one.epoch for one in last.epochs] == [1, 2, 3, 4]


@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
def test_the_same_seed_gives_the_same_bits_and_another_does_not(optimiser: str) -> None:
    job = replace(JOB, recipe=replace(RECIPE, optimiser=optimiser, learning_rate=0.01))
    first = finished(job)
    torch.manual_seed(123)
    assert same(first, finished(job))
    assert not same(first, finished(replace(job, recipe=replace(job.recipe, seed=1))))


def test_the_same_seed_gives_the_same_bits_on_two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "num_cores", lambda: 2)
    assert same(finished(JOB), finished(JOB))


def test_the_loop_leaves_the_global_random_numbers_alone() -> None:
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    finished(JOB)
    assert torch.equal(torch.rand(1), wanted)


@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
@pytest.mark.parametrize("steps", [1, 6, 9])
def test_a_resumed_training_gives_the_same_bits(tmp_path: Path, optimiser: str, steps: int) -> None:
    recipe = replace(RECIPE, optimiser=optimiser, learning_rate=0.01)
    job = replace(JOB, recipe=recipe, checkpoint=tmp_path)
    whole = finished(replace(job, checkpoint=None))
    part = finished(replace(job, stop=after(steps)))
    assert part.stopped == "interrupted"
    assert part.steps == steps
    events = list(train(replace(job, resume=True)))
    started, last = events[0], events[-1]
    assert isinstance(started, Started)
    assert isinstance(last, Finished)
    assert started.resumed == part.epochs
    assert same(last, whole)
    assert last.training_seconds > part.training_seconds


def test_a_training_without_averaging_resumes_too(tmp_path: Path) -> None:
    job = replace(JOB, recipe=replace(RECIPE, averaging=0.0), checkpoint=tmp_path)
    whole = finished(replace(job, checkpoint=None))
    finished(replace(job, stop=after(7)))
    assert same(finished(replace(job, resume=True)), whole)


def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path: Path) -> None:
    job = replace(JOB, checkpoint=tmp_path)
    whole = finished(replace(job, checkpoint=None))
    finished(replace(job, stop=after(14)))
    latest = tmp_path / checkpoint.LATEST
    latest.write_bytes(latest.read_bytes()[:-1])
    assert same(finished(replace(job, resume=True)), whole)


def test_without_a_whole_checkpoint_the_damage_is_told(tmp_path: Path) -> None:
    (tmp_path / checkpoint.LATEST).write_bytes(b"")
    with pytest.raises(ModelFileError):
        finished(replace(JOB, checkpoint=tmp_path, resume=True))


def test_resuming_where_nothing_is_starts_from_the_beginning(tmp_path: Path) -> None:
    job = replace(JOB, checkpoint=tmp_path / "new", resume=True)
    assert same(finished(job), finished(JOB))


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    job = replace(JOB, checkpoint=tmp_path, resume=True)
    finished(replace(job, stop=after(1)))
    other = replace(job, train=bars(100, 7), recipe=replace(RECIPE, epochs=9))
    with pytest.raises(DataError) as error:
        finished(other)
    assert str(error.value) == (
        f"{tmp_path / checkpoint.LATEST}: belongs to a training with another data and recipe\n"
        "  fix:      resume with what it began with, or start anew in another folder"
    )


def test_a_model_file_is_not_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / checkpoint.LATEST
    checkpoint.container.write(path, {"format": 1}, {"a": np.zeros(1, np.float32)})
    with pytest.raises(ModelFileError) as error:
        finished(replace(JOB, checkpoint=tmp_path, resume=True))
    assert str(error.value) == (f"{path}: is not a checkpoint\n  expected: foveal checkpoint 1")


def test_every_picture_is_seen_once_an_epoch_in_batches_of_like_size() -> None:
    learner = learner_of(replace(JOB, recipe=Recipe(batch_size=16, epochs=1)))
    assert learner.per_epoch == 6
    batches = [learner.batch(number) for number in range(6)]
    assert {len(y) for _, y in batches} == {16, 17}
    seen = torch.cat([x for x, _ in batches]).permute(0, 2, 3, 1).to(torch.uint8).numpy()
    assert sorted(map(bytes, seen)) == sorted(map(bytes, JOB.train[0]))


def test_the_order_changes_from_epoch_to_epoch() -> None:
    learner = learner_of(JOB)
    assert not torch.equal(learner.batch(0)[1], learner.batch(6)[1])


def learner_of(job: Job) -> Learner:
    return Learner(job, machine.Machine.find(job.recipe.precision))


def test_each_step_of_a_training_has_masks_of_its_own() -> None:
    learner = learner_of(replace(JOB, recipe=replace(RECIPE, seed=4)))
    learner.step(5, 0.1)
    dropout = dict(learner.module.named_modules())["dropout1"]
    assert (dropout.seed, dropout.step) == (4, 5)


def test_one_batch_serves_fewer_pictures_than_a_batch() -> None:
    few = replace(JOB, train=bars(5, 0), recipe=replace(RECIPE, batch_size=64, epochs=2))
    assert finished(few).steps == 2


def test_weights_of_the_rehearsal_are_not_kept() -> None:
    learner = learner_of(JOB)
    before = learner.answer()
    assert learner.rehearse().step_seconds > 0
    assert all(np.array_equal(before[path], value) for path, value in learner.answer().items())
    assert float(learner.loss) == 0


def test_bfloat16_keeps_its_weights_in_float32_and_learns() -> None:
    last = finished(replace(JOB, recipe=replace(RECIPE, precision="bfloat16", epochs=2)))
    assert all(value.dtype == np.float32 for value in last.weights.values())
    assert any(np.any(value.view(np.uint32) & 0xFFFF) for value in last.weights.values())


@pytest.mark.parametrize(
    ("goal", "why"), [(Goal(accuracy=0.0), "accuracy"), (Goal(loss=9), "loss")]
)
def test_a_reached_goal_ends_the_training(goal: Goal, why: str) -> None:
    last = finished(replace(JOB, goal=goal))
    assert last.stopped == why
    assert len(last.epochs) == 1


def test_a_goal_that_is_not_reached_ends_with_the_epochs() -> None:
    assert finished(replace(JOB, goal=Goal(loss=0.0))).stopped == "epochs"


def test_a_time_limit_replaces_the_epochs_and_measures_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks = itertools.count()
    clock = SimpleNamespace(perf_counter=lambda: next(ticks) / 64)
    monkeypatch.setattr("foveal.training.loop.time", clock)
    monkeypatch.setattr("foveal.training.learner.time", clock)
    job = replace(JOB, goal=Goal(within=1), recipe=replace(RECIPE, epochs=1))
    events = list(train(job))
    started, last = events[0], events[-1]
    assert isinstance(started, Started)
    assert isinstance(last, Finished)
    assert not started.repeatable
    assert started.estimate == 1
    assert last.stopped == "within"
    assert isinstance(events[-2], Epoch)
    assert last.training_seconds == pytest.approx(1, abs=0.05)
    assert len(last.epochs) > 1
    assert last.epochs[-1].learning_rate < 0.1 * RECIPE.learning_rate


def test_a_loss_that_is_no_number_stops_the_training_and_keeps_the_checkpoint(
    tmp_path: Path,
) -> None:
    job = replace(JOB, checkpoint=tmp_path, recipe=replace(RECIPE, learning_rate=1e30))
    with pytest.raises(FovealError) as error:
        finished(job)
    assert str(error.value) == (
        "training: the loss is no longer a number after step 6\n"
        "  fix:      a smaller learning_rate, or precision float32"
    )
    assert not list(tmp_path.iterdir())


def test_threads_are_restored_when_a_training_is_cancelled() -> None:
    before = torch.get_num_threads()
    events = train(JOB)
    next(events)
    events.close()
    assert torch.get_num_threads() == before
    assert not torch.are_deterministic_algorithms_enabled()


def test_pictures_may_be_read_only() -> None:
    x, y = (array.copy() for array in JOB.train)
    x.flags.writeable = y.flags.writeable = False
    assert same(finished(replace(JOB, train=(x, y))), finished(JOB))


def test_jobs_that_cannot_work_are_refused_with_a_sentence() -> None:
    x, y = JOB.train
    cases: list[tuple[dict[str, object], type[FovealError], str]] = [
        (
            {"num_classes": 4},
            SpecError,
            "net: does not give one score per class\n"
            "  arrives:  3\n"
            "  expected: 4\n"
            "  fix:      let it end with: dense 4",
        ),
        (
            {"task": "classif"},
            SpecError,
            "task classif: has no loss\n  fix:      did you mean 'classify'?",
        ),
        (
            {"validation": None, "goal": Goal(accuracy=0.5)},
            SpecError,
            "goal: accuracy and loss need a validation part",
        ),
        (
            {"train": (x.astype(np.float32), y)},
            DataError,
            "the training part: the pictures are not what the net reads\n"
            "  arrives:  float32 100x8x8x1\n"
            "  expected: uint8 100x8x8x1",
        ),
        (
            {"validation": (x, y[:50])},
            DataError,
            "the validation part: 100 pictures and 50 labels\n  fix:      as many of each",
        ),
        (
            {"train": (x, y + 1)},
            DataError,
            "the training part: label 3 is no class\n  expected: 0 to 2",
        ),
    ]
    for changes, kind, text in cases:
        with pytest.raises(kind) as error:
            replace(JOB, **changes)
        assert str(error.value) == text
