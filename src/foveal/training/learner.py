"""One net that learns: a step, an evaluation, a rehearsal, and its state in a checkpoint."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

import numpy as np
import torch
from torch import Tensor

from foveal.engines import pytorch
from foveal.engines.pytorch import Module
from foveal.engines.pytorch.machine import Machine
from foveal.engines.pytorch.normalisation import BatchNormalisation
from foveal.engines.rewrites import pool_first
from foveal.engines.weights import initial
from foveal.errors import FovealError
from foveal.training import optimisers
from foveal.training.augment import alternating, augment
from foveal.training.checkpoint import Checkpoint
from foveal.training.job import Job, Part
from foveal.training.losses import LOSSES
from foveal.training.optimisers import Average
from foveal.training.pictures import Resident, Streamed, pictures_on
from foveal.training.randomness import generator
from foveal.training.whitening import whiten

AT_ONCE = 500
"""Pictures per batch of an evaluation."""
REHEARSAL = 1.0
"""Seconds after which a rehearsal ends, when it has timed a step."""


@dataclass(frozen=True)
class Rehearsal:
    """What a few steps on a copy of the net tell about the training to come."""

    first_loss: float
    step_seconds: float
    evaluation_seconds: float


class Learner:
    """A module with its optimiser, its running mean and its data, on one machine."""

    def __init__(self, job: Job, machine: Machine) -> None:
        self.job, self.machine, self.recipe = job, machine, job.recipe
        program = job.net.bind(job.input)
        weights = {**initial(program, job.recipe.seed), **job.start}  # gains look at what follows
        module = pytorch.module(pool_first(program), weights)
        self.module = _channels_last(module.to(machine.device))
        for path, layer in self.module.named_modules():
            if not job.share(path):
                for parameter in layer.parameters(recurse=False):
                    parameter.requires_grad_(False)
        self.optimiser = optimisers.optimiser(self.module, job.recipe, job.share)
        self.average = Average(self.module, job.recipe.averaging, job.anchor)
        self.train = _on_device(job.train, machine.device)
        self.validation = job.validation and _on_device(job.validation, machine.device)
        self.loss = torch.zeros((), device=machine.device)
        """Sum over the steps of the epoch under way."""
        self.class_weights = _class_weights(job, machine.device)
        self._sides = (-1, torch.empty(0))
        self._order: tuple[int, Sequence[Tensor]] = (-1, ())
        self._whiten()

    @cached_property
    def per_epoch(self) -> int:
        """Batches of an epoch: all pictures in batches of equal size, give or take one."""
        return max(1, round(len(self.train[1]) / self.recipe.batch_size))

    def _whiten(self) -> None:
        """Start with filters found in some pictures, where the net says so."""
        starts = (tensor.init for tensor in self.module.program.tensors().values())
        if "whitening" not in starts:
            return
        source = generator(self.recipe.seed, "whitening", 0)
        chosen = torch.randperm(len(self.train[1]), generator=source)[:AT_ONCE]
        x = self.train[0].take(chosen)
        whiten(self.module.eval(), _levels(x), self.job.start)

    def step(self, number: int, share: float) -> Tensor:
        """One step of the optimiser, at a share of the highest learning rate; its loss."""
        x, y = self.batch(number)
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate * group["share"] * share
        self._learning()
        self.module.at(self.recipe.seed, number)
        with self.machine.autocast():
            scores = self.module(x)[""]
        loss = LOSSES[self.job.task](scores, y, self.recipe.label_smoothing, self.class_weights)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.average.update(number + 1)
        self.loss += loss.detach()
        return loss.detach()

    def _learning(self) -> None:
        """Put the module into training, but for the norms that keep their statistics."""
        self.module.train()
        for path, layer in self.module.named_modules():
            if isinstance(layer, BatchNormalisation):
                layer.training = bool(self.job.share(path)) and not self.job.keep_statistics

    def batch(self, number: int) -> tuple[Tensor, Tensor]:
        """The augmented pictures and labels of a step, whatever the machine."""
        chosen = self._places(number)
        x = _levels(self.train[0].take(chosen, soon=self._places(number + 1)))
        source = generator(self.recipe.seed, "augment", number)
        mirrored = self._mirrored(number)[chosen].to(x.device) if self.recipe.flip else None
        return augment(x, self.recipe, source, mirrored), self.train[1][chosen.to(x.device)]

    def _mirrored(self, number: int) -> Tensor:
        """Which of all pictures are mirrored in the epoch of a step."""
        epoch = number // self.per_epoch
        if self._sides[0] != epoch:
            source = generator(self.recipe.seed, "mirrored", 0)
            self._sides = epoch, alternating(len(self.train[1]), epoch, source)
        return self._sides[1]

    def _places(self, number: int) -> Tensor:
        """Which pictures a step learns from."""
        epoch, position = divmod(number, self.per_epoch)
        if self._order[0] != epoch:
            source = generator(self.recipe.seed, "order", epoch)
            order = torch.randperm(len(self.train[1]), generator=source)
            self._order = epoch, order.tensor_split(self.per_epoch)
        return self._order[1][position]

    def mean_loss(self, number: int) -> float:
        """The mean over the epoch under way; FovealError if it is no longer a number."""
        mean = float(self.loss) / ((number - 1) % self.per_epoch + 1)  # sync
        if not np.isfinite(mean):
            raise FovealError(
                f"the loss is no longer a number after step {number}",
                where="training",
                fix="a smaller learning_rate, or precision float32",
            )
        return mean

    @torch.no_grad()
    def evaluate(self, most: int | None = None) -> tuple[float | None, float | None]:
        """Mean cross-entropy and share right on the validation part, with the averaged weights.

        Of its first pictures only, if `most` says how many.
        """
        if self.validation is None:
            return None, None
        pictures, y = self.validation
        y = y[:most]
        blocks = torch.split(torch.arange(len(y)), AT_ONCE)
        loss, right = torch.zeros(2, dtype=torch.float64, device=y.device)
        self.module.eval()
        with self.average.shown():
            for chosen, soon in zip_longest(blocks, blocks[1:]):
                scores, labels = self.scores(pictures.take(chosen, soon)), y[chosen.to(y.device)]
                loss += LOSSES[self.job.task](scores, labels, 0.0, None).double() * len(labels)
                right += (scores.argmax(1) == labels).sum()
        return float(loss) / len(y), float(right) / len(y)  # sync

    def scores(self, x: Tensor) -> Tensor:
        with self.machine.autocast():
            made: Tensor = self.module(_levels(x))[""]
        return made

    def rehearse(self) -> Rehearsal:
        """Learn a few steps on a copy, to know the first loss and how long things take."""
        twin = copy.copy(self)
        twin.module = copy.deepcopy(self.module)
        twin.optimiser = optimisers.optimiser(twin.module, self.recipe, self.job.share)
        twin.average = Average(twin.module, self.recipe.averaging, self.job.anchor)
        twin.loss = torch.zeros_like(self.loss)
        first_loss = float(twin.step(0, 1.0))  # sync
        times: list[float] = []
        while len(times) < 3 and sum(times) < REHEARSAL:
            start = time.perf_counter()
            float(twin.step(len(times) % self.per_epoch, 1.0))  # sync
            times.append(time.perf_counter() - start)
        start = time.perf_counter()
        if self.validation is not None:
            count = len(self.validation[1])
            twin.evaluate(AT_ONCE)
            evaluation = (time.perf_counter() - start) * count / min(count, AT_ONCE)
        else:
            evaluation = 0.0
        return Rehearsal(first_loss, min(times), evaluation)

    def answer(self) -> dict[str, np.ndarray]:
        """The weights to keep: the averaged ones."""
        with self.average.shown():
            return pytorch.weights(self.module)

    def arrays(self) -> dict[str, np.ndarray]:
        """The state of the training, for a checkpoint."""
        groups = {
            "weights": pytorch.weights(self.module),
            "mean": self.average.arrays(),
            "optimiser": optimisers.state(self.optimiser),
        }
        made = {f"{name}.{key}": v for name, group in groups.items() for key, v in group.items()}
        return made | {"loss": self.loss.cpu().numpy().copy()}

    def restore(self, found: Checkpoint) -> None:
        """Take up the state of a checkpoint."""
        pytorch.load(self.module, found.group("weights"))
        self.average.restore(found.group("mean"))
        optimisers.restore(self.optimiser, found.group("optimiser"))
        self.loss.fill_(float(found.arrays["loss"]))


def _channels_last(module: Module) -> Module:
    """With the kernels of pictures as they are fastest; `Module.to` fails at those of volumes."""
    for parameter in module.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return module


def _on_device(part: Part, device: torch.device) -> tuple[Resident | Streamed, Tensor]:
    """The pictures of a part, wherever they lie, and their labels."""
    x, y = part
    return pictures_on(device, x), torch.tensor(y, device=device)


def _class_weights(job: Job, device: torch.device) -> Tensor | None:
    """How much each class counts, such that the mean over the training part is 1."""
    if job.class_weights is None:
        return None
    weights = np.array(job.class_weights)
    return torch.tensor(weights / weights[job.train[1]].mean(), dtype=torch.float32, device=device)


def _levels(x: Tensor) -> Tensor:
    """Bytes (N, H, W, C) as numbers (N, C, H, W), the channels last in memory."""
    return x.permute(0, 3, 1, 2).float()
