"""What a training needs to go on after an interruption, with the same bits as without one.

Order, augmentation and dropout are functions of seed and step, so no random state is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from foveal.errors import DataError, ModelFileError
from foveal.model import container
from foveal.training.events import Epoch
from foveal.training.job import Job, Part

LATEST, BEFORE = "checkpoint.safetensors", "checkpoint-before.safetensors"
FORMAT = "foveal checkpoint 1"
AT_ONCE = 1024
"""Pictures whose digest is taken together."""


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training after a number of steps."""

    step: int
    epochs: tuple[Epoch, ...]
    seconds: float
    """Of training so far."""
    epoch_start: float
    """Seconds at which the epoch under way began."""
    first_loss: float
    arrays: Mapping[str, np.ndarray]
    """`weights.…`, `mean.…`, `optimiser.…`, and `loss`, the sum over the epoch under way."""

    def group(self, name: str) -> dict[str, np.ndarray]:
        """The arrays of one group, without its name."""
        start = f"{name}."
        return {
            key.removeprefix(start): array
            for key, array in self.arrays.items()
            if key.startswith(start)
        }


def save(folder: Path, identity: Mapping[str, Any], checkpoint: Checkpoint) -> Path:
    """Write a checkpoint; the one before stays beside it until the next.

    Raises: MachineError if the disk refuses
    """
    folder.mkdir(parents=True, exist_ok=True)
    latest = folder / LATEST
    document = {
        "format": FORMAT,
        "job": identity,
        "step": checkpoint.step,
        "epochs": [asdict(epoch) for epoch in checkpoint.epochs],
        "seconds": checkpoint.seconds,
        "epoch_start": checkpoint.epoch_start,
        "first_loss": checkpoint.first_loss,
    }
    if latest.exists():
        latest.replace(folder / BEFORE)
    container.write(latest, document, checkpoint.arrays)
    return latest


def load(folder: Path, identity: Mapping[str, Any]) -> Checkpoint | None:
    """The latest whole checkpoint of a folder, or None if there never was one.

    Raises: DataError if it is of another training; ModelFileError if none is whole
    """
    found = [path for name in (LATEST, BEFORE) if (path := folder / name).exists()]
    for path in found:
        try:
            return _load(path, identity)
        except ModelFileError:
            if path == found[-1]:
                raise
    return None


def _load(path: Path, identity: Mapping[str, Any]) -> Checkpoint:
    header = container.read_header(path)
    document: Mapping[str, Any] = header.document
    if document.get("format") != FORMAT:
        raise ModelFileError("is not a checkpoint", where=str(path), expected=FORMAT)
    changed = [name for name, value in document["job"].items() if identity[name] != value]
    if changed:
        raise DataError(
            f"belongs to a training with another {' and '.join(changed)}",
            where=str(path),
            fix="resume with what it began with, or start anew in another folder",
        )
    return Checkpoint(
        step=document["step"],
        epochs=tuple(Epoch(**epoch) for epoch in document["epochs"]),
        seconds=document["seconds"],
        epoch_start=document["epoch_start"],
        first_loss=document["first_loss"],
        arrays=container.read_tensors(path, header),
    )


def identity(job: Job) -> dict[str, Any]:
    """What must be the same for a training to go on: net, start, recipe and data."""
    start = [part for path in sorted(job.start) for part in (path.encode(), job.start[path])]
    return {
        "net": job.net.write(),
        "input": list(job.input),
        "task": job.task,
        "start": _digest(start),
        "rates": dict(sorted(job.rates.items())),
        "keep_statistics": job.keep_statistics,
        "anchor": job.anchor,
        "class_weights": job.class_weights and list(job.class_weights),
        "recipe": asdict(job.recipe),
        "data": _digest(chain(*map(_content, filter(None, (job.train, job.validation))))),
    }


def _content(part: Part) -> Iterator[np.ndarray]:
    """Pictures, some at a time, and labels."""
    pictures, labels = part
    for start in range(0, len(pictures), AT_ONCE):
        yield pictures[start : start + AT_ONCE]
    yield labels


def _digest(parts: Iterable[bytes | np.ndarray]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else np.ascontiguousarray(part).data)
    return digest.hexdigest()
