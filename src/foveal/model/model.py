"""A net with its weights and its task: what is trained, saved, asked and measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foveal import engines
from foveal.engines import Engine
from foveal.errors import DataError
from foveal.model.preprocessing import Split, split
from foveal.net import Net
from foveal.net.kind import Shape
from foveal.net.program import Program
from foveal.tasks import classify
from foveal.tasks.classify import Evaluation, Prediction

if TYPE_CHECKING:
    from foveal.data.colours import Pixels
    from foveal.data.samples import Samples

BATCH = 32
"""Pictures that are predicted together."""


@dataclass(frozen=True, eq=False)
class Model:
    """A classifier: a net from bytes to probabilities, its weights and its class names.

    >>> from foveal.net.notation import parse
    >>> net = parse("input uint8 -> normalise -> flatten -> dense 2 -> softmax")
    >>> model = Model.fresh(net, (1, 8, 8), ("cat", "dog"))
    >>> 0 <= model.predict(np.zeros((8, 8, 1), np.uint8)).probability <= 1
    True
    """

    net: Net
    input: Shape
    """A picture it is made for, channels first; others are resized by the net's first steps."""
    weights: Mapping[str, np.ndarray]
    classes: tuple[str, ...]
    task: str = classify.NAME
    about: Mapping[str, Any] = field(default_factory=dict)
    """What is known of its training: metrics, recipe, data, versions."""

    @staticmethod
    def fresh(net: Net, input: Shape, classes: Iterable[str], seed: int = 0) -> Model:
        """A model with random weights."""
        from foveal.engines.weights import initial

        bound = net.with_names()
        return Model(bound, input, initial(bound.bind(input), seed), tuple(classes))

    @cached_property
    def split(self) -> Split:
        return split(self.net, self.input)

    @cached_property
    def program(self) -> Program:
        """The whole net bound to its input, preprocessing included."""
        return self.net.bind(self.input)

    def engine(self, name: str = "portable", **options: bool) -> Engine:
        """An engine for prepared pictures; the one of that name."""
        rest = self.split.rest.bind(self.split.shape)
        return engines.build(name, rest, self.weights, **options)

    @cached_property
    def _quick(self) -> Engine:
        """Opens fast: for a few pictures."""
        return self.engine(optimise=False)

    @cached_property
    def _portable(self) -> Engine:
        return self.engine()

    def predict(self, picture: str | Path | Pixels) -> Prediction:
        """Say what is in one picture: a file, or an array (H, W, C) of bytes.

        Raises: DataError if the file is no picture that can be read
        """
        name, pixels = self._open(picture)
        return self._answers([name], self.split.prepare(pixels)[None])[0]

    def predict_all(
        self, pictures: Iterable[str | Path]
    ) -> Iterator[Prediction | tuple[str, DataError]]:
        """Predict many files in their order; a file that cannot be read gives its error."""
        waiting = iter(pictures)
        while chunk := list(islice(waiting, BATCH)):
            read: dict[int, Pixels] = {}
            failed: dict[int, DataError] = {}
            for place, file in enumerate(chunk):
                try:
                    read[place] = self.split.prepare(self._open(file)[1])
                except DataError as error:
                    failed[place] = error
            names = [str(chunk[place]) for place in read]
            answers = iter(self._answers(names, np.stack(list(read.values()))) if read else ())
            for place, file in enumerate(chunk):
                yield (str(file), failed[place]) if place in failed else next(answers)

    def probabilities(self, prepared: np.ndarray) -> np.ndarray:
        """The probabilities of prepared pictures.

        Shape:  (N, H, W, C) uint8 -> (N, num_classes) float32
        """
        engine = self._quick if len(prepared) < BATCH else self._portable
        parts = [
            engine.run(prepared[start : start + BATCH])[""]
            for start in range(0, len(prepared), BATCH)
        ]
        return np.concatenate(parts)

    def evaluate(self, samples: Samples, classes: Iterable[str], part: classify.Part) -> Evaluation:
        """Measure on pictures with known answers.

        `classes` are the class names of the samples' labels; they may be fewer than the model's.

        Raises: DataError if a class is unknown to the model or no picture can be read
        """
        places = self._class_places(tuple(classes))
        loaded = self.split.load(samples)
        labels = places[loaded.labels]
        return classify.evaluate(
            self.probabilities(loaded.pictures), labels, loaded.names, self.classes, part
        )

    def _class_places(self, classes: tuple[str, ...]) -> np.ndarray:
        unknown = [name for name in classes if name not in self.classes]
        if unknown:
            raise DataError(
                f"the model does not know the class {unknown[0]!r}",
                expected="classes among " + ", ".join(self.classes[:12]),
                fix="name the folders as they were named when the model was trained",
            )
        return np.array([self.classes.index(name) for name in classes], np.int64)

    def _open(self, picture: str | Path | Pixels) -> tuple[str, Pixels]:
        if isinstance(picture, np.ndarray):
            return "", picture
        from foveal.data import pictures

        return str(picture), pictures.read(picture, self.input[0], self.split.at_least)

    def _answers(self, names: list[str], prepared: np.ndarray) -> list[Prediction]:
        return classify.decode(self.probabilities(prepared), names, self.classes)
