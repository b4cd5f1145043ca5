"""What a training is asked to do: every choice that changes the result, and when it may end."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from foveal import checks
from foveal.checks import Constraint, Flag, OneOf, Optional, Real, Whole

FAST, PLAIN = KINDS = "fast", "plain"
"""What was found best for so many pictures and such a net, or textbook SGD."""


def _setting(default: object, constraint: Constraint, help: str) -> Any:
    """A field with what it may hold and what the command line says of it."""
    return field(default=default, metadata={"constraint": constraint, "help": help})


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a net is trained. Equal recipe, data, machine and versions give equal bits.

    >>> Recipe(epochs=3).learning_rate
    0.1
    >>> Recipe(epochs=0)
    Traceback (most recent call last):
    ...
    foveal.errors.SpecError: recipe epochs: must be a whole number from 1, not 0
    """

    epochs: int = _setting(20, Whole(), "How often every training picture is seen.")
    batch_size: int = _setting(64, Whole(), "Pictures per step of the optimiser.")
    optimiser: str = _setting(
        "sgd",
        OneOf(("sgd", "adamw", "muon")),
        "sgd (with Nesterov momentum), adamw, or muon (sgd with orthogonal steps).",
    )
    learning_rate: float = _setting(0.1, Real(0, above=True), "The highest rate of the schedule.")
    bias_rate: float = _setting(
        1.0,
        Real(0, above=True),
        "Learning rate of biases as a multiple of that of all other weights.",
    )
    momentum: float = _setting(
        0.9, Real(0, 1, below=True), "Share of the last step that goes on; adamw's first beta."
    )
    weight_decay: float = _setting(
        5e-4, Real(0), "Pull of the weights towards zero; biases and norms have none."
    )
    label_smoothing: float = _setting(
        0.1, Real(0, 1, below=True), "Share of the target spread over all classes."
    )
    schedule: str = _setting(
        "one-cycle", OneOf(("one-cycle", "linear")), "one-cycle (up, then down) or linear (down)."
    )
    averaging: float = _setting(
        0.0, Real(0, 1, below=True), "Decay of the running mean of weights kept; 0 keeps the last."
    )
    shift: int = _setting(0, Whole(0), "Augmentation: random shift by up to so many pixels.")
    flip: bool = _setting(False, Flag(), "Augmentation: mirror at random; not for digits.")
    affine: float = _setting(
        0.0, Real(0, 1), "Augmentation: random rotation (radians), scale and shear up to this."
    )
    cutout: int = _setting(0, Whole(0), "Augmentation: blank a square of so many pixels.")
    views: str = _setting(
        "one",
        OneOf(("one", "mirrored")),
        "Of a picture the model is not sure of: mirrored also asks about its mirror image.",
    )
    precision: str = _setting(
        "auto",
        OneOf(("auto", "float32", "bfloat16")),
        "auto takes bfloat16 where the machine says that it is fast.",
    )
    seed: int = _setting(0, Whole(0), "Start of every random number.")

    def __post_init__(self) -> None:
        _settle("recipe", self)


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """How a net goes on from weights that it brings along, where its last layer is new.

    First the trunk is frozen, and the last layer fitted to its features. Then the layers that are
    thawed learn too, the more slowly the nearer they are to the picture.

    >>> Transfer(thaw=2)
    Traceback (most recent call last):
    ...
    foveal.errors.SpecError: transfer thaw: must be a number from 0 to 1, not 2
    """

    thaw: float = _setting(
        1.0,
        Real(0, 1),
        "Share of the trunk's layers that learn too, the last ones first; 0: none.",
    )
    falling: float = _setting(
        0.1,
        Real(0, 1, above=True),
        "Learning rate of the first layer as a share of the last one's; even steps between.",
    )
    anchor: float = _setting(
        0.25,
        Real(0, 1, below=True),
        "Share of the weights it began with that is mixed into the learned ones.",
    )
    statistics: str = _setting(
        "kept",
        OneOf(("kept", "learned")),
        "Statistics of batch norms: kept as the trunk brought them, or learned anew.",
    )
    refit: bool = _setting(
        True,
        Flag(),
        "Learn once more from all of up to 1,000 pictures, when those kept aside have been asked.",
    )

    def __post_init__(self) -> None:
        _settle("transfer", self)


@dataclass(frozen=True, kw_only=True)
class Goal:
    """When a training may end before its epochs are done. Accuracy and loss are of validation.

    >>> Goal(accuracy=99)
    Traceback (most recent call last):
    ...
    foveal.errors.SpecError: goal accuracy: must be a number from 0 to 1, or unset, not 99
    """

    accuracy: float | None = _setting(
        None, Optional(Real(0, 1)), "Stop after the first epoch with at least this share right."
    )
    loss: float | None = _setting(
        None, Optional(Real(0)), "Stop after the first epoch with at most this cross-entropy."
    )
    within: float | None = _setting(
        None,
        Optional(Real(0, above=True)),
        "Seconds instead of epochs; the schedule follows the clock. Not repeatable.",
    )

    def __post_init__(self) -> None:
        _settle("goal", self)


def _settle(owner: str, record: Recipe | Transfer | Goal) -> None:
    """Put every field into its canonical form, or refuse it."""
    for setting in fields(record):
        constraint: Constraint = setting.metadata["constraint"]
        value = checks.accept(owner, setting.name, constraint, getattr(record, setting.name))
        object.__setattr__(record, setting.name, value)
