"""Two models of one training: the one that was measured, and the one that then learned from all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from foveal.errors import FovealError
from foveal.model.container import read_header

MODEL = "model.safetensors"
"""What a training leaves."""
MEASURED = "measured.safetensors"
"""Beside it, where it learned from the validation part in the end: as it was before."""


def measured(path: Path) -> Path:
    """The file of the model that did not learn from its validation part, if it lies beside it.

    Use it where a model is gone on from: what it has learned already measures nothing.
    """
    with suppress(FovealError):  # who reads the weights will say it
        match read_header(path).document:
            case {"about": {"refit": str(name)}}:
                twin = path.with_name(Path(name).name)
                return twin if twin.is_file() else path
    return path
