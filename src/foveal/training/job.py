"""All that a training is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from foveal.checks import Numbers, Real, accept
from foveal.data.spread import Pictures
from foveal.errors import DataError, SpecError, did_you_mean
from foveal.net import Net
from foveal.net.kind import Shape, shape_text
from foveal.net.program import Program
from foveal.recipe import Goal, Recipe
from foveal.training.losses import LOSSES

Part: TypeAlias = tuple[Pictures, NDArray[np.int64]]
"""Pictures (N, H, W, C), an array or what is asked like one, and the number of each one's class."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A net, what it learns from, and how.

    Raises:  SpecError if the net does not give a score for each class, if weights, rates or class
             weights do not fit it, or a goal needs a validation part that is not there; DataError
             if pictures and labels do not fit
    """

    net: Net
    """Reads levels of 0 … 255, (N, C, H, W), and ends with a score per class, before softmax."""
    input: Shape
    train: Part
    validation: Part | None = None
    num_classes: int
    recipe: Recipe = field(default_factory=Recipe)
    goal: Goal = field(default_factory=Goal)
    task: str = "classify"
    start: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Weights and statistics by path to begin with; those of other paths begin at random."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """Share of the learning rate by the path of a step or of a group; the longest path counts,
    without one the share is 1. With 0 it stays as it is, statistics too."""
    keep_statistics: bool = False
    """Batch norms use the statistics they came with instead of those of a batch, and keep them."""
    anchor: float = 0.0
    """Share of the weights it began with that is mixed into those it ends with."""
    class_weights: tuple[float, ...] | None = None
    """How much a picture of each class counts, up to a common factor."""
    checkpoint: Path | None = None
    """Folder that keeps what is needed to go on after an interruption."""
    resume: bool = False
    """Go on from the checkpoint in that folder, if there is one."""
    stop: Callable[[], bool] = bool
    """Asked after every step; true ends the training."""

    def __post_init__(self) -> None:
        if self.task not in LOSSES:
            raise SpecError(
                "has no loss", where=f"task {self.task}", fix=did_you_mean(self.task, LOSSES)
            )
        program = self.net.bind(self.input)
        made = program.result_shapes()
        if made != {"": (self.num_classes,)}:
            found = ", ".join(f"{name} {shape_text(shape)}".strip() for name, shape in made.items())
            raise SpecError(
                "does not give one score per class",
                where="net",
                arrives=found,
                expected=str(self.num_classes),
                fix=f"let it end with: dense {self.num_classes}",
            )
        self._check_start(program)
        self._check_rates(program)
        self._check_class_weights()
        accept("job", "anchor", Real(0, 1, below=True), self.anchor)
        if not any(
            tensor.trained and not tensor.frozen and self.share(step.owner)
            for step, _, tensor in program.owned()
        ):
            raise SpecError(
                "has nothing to learn: all of its parameters are frozen, or it has none",
                where="net",
                fix=f"let it end with: dense {self.num_classes}",
            )
        if self.validation is None and (self.goal.accuracy, self.goal.loss) != (None, None):
            raise SpecError("accuracy and loss need a validation part", where="goal")
        self._check("training", self.train)
        if self.validation is not None:
            self._check("validation", self.validation)

    def share(self, path: str) -> float:
        """Of the learning rate, for the step that owns its tensors under a path."""
        names = path.split(".")
        above = (".".join(names[:count]) for count in range(len(names), 0, -1))
        return next((self.rates[group] for group in above if group in self.rates), 1.0)

    def _check_start(self, program: Program) -> None:
        tensors = program.tensors()
        for path, array in self.start.items():
            if path not in tensors:
                raise SpecError(
                    "belongs to no step", where=f"start '{path}'", fix=did_you_mean(path, tensors)
                )
            if array.shape != tensors[path].shape:
                raise SpecError(
                    "has another shape than its step",
                    where=f"start '{path}'",
                    arrives=shape_text(array.shape),
                    expected=shape_text(tensors[path].shape),
                    fix="weights of the same net, or none for this step",
                )

    def _check_rates(self, program: Program) -> None:
        owners = {step.owner for step, _, _ in program.owned()}
        for path, share in self.rates.items():
            if not any(f"{owner}.".startswith(f"{path}.") for owner in owners):
                raise SpecError(
                    "is no step with weights, and no group of them",
                    where=f"rates '{path}'",
                    fix=did_you_mean(path, owners),
                )
            accept("rates", repr(path), Real(0), share)

    def _check_class_weights(self) -> None:
        if self.class_weights is None:
            return
        if len(self.class_weights) != self.num_classes:
            raise SpecError(
                "must be as many as classes",
                where="job class_weights",
                arrives=str(len(self.class_weights)),
                expected=str(self.num_classes),
            )
        accept("job", "class_weights", Numbers(above=0), self.class_weights)

    def _check(self, name: str, part: Part) -> None:
        x, y = part
        channels, *sizes = self.input
        where = f"the {name} part"
        if x.dtype != np.uint8 or x.shape[1:] != (*sizes, channels) or len(sizes) != 2:
            raise DataError(
                "the pictures are not what the net reads",
                where=where,
                arrives=f"{x.dtype} {shape_text(x.shape)}",
                expected=f"uint8 {shape_text((len(x), *sizes, channels))}",
            )
        if y.shape != (len(x),) or not len(x):
            raise DataError(
                f"{len(x)} pictures and {y.size} labels", where=where, fix="as many of each"
            )
        if y.min() < 0 or y.max() >= self.num_classes:
            outside = y.min() if y.min() < 0 else y.max()
            raise DataError(
                f"label {outside} is no class", where=where, expected=f"0 to {self.num_classes - 1}"
            )
