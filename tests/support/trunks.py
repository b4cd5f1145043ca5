"""Trainings that begin with a tiny trunk."""

from __future__ import annotations

from foveal import train
from foveal.model import Model

TRUNK = (
    "input uint8 -> resize 64 -> crop 64 -> normalise mean 100 std 50 -> conv 4 3 stride 8"
    " -> batchnorm -> relu -> globalavgpool -> dense 3 -> softmax"
)
"""What knows three other things."""


def learn(**options: object) -> tuple[Model, list[object]]:
    """Learn once, unless `refit` asks for more."""
    options = {"refit": False} | options
    seen: list[object] = []
    source = options.pop("source", "photos")
    made = train(source, watch=seen.append, **options)  # type: ignore[arg-type]
    return made, seen


def only(seen: list[object], kind: type) -> object:
    (found,) = (event for event in seen if isinstance(event, kind))
    return found
