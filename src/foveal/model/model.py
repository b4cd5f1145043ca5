"""A net with its weights and its task: what is trained, saved, asked and measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foveal import engines
from foveal.data.names import printable
from foveal.engines import Engine
from foveal.errors import DataError, FovealError, ShapeError, SpecError
from foveal.model.preprocessing import Split, split
from foveal.model.views import ONE, VIEWS, asked
from foveal.net import Net
from foveal.net.kind import Shape, shape_text
from foveal.net.layers import Input, Softmax
from foveal.net.program import Program
from foveal.tasks import classify
from foveal.tasks.classify import UNSURE_BELOW, Evaluation, Part, Prediction

if TYPE_CHECKING:
    from foveal.data import Dataset, Loaded, Samples
    from foveal.data.colours import Pixels
    from foveal.data.spread import Pictures
    from foveal.engines.agreement import Agreement
    from foveal.model.features import Extracted
    from foveal.model.sweep import Sweep

BATCH = 32
"""Pictures that are predicted together."""


@dataclass(frozen=True, eq=False)
class Model:
    """A classifier: a net from bytes to probabilities, its weights and its class names.

    Raises: SpecError if the net does not begin with `input uint8`, end in `softmax` and give one
            answer for each class; ShapeError if it does not fit its input

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
    views: str = ONE
    """Of a picture it is not sure of: a name in `foveal.model.views.VIEWS`."""

    def __post_init__(self) -> None:
        steps, results = self.program.steps, self.program.result_shapes()
        if len(self.input) != 3 or self.input[0] not in (1, 3):
            raise SpecError(
                "is no picture", where=f"input {shape_text(self.input)}", expected="1xHxW or 3xHxW"
            )
        if steps[0].kind != Input("uint8") or not isinstance(steps[-1].kind, Softmax):
            raise SpecError(
                "does not lead from bytes to probabilities",
                where="net",
                expected="input uint8 as its first step, softmax as its last",
            )
        if results != {"": (len(self.classes),)}:
            raise SpecError(
                "does not give one answer for each class",
                where="net",
                arrives=", ".join(f"{name} {shape_text(s)}".strip() for name, s in results.items()),
                expected=str(len(self.classes)),
            )
        if self.views not in VIEWS:
            raise SpecError("are unknown", where=f"views {self.views}", expected=" or ".join(VIEWS))
        if len(set(self.classes)) < len(self.classes):
            raise SpecError("are not all different", where="classes")

    @staticmethod
    def fresh(net: Net, input: Shape, classes: Iterable[str], seed: int = 0) -> Model:
        """A model with random weights."""
        from foveal.engines.weights import initial

        bound = net.with_names()
        return Model(bound, input, initial(bound.bind(input), seed), tuple(classes))

    def save(self, path: str | Path) -> str:
        """Write the model as one file, and return its digest; `foveal.load` reads it back.

        Raises: MachineError if the disk refuses; an old file is then as it was
        """
        from foveal.model.saved import save

        return save(self, path)

    def export(self, path: str | Path, pictures: Sequence[str | Path] = ()) -> list[Agreement]:
        """Write the model as ONNX, and return how well its engines agree.

        They are compared on random pictures and on those in the files `pictures`.

        Raises: DisagreementError, and nothing is written, if they differ too much
        """
        from foveal.model.export import export

        return export(self, Path(path), [Path(picture) for picture in pictures])

    def predict(
        self, picture: str | Path | Pixels, *, unsure_below: float = UNSURE_BELOW
    ) -> Prediction:
        """Say what is in one picture: a file, or an array of bytes (H, W, C), grey also (H, W).

        An answer of a probability below `unsure_below` is marked as unsure.

        Raises: DataError if the file is no picture that can be read, or the array is none;
                ShapeError if the net does not resize it to what it reads
        """
        name = "" if isinstance(picture, np.ndarray) else str(picture)
        threshold = classify.threshold_of(unsure_below)
        (answer,) = self._answers(self._quick, [name], [self._prepared(picture)], threshold)
        if not isinstance(answer, Prediction):
            raise answer[1]
        return answer

    def predict_all(
        self, pictures: Iterable[str | Path], *, unsure_below: float = UNSURE_BELOW
    ) -> Iterator[Prediction | tuple[str, FovealError]]:
        """Predict many files in their order; a file that cannot be used gives its error.

        Decoding goes on in a few threads while the net works.
        """
        from foveal.data.threads import in_order

        files, threshold = list(pictures), classify.threshold_of(unsure_below)

        def read(place: int) -> Pixels | FovealError:
            try:
                return self._prepared(files[place])
            except DataError as error:
                return error
            except ShapeError as error:
                error.where = printable(str(files[place]))
                return error

        with ThreadPoolExecutor(1) as pool:
            engine = pool.submit(self._engine, len(files))
            prepared = in_order(read, range(len(files)))
            for start in range(0, len(files), BATCH):
                names = [str(file) for file in files[start : start + BATCH]]
                chunk = list(islice(prepared, len(names)))
                yield from self._answers(engine.result(), names, chunk, threshold)

    def features(
        self,
        pictures: Iterable[str | Path],
        layer: str | None = None,
        *,
        progress: Callable[[int, int], None] | None = None,
        cached: bool = True,
    ) -> Extracted:
        """What the net makes of many files at one of its layers, a row for each.

        Use it to bring the net's view of pictures into other programs: to cluster them, to find
        similar ones, to learn from them. By default it is what arrives at the layer that makes
        the scores. Files that cannot be read are in `skipped`. With `cached` a file that has not
        changed is neither decoded nor computed again.

        Shape:  N files -> (N, *shape of the layer) float32
        Raises: SpecError if there is no such layer; DataError if more than 10 files and 1 % of
                them cannot be read
        """
        from foveal.data.samples import Content, Files, Samples
        from foveal.model.features import Extractor

        files = tuple(map(str, pictures))
        names, labels = tuple(map(printable, files)), np.zeros(len(files), np.int64)
        samples = Samples("given", (), Content(names, labels, Files(files, self.input[0])))
        extractor = Extractor(self.net, self.input, self.weights, layer)
        return extractor.run(samples, progress, cached=cached)

    def slide(self, picture: Pixels) -> Sweep:
        """Ask about every place of one picture that is larger than what the model reads.

        Use it to read a row of things one after another, or to find where one is:
        `model.slide(strip).found()`. The picture is not resized.

        Shape:  (H, W, C) uint8, grey also (H, W)
        Raises: ShapeError if the picture is too small; SpecError if the net cannot slide
        """
        from foveal.model.sweep import sweep

        return sweep(self, picture)

    def probabilities(self, prepared: Pictures) -> np.ndarray:
        """The probabilities of prepared pictures.

        Shape:  (N, H, W, C) uint8 -> (N, num_classes) float32
        """
        engine = self._engine(len(prepared))
        starts = range(0, len(prepared), BATCH)
        parts = [self._asked(engine, prepared[start : start + BATCH]) for start in starts]
        return np.concatenate([np.empty((0, len(self.classes)), np.float32), *parts])

    def evaluate(
        self, source: str | Path | Dataset, *, unsure_below: float = UNSURE_BELOW
    ) -> Evaluation:
        """Measure on the test part of labelled pictures, or on all of them if there is none.

        If these are the very pictures that the model learned from, it is measured on those that
        were kept aside then; the evaluation's part says `validation`.

        Raises: DataError if a class is unknown to the model or no picture can be read
        """
        opened = self._opened(source) if isinstance(source, str | Path) else source
        if self.input[0] == 3:
            opened = opened.in_colour()
        samples, part = self._measured(opened)
        pictures = self.split.load(samples)
        return self.measure(pictures, opened.classes, part, unsure_below=unsure_below)

    def measure(
        self,
        pictures: Loaded,
        classes: Sequence[str],
        part: Part,
        *,
        unsure_below: float = UNSURE_BELOW,
    ) -> Evaluation:
        """Measure on prepared pictures, whose labels are places in `classes`.

        Raises: DataError if a class is unknown to the model, or there is no picture
        """
        unknown = [name for name in classes if name not in self.classes]
        if unknown:
            raise DataError(
                f"the model does not know the class {printable(unknown[0])!r}",
                expected="classes among " + ", ".join(map(printable, self.classes[:12])),
                fix="name the folders as they were named when the model was trained",
            )
        labels = np.array([self.classes.index(name) for name in classes], np.int64)
        return classify.evaluate(
            self.probabilities(pictures.pictures),
            labels[pictures.labels],
            pictures.names,
            self.classes,
            part,
            unsure_below=unsure_below,
        )

    def calibrated(self, pictures: Loaded) -> Model:
        """This model with probabilities that mean what they say, as far as these pictures tell.

        Give it prepared pictures that it did not learn from, labelled with places in `classes`.
        No answer changes, only how sure it is; `about["temperature"]` says by how much.
        """
        from foveal.model.calibration import calibrated

        return calibrated(self, pictures)

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

    def _asked(self, engine: Engine, prepared: Pixels) -> np.ndarray:
        return asked(lambda pictures: engine.run(pictures)[""], prepared, self.views)

    def _engine(self, num_pictures: int) -> Engine:
        return self._quick if num_pictures < BATCH else self._fast

    @cached_property
    def _quick(self) -> Engine:
        """Opens fast: for a few pictures."""
        return self.engine(optimise=False)

    @cached_property
    def _fast(self) -> Engine:
        return self.engine()

    def _prepared(self, picture: str | Path | Pixels) -> Pixels:
        if not isinstance(picture, np.ndarray):
            from foveal.data import pictures

            return self.split.prepare(pictures.read(picture, self.input[0], self.split.at_least))
        pixels = picture[:, :, None] if picture.ndim == 2 else picture
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != self.input[0]:
            raise DataError(
                "is no picture that the model reads",
                where="array",
                arrives=f"{picture.dtype} {shape_text(picture.shape)}",
                expected=f"uint8 HxWx{self.input[0]}",
            )
        return self.split.prepare(pixels)

    def _answers(
        self,
        engine: Engine,
        names: list[str],
        prepared: list[Pixels | FovealError],
        unsure_below: float,
    ) -> Iterator[Prediction | tuple[str, FovealError]]:
        """An answer or an error for each picture, of which some could not be prepared."""
        good = [pixels for pixels in prepared if isinstance(pixels, np.ndarray)]
        rows = iter(self._asked(engine, np.stack(good)) if good else ())
        for name, pixels in zip(names, prepared, strict=True):
            if isinstance(pixels, FovealError):
                yield name, pixels
                continue
            row = next(rows)
            if np.isfinite(row).all():
                yield classify.decode(row[None], [name], self.classes, unsure_below=unsure_below)[0]
            else:
                fix = "train again with a smaller learning rate"
                problem = "the net gives no finite answer"
                yield name, FovealError(problem, where=printable(name), fix=fix)

    @staticmethod
    def _measured(opened: Dataset) -> tuple[Samples, Part]:
        """What to measure on, and what that part is."""
        if opened.test is not None:
            return opened.test, "test"
        if len(opened.validation):
            return opened.validation, "validation"
        return opened.train, "test"

    def knows(self, source: str | Path) -> bool:
        """Whether it has learned from every one of these pictures, so that none can measure it."""
        from foveal import data

        return "refit" in self.about and self._learned_from(data.open(source, validation=0))

    def _learned_from(self, opened: Dataset) -> bool:
        """Whether these are the pictures of its training, which have no test part."""
        match self.about:
            case {"data": {"fingerprint": str(known)}}:
                return known.partition(":")[0] == opened.fingerprint and opened.test is None
        return False

    def _opened(self, source: str | Path) -> Dataset:
        """The data, uncut; cut as it was for the training if the model learned from it."""
        from foveal import data

        opened = data.open(source, validation=0)
        if not self._learned_from(opened):
            return opened
        match self.about:
            case {"refit": name}:
                raise DataError(
                    "the model has learned from all of these pictures",
                    where=printable(str(source)),
                    fix=f"measure {name} beside it, which had not yet learned from those kept "
                    "aside, or use other pictures",
                )
            case {"data": {"fingerprint": known, **more}, "recipe": {"seed": int(seed)}}:
                rule = more.get("group_by")
                cut = data.open(source, seed=seed, group_by=None if rule is None else str(rule))
                if cut.fingerprint != known:
                    raise DataError(
                        "the groups of these pictures are others than when the model learned",
                        where=printable(str(source)),
                        arrives=f"group_by {rule}",
                        expected="unchanged names, folders, and dates where those were used",
                        fix="measure on pictures that the model did not learn from",
                    )
                return cut
        return opened
