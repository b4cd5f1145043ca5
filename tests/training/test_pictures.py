"""Pictures a batch at a time: the same from the memory, from the disk and decoded on the way."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from foveal.data.spread import Spread
from foveal.engines.pytorch.machine import Machine
from foveal.errors import DataError
from foveal.net.notation import parse
from foveal.recipe import Recipe
from foveal.training import Finished, Job, checkpoint, train
from foveal.training.job import Part
from foveal.training.learner import Learner
from foveal.training.pictures import Resident, Streamed, pictures_on

CPU = torch.device("cpu")
X = np.random.default_rng(0).integers(0, 256, (70, 8, 8, 1), np.uint8)
Y = (X.mean(axis=(1, 2, 3)) > 127).astype(np.int64)
NET = parse("normalise -> conv 4 3 -> bn -> relu -> flatten -> dense 2")
JOB = Job(
    net=NET,
    input=(1, 8, 8),
    train=(X[:50], Y[:50]),
    validation=(X[50:], Y[50:]),
    num_classes=2,
    recipe=Recipe(epochs=2, batch_size=16, learning_rate=0.05, shift=1, precision="float32"),
)


def made(first: int, count: int) -> Spread:
    """Pictures of which every third is made when it is asked for."""
    numbers = np.arange(count)
    which = np.where(numbers % 3 == 0, -1, 0).astype(np.int32)
    return Spread((8, 8, 1), which, numbers + first, (X,), (lambda index: X[index],))


def spread_out(part: Part | None, first: int) -> Part | None:
    return part and (made(first, len(part[1])), part[1])


def test_an_array_lies_on_the_device_without_a_copy() -> None:
    writable = X.copy()
    held = pictures_on(CPU, writable)
    assert isinstance(held, Resident)
    assert held.pictures.data_ptr() == writable.ctypes.data
    assert held.take(torch.tensor([3, 3, 0])).equal(torch.from_numpy(X[[3, 3, 0]]))


def test_an_array_that_cannot_be_written_is_copied() -> None:
    fixed = X.copy()
    fixed.flags.writeable = False
    assert isinstance(pictures_on(CPU, fixed), Resident)


def test_a_file_in_memory_stays_on_the_disk(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    streamed = pictures_on(CPU, np.load(tmp_path / "x.npy", mmap_mode="r"))
    assert isinstance(streamed, Streamed)
    assert streamed.take(torch.tensor([3, 0])).equal(torch.from_numpy(X[[3, 0]]))


def test_what_is_asked_for_next_is_read_before() -> None:
    read: list[list[int]] = []
    ready = threading.Event()

    class Source(Spread):
        def read(self, chosen, into):  # type: ignore[no-untyped-def]
            read.append(chosen.tolist())
            if len(read) == 2:
                ready.set()
            super().read(chosen, into)

    which, rows = np.zeros(70, np.int32), np.arange(70)
    streamed = Streamed(Source((8, 8, 1), which, rows, (X,)), CPU)
    first, second, other = torch.tensor([1, 2]), torch.tensor([3, 4]), torch.tensor([9])
    assert streamed.take(first, soon=second).equal(torch.from_numpy(X[[1, 2]]))
    assert ready.wait(60)
    assert read == [[1, 2], [3, 4]]
    assert streamed.take(second, soon=first).equal(torch.from_numpy(X[[3, 4]]))
    assert streamed.take(other).equal(torch.from_numpy(X[[9]]))  # not what was announced
    assert read == [[1, 2], [3, 4], [1, 2], [9]]


def test_a_picture_that_is_gone_ends_the_training() -> None:
    def gone(index: int) -> np.ndarray:
        raise DataError("cannot be opened: No such file or directory", where="a/1.jpg")

    which = np.full(50, -1, np.int32)
    lost = Spread((8, 8, 1), which, np.arange(50), (), (gone,))
    with pytest.raises(DataError, match="cannot be opened"):
        list(train(replace(JOB, train=(lost, Y[:50]))))


def test_a_training_gives_the_same_bits_wherever_the_pictures_lie() -> None:
    streamed = replace(
        JOB, train=spread_out(JOB.train, 0), validation=spread_out(JOB.validation, 50)
    )
    ends = []
    for job in (JOB, streamed):
        *_, end = train(job)
        assert isinstance(end, Finished)
        ends.append(end)
    for path, array in ends[0].weights.items():
        assert np.array_equal(array, ends[1].weights[path])
    for one, other in zip(ends[0].epochs, ends[1].epochs, strict=True):
        assert one.validation_loss == other.validation_loss
    assert checkpoint.identity(JOB) == checkpoint.identity(streamed)


def test_every_epoch_shows_every_picture_once() -> None:
    learner = Learner(JOB, Machine.find("float32"))
    for epoch in range(2):
        steps = range(epoch * learner.per_epoch, (epoch + 1) * learner.per_epoch)
        shown = torch.cat([learner._places(number) for number in steps])
        assert shown.sort().values.equal(torch.arange(50))


def test_pictures_of_another_size_are_refused_wherever_they_lie() -> None:
    with pytest.raises(DataError) as caught:
        replace(JOB, input=(1, 8, 9), train=spread_out(JOB.train, 0))
    assert str(caught.value) == (
        "the training part: the pictures are not what the net reads\n"
        "  arrives:  uint8 50x8x8x1\n  expected: uint8 50x8x9x1"
    )
