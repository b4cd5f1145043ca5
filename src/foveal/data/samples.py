"""Pictures with labels: counted and named at once, decoded when asked."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from foveal.data import pictures
from foveal.data.colours import Pixels
from foveal.data.names import printable
from foveal.data.spread import Pictures, spread
from foveal.data.threads import in_order
from foveal.errors import DataError

BAD_SHARE, BAD_FILES = 0.01, 10
"""More bad pictures than both stop a training; fewer are set aside and listed."""
EDGE = 2**16
"""Bytes at the beginning and at the end of a file that its digest covers."""


@dataclass(frozen=True)
class Skipped:
    """A file or folder that is not used, and why."""

    path: str
    reason: str
    line: int | None = None
    """Of labels.csv, where the file was named there."""
    damaged: bool = False
    """Whether it should have been a picture and cannot be read."""


class Store(Protocol):
    """Where pictures come from, by position."""

    def read(self, index: int, at_least: int | None) -> Pixels: ...

    def digest(self, index: int) -> bytes: ...

    def take(self, indices: NDArray[np.intp]) -> Store: ...


@dataclass(frozen=True)
class Files:
    """Pictures in files."""

    paths: tuple[str, ...]
    channels: int

    def read(self, index: int, at_least: int | None) -> Pixels:
        return pictures.read(self.paths[index], self.channels, at_least)

    def digest(self, index: int) -> bytes:
        """Of size, time of change, and the first and last 64 KiB: quick, and the name is free."""
        path = self.paths[index]
        try:
            with Path(path).open("rb") as file:
                about = os.fstat(file.fileno())
                start = file.read(EDGE)
                file.seek(max(len(start), about.st_size - EDGE))
                facts = f"{about.st_size} {about.st_mtime_ns} {self.channels} ".encode()
                return hashlib.sha256(facts + start + file.read()).digest()
        except OSError as error:
            problem = f"cannot be opened: {error.strerror}"
            raise DataError(problem, where=printable(path)) from error

    def take(self, indices: NDArray[np.intp]) -> Files:
        return Files(tuple(self.paths[index] for index in indices), self.channels)


@dataclass(frozen=True, eq=False)
class Stack:
    """Pictures of one size in one array, N,H,W,C."""

    array: Pictures

    def read(self, index: int, at_least: int | None) -> Pixels:
        picture: Pixels = self.array[index : index + 1][0]
        return picture

    def digest(self, index: int) -> bytes:
        picture = np.ascontiguousarray(self.read(index, None))
        return hashlib.sha256(f"{picture.shape} ".encode() + picture.tobytes()).digest()

    def take(self, indices: NDArray[np.intp]) -> Stack:
        return Stack(spread(self.array).take(indices))


@dataclass(frozen=True)
class InColour:
    """Grey pictures as three equal channels, for a net that reads colour."""

    store: Store

    def read(self, index: int, at_least: int | None) -> Pixels:
        return self.store.read(index, at_least).repeat(3, axis=2)

    def take(self, indices: NDArray[np.intp]) -> InColour:
        return InColour(self.store.take(indices))

    def digest(self, index: int) -> bytes:
        return hashlib.sha256(b"in colour " + self.store.digest(index)).digest()


@dataclass(frozen=True, eq=False)
class Content:
    """What a part of a data set holds."""

    names: tuple[str, ...]
    labels: NDArray[np.int64]
    store: Store
    groups: tuple[str, ...] = ()
    """Of each picture, where pictures are grouped."""

    def take(self, indices: NDArray[np.intp]) -> Content:
        names = tuple(self.names[index] for index in indices)
        groups = tuple(self.groups[index] for index in indices) if self.groups else ()
        return Content(names, self.labels[indices], self.store.take(indices), groups)


@dataclass(frozen=True, eq=False)
class Loaded:
    """Decoded pictures of one size, with the labels and names of exactly these."""

    pictures: Pictures
    """N,H,W,C; an array unless they are too many for the memory."""
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    skipped: tuple[Skipped, ...] = ()
    """Pictures that could not be decoded; they are in none of the others."""
    held: object = field(default=None, repr=False)
    """What they were read from; as long as it lives the cache does not remove it."""

    def __len__(self) -> int:
        return len(self.pictures)


@dataclass(eq=False)
class Samples:
    """The training, validation or test part of a data set.

    A part may be given as a function: nothing of it is opened before its length, labels, names
    or pictures are asked for, and then once.
    """

    part: str
    """train, validation or test."""
    classes: tuple[str, ...]
    _source: Content | Callable[[], Content] = field(repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def opened(self) -> bool:
        """Whether length and labels are known without opening a file."""
        return isinstance(self._source, Content)

    @property
    def labels(self) -> NDArray[np.int64]:
        """The position of each picture's class among `classes`."""
        return self._content().labels

    @property
    def names(self) -> tuple[str, ...]:
        """Each picture's path below the data set's folder, or its position in the array."""
        return self._content().names

    @property
    def groups(self) -> tuple[str, ...]:
        """Which pictures belong together: a name for each; empty where nobody asked."""
        return self._content().groups

    @property
    def counts(self) -> NDArray[np.int64]:
        """Pictures per class."""
        return np.bincount(self.labels, minlength=len(self.classes))

    def __len__(self) -> int:
        return len(self._content().labels)

    def in_colour(self) -> Samples:
        """The same grey pictures with three channels."""

        def content() -> Content:
            held = self._content()
            return replace(held, store=InColour(held.store))

        return Samples(self.part, self.classes, content() if self.opened else content)

    def take(self, indices: NDArray[np.intp]) -> Samples:
        """Only some of the pictures, in this order."""
        return Samples(self.part, self.classes, self._content().take(indices))

    def pictures(self, index: int, at_least: int | None = None) -> Pixels:
        """One picture, uint8 H,W,C, decoded now.

        Raises: DataError if it cannot be read
        """
        return self._content().store.read(index, at_least)

    @property
    def stacked(self) -> Pictures | None:
        """All pictures as they lie in an array, where they do; nothing is copied."""
        store = self._content().store
        return store.array if isinstance(store, Stack) else None

    def digest(self, index: int) -> bytes:
        """32 bytes that differ where a picture's file or array differs; nothing is decoded.

        Raises: DataError if it cannot be read
        """
        return self._content().store.digest(index)

    def load(
        self,
        prepare: Callable[[Pixels], Pixels] | None = None,
        progress: Callable[[int, int], None] | None = None,
        at_least: int | None = None,
        shape: tuple[int, ...] | None = None,
    ) -> Loaded:
        """Decode everything into one uint8 array.

        `prepare` cuts a picture (H,W,C) to the one size that the net reads; without it
        the pictures must have one size already. `shape` is that of a prepared picture, by
        default the first one's. `progress` is called with how many are done and how many there
        are. Pictures that cannot be decoded are set aside and listed.

        Shape:  -> (N, *shape) uint8

        Raises: DataError if more than 1 % and more than 10 are bad, if a class of the
                training part has none left, or if sizes differ
        """
        content = self._content()
        if prepare is None and isinstance(content.store, Stack):
            return Loaded(np.array(content.store.array[:]), content.labels, content.names)
        count = len(content.labels)
        array: Pixels = np.empty((0,) if shape is None else (count, *shape), np.uint8)
        kept: list[int] = []
        skipped: list[Skipped] = []
        for index, answer in enumerate(self._prepared(content, prepare, at_least)):
            if isinstance(answer, DataError):
                name = content.names[index]
                skipped.append(Skipped(name, answer.problem, damaged=True))
                refuse_if_many(skipped, count, f"the {self.part} part")
            else:
                if not kept and shape is None:
                    array = np.empty((count, *answer.shape), np.uint8)
                _same_size(content.names[index], answer.shape, array.shape)
                array[len(kept)] = answer
                kept.append(index)
            if progress is not None:
                progress(index + 1, count)
        self.refuse_if_class_lost(kept)
        rest = content.take(np.array(kept, np.intp))
        return Loaded(array[: len(kept)], rest.labels, rest.names, tuple(skipped))

    def _content(self) -> Content:
        with self._lock:
            if not isinstance(self._source, Content):
                self._source = self._source()
            return self._source

    @staticmethod
    def _prepared(
        content: Content, prepare: Callable[[Pixels], Pixels] | None, at_least: int | None
    ) -> Iterator[Pixels | DataError]:
        def one(index: int) -> Pixels | DataError:
            try:
                picture = content.store.read(index, at_least)
            except DataError as error:
                return error
            return picture if prepare is None else prepare(picture)

        count = len(content.labels)
        if isinstance(content.store, Stack):  # nothing to decode: threads would cost more
            return map(one, range(count))
        return in_order(one, range(count))

    def refuse_if_class_lost(self, kept: Sequence[int]) -> None:
        """Stop if a class of the training part has no picture among those that could be read.

        Pictures without classes are never too few.
        """
        if not self.classes:
            return
        left = np.bincount(self.labels[list(kept)], minlength=len(self.classes))
        for label in np.flatnonzero((left == 0) & (self.counts > 0)):
            if self.part == "train" or not kept:
                raise DataError(
                    f"no picture of the class '{self.classes[label]}' can be read",
                    where=f"the {self.part} part",
                    fix="foveal data check says what is wrong with each",
                )


def refuse_if_many(skipped: list[Skipped], count: int, where: str) -> None:
    """Stop where so much is damaged that the data, not a file, is at fault."""
    bad = [entry for entry in skipped if entry.damaged]
    if len(bad) <= BAD_FILES or len(bad) <= BAD_SHARE * count:
        return
    raise DataError(
        f"more than {BAD_FILES} pictures and more than 1 % of {count:,} cannot be read",
        where=where,
        arrives="\n".join(f"{entry.path}: {entry.reason}" for entry in bad[:5]) + "\n…",
        expected=f"at most {BAD_FILES} damaged files, or 1 %",
        fix="foveal data check lists them all; mend or remove them",
    )


def _same_size(name: str, arriving: tuple[int, ...], stack: tuple[int, ...]) -> None:
    if arriving == stack[1:]:
        return
    raise DataError(
        "pictures differ in size",
        where=name,
        arrives="x".join(map(str, arriving)),
        expected="x".join(map(str, stack[1:])),
        fix="let the net begin with a resize",
    )
