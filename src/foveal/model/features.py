"""What a net makes of pictures at any of its steps, computed once as long as nothing changes."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foveal import cache, engines
from foveal.data.names import printable
from foveal.data.samples import Skipped
from foveal.data.threads import in_order
from foveal.engines import Engine
from foveal.engines.weights import check
from foveal.errors import DataError, FovealError
from foveal.model.collecting import collect
from foveal.model.kept_rows import Store
from foveal.model.preprocessing import Split, split
from foveal.net import Net
from foveal.net.heads import head
from foveal.net.kind import Shape
from foveal.net.program import Program

if TYPE_CHECKING:
    from foveal.data.colours import Pixels
    from foveal.data.samples import Samples

BATCH = 8
"""Pictures computed together, always as many: no value depends on which others are new."""


@dataclass(frozen=True, eq=False)
class Extracted:
    """The values at one step for the pictures that could be read, in their order."""

    values: np.ndarray
    """float32, (N, *shape of the step)"""
    labels: np.ndarray
    names: tuple[str, ...]
    layer: str
    skipped: tuple[Skipped, ...]
    reused: int
    """Pictures whose values were in the cache."""
    seconds: float

    def __len__(self) -> int:
        return len(self.values)


def joined(parts: Sequence[Extracted]) -> Extracted:
    """Several of one layer as one, in their order."""
    return Extracted(
        values=np.concatenate([part.values for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        names=tuple(name for part in parts for name in part.names),
        layer=parts[0].layer,
        skipped=tuple(entry for part in parts for entry in part.skipped),
        reused=sum(part.reused for part in parts),
        seconds=sum(part.seconds for part in parts),
    )


@dataclass(frozen=True, eq=False)
class Extractor:
    """Computes what a net makes of pictures at one of its steps.

    Use it to learn from a trunk that stays as it is, or to bring a net's view of pictures into
    other programs. The portable engine computes. With the cache each picture is decoded and
    computed once, for as long as file, net, weights and layer stay the same.

    Shape:   pictures -> (N, *shape of the step)
    Raises:  SpecError if there is no such step, or weights before it are missing

    >>> from foveal.net.notation import parse
    >>> net = parse("input uint8 -> resize 4 -> crop 4 -> globalavgpool -> dense 2")
    >>> extractor = Extractor(net, (3, 4, 4), {})
    >>> extractor.path, extractor.shape
    ('globalavgpool1', (3,))
    """

    net: Net
    """From bytes: begins with `input uint8`."""
    input: Shape
    weights: Mapping[str, np.ndarray]
    """By path; those behind the layer may be missing."""
    layer: str | None = None
    """Path of a step or a group; by default what arrives at the layer that makes the scores."""

    def run(
        self,
        samples: Samples,
        progress: Callable[[int, int], None] | None = None,
        *,
        cached: bool = True,
    ) -> Extracted:
        """The values for every picture of a part; those that cannot be read are set aside.

        `progress` is called with how many are done and how many there are.

        Raises: DataError as `Samples.load`; FovealError if a value is not finite
        """
        began = time.perf_counter()
        store = Store(self.cache_folder if cached else None, self.shape, np.float32)

        def finite(missing: Sequence[int]) -> Iterator[tuple[int, np.ndarray | DataError]]:
            for index, value in self._computed(samples, missing):
                if isinstance(value, np.ndarray) and not np.isfinite(value).all():
                    raise FovealError(
                        "is not finite for this picture",
                        where=f"layer '{self.path}', {printable(samples.names[index])}",
                        fix="other weights, or a layer before it",
                    )
                yield index, value

        found = collect(samples, store, finite, progress)
        assert found.values is not None  # they are held
        return Extracted(
            values=found.values,
            labels=samples.labels[found.places],
            names=tuple(samples.names[index] for index in found.places),
            layer=self.path,
            skipped=found.skipped,
            reused=found.reused,
            seconds=time.perf_counter() - began,
        )

    @cached_property
    def path(self) -> str:
        """Of the step whose values are taken."""
        ((_, value),) = self.program.results
        return next(step.path for step in self.program.steps if step.output == value)

    @property
    def shape(self) -> Shape:
        """Of the values of one picture."""
        return self.program.result_shapes()[""]

    @cached_property
    def program(self) -> Program:
        """From prepared pictures to the layer."""
        whole = self._split.rest.bind(self._split.shape)
        if self.layer is not None:
            return whole.until(self.layer)
        (value,) = head(whole).inputs
        return whole.until(next(step.path for step in whole.steps if step.output == value))

    @property
    def cache_folder(self) -> Path:
        """Where the values are kept: a folder for each geometry, trunk and layer."""
        digest = hashlib.sha256(f"onnxruntime {version('onnxruntime')}\n".encode())
        for kind in self._split.geometry:
            digest.update(f"{kind!r}\n".encode())
        digest.update(f"{self.program.input}\n".encode())
        for step in self.program.steps:
            digest.update(f"{step.path} {step.kind!r} {step.inputs}\n".encode())
        for array in self._needed.values():
            digest.update(np.ascontiguousarray(array, np.float32).data)
        return cache.folder("features", digest.hexdigest()[:32])

    @cached_property
    def _split(self) -> Split:
        return split(self.net, self.input)

    @cached_property
    def _needed(self) -> dict[str, np.ndarray]:
        tensors = self.program.tensors()
        found = {path: self.weights[path] for path in tensors if path in self.weights}
        check(self.program, found)
        return found

    @cached_property
    def _engine(self) -> Engine:
        return engines.build("portable", self.program, self._needed, one_thread=True)

    def _computed(
        self, samples: Samples, chosen: Sequence[int]
    ) -> Iterator[tuple[int, np.ndarray | DataError]]:
        """The value of each chosen picture, or why there is none.

        Every core decodes a few pictures and runs the net on them: none waits for another.
        """
        if not chosen:
            return
        engine = self._engine  # made here, not in several threads

        def some(number: int) -> list[tuple[int, np.ndarray | DataError]]:
            places = chosen[number * BATCH : (number + 1) * BATCH]
            answers = [(index, self._read(samples, index)) for index in places]
            channels, *sizes = self._split.shape
            batch = np.zeros((BATCH, *sizes, channels), np.uint8)
            for row, (_, answer) in enumerate(answers):
                if isinstance(answer, np.ndarray):
                    batch[row] = answer
            values = engine.run(batch)[""]
            return [
                (index, value if isinstance(answer, np.ndarray) else answer)
                for (index, answer), value in zip(answers, values, strict=False)
            ]

        for answers in in_order(some, range(-(-len(chosen) // BATCH))):
            yield from answers

    def _read(self, samples: Samples, index: int) -> Pixels | DataError:
        try:
            return self._split.prepare(samples.pictures(index, self._split.at_least))
        except DataError as error:
            return error
