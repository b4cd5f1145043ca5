"""Rows of numbers by what they were computed from, kept in a file that may vanish at any time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np

from foveal import files
from foveal.errors import MachineError, ModelFileError
from foveal.model import container
from foveal.net.kind import Shape

FORMAT = "foveal features 1"
KEY = 32
"""Bytes of a key, which is a SHA-256."""
SAVE_AFTER = 1000
"""New rows after which the file is written; next when it would be twice as large."""
LARGEST = 2**30
"""Bytes: beyond that only the rows wanted now are kept, or none if even they are too many."""


@dataclass(eq=False)
class Rows:
    """The values of pictures by their digests, of one shape.

    A file that is missing, damaged or of something else counts as empty. One that cannot be
    written is let go: the work does not depend on it.
    """

    file: Path | None
    """None keeps nothing."""
    shape: Shape
    held: dict[bytes, np.ndarray] = field(default_factory=dict)
    saved: int = 0
    """How many rows the file has."""

    @staticmethod
    def open(file: Path | None, shape: Shape) -> Rows:
        """The rows of a file."""
        rows = Rows(file, shape)
        if file is None or not file.exists():
            return rows
        with contextlib.suppress(ModelFileError, MachineError):
            header = container.read_header(file)
            shapes = {name: entry.shape for name, entry in header.tensors.items()}
            count = shapes.get("keys", (0,))[0]
            wanted = {"keys": (count, KEY), "values": (count, *shape)}
            if header.document == {"format": FORMAT} and shapes == wanted:
                arrays = container.read_tensors(file, header)
                keys = map(bytes, arrays["keys"])
                rows.held = dict(zip(keys, arrays["values"], strict=True))
                rows.saved = len(rows.held)
        return rows

    def __contains__(self, key: bytes) -> bool:
        return key in self.held

    def add(self, key: bytes, value: np.ndarray) -> None:
        """Take in a row; now and then all rows are saved, so that little is lost in a crash."""
        self.held[key] = value
        if len(self.held) >= max(2 * self.saved, self.saved + SAVE_AFTER):
            self.save(wanted=self.held)

    def save(self, wanted: Iterable[bytes]) -> None:
        """Write the file if there is anything new."""
        if self.file is None or len(self.held) == self.saved:
            return
        most = LARGEST // (4 * prod(self.shape))
        keys = [*self.held] if len(self.held) <= most else [*dict.fromkeys(wanted)]
        if len(keys) > most:
            return
        document = {"format": FORMAT}
        tensors = {
            "keys": np.frombuffer(b"".join(keys), np.uint8).reshape(-1, KEY),
            "values": self.gather(keys),
        }
        with contextlib.suppress(MachineError, OSError):  # a cache is no reason to stop
            self.file.parent.mkdir(parents=True, exist_ok=True)
            files.sweep(self.file.parent)
            container.write(self.file, document, tensors)
        self.saved = len(self.held)

    def gather(self, keys: Iterable[bytes]) -> np.ndarray:
        """The rows of some keys, in their order."""
        chosen = [self.held[key] for key in keys]
        return np.stack(chosen) if chosen else np.empty((0, *self.shape), np.float32)
