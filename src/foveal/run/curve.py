"""How many pictures do I need? Accuracy by the number of pictures to learn from."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foveal.data import Samples
from foveal.data.samples import Content, Stack
from foveal.data.split import ranks
from foveal.errors import SpecError
from foveal.model.prepared import load_kept
from foveal.model.preprocessing import split
from foveal.net import Net
from foveal.recipe import Recipe
from foveal.run import trunk
from foveal.run.beginning import Progress, quietly
from foveal.run.law import Law, Measured, fit, t_interval
from foveal.run.planning import Plan, fitting, plan
from foveal.tasks.classify import wilson_interval

if TYPE_CHECKING:
    from foveal.model.features import Extractor
    from foveal.run.trunk import Size

FIRST = (2, 5, 10)
"""Pictures per class that are tried first; from the last on twice as many each time."""
APART = 1.25
"""The last number before all pictures is left out where all are not so many times as many."""
FURTHER = (2, 5)
"""How far beyond what was measured the law is asked: so many times as many pictures."""
SURPRISING, BESIDE = 4.0, 0.02
"""The law is no good where its misfit is more than chance explains, and more than two points."""
VAGUE = 0.05
"""What twice as many pictures would bring is not known where its interval is wider."""
LEVEL = 0.01
"""A curve has levelled off where twice as many pictures surely bring less than a point."""


@dataclass(frozen=True)
class Point:
    """What was measured with so many pictures per class."""

    each: int
    """Of a class that has fewer, all."""
    pictures: int
    """Of all classes together."""
    accuracies: tuple[float, ...]
    """Of every repeat, on the same pictures that none learned from."""
    seconds: float
    """Of one repeat, on average."""

    @property
    def accuracy(self) -> float:
        return statistics.fmean(self.accuracies)

    @property
    def over_repeats(self) -> tuple[float, float] | None:
        """The 95 % interval of the mean: how much it matters which pictures these are."""
        found = t_interval(self.accuracies)
        return found and (max(found[0], 0.0), min(found[1], 1.0))


@dataclass(frozen=True)
class Curve:
    """Accuracy by the number of pictures, and what more pictures would bring."""

    data: str
    begins: str
    """The net, and where it knows something already, that of the pretrained one."""
    learns: str
    """`head`: the last layer on the features of a pretrained net; `net`: all of a net."""
    part: str
    n: int
    """Pictures that are measured on: the whole `part`."""
    points: tuple[Point, ...]
    law: Law | None
    notes: tuple[str, ...] = ()

    def by_chance(self, point: Point) -> tuple[float, float]:
        """Wilson's 95 % interval: what so few pictures to measure on leave open."""
        return wilson_interval(round(point.accuracy * self.n), self.n)

    @property
    def says(self) -> str:
        """What more pictures would bring, or why that cannot be said."""
        return forecast(self.points[-1], self.law)[1]

    @property
    def can_tell(self) -> bool:
        """Whether the law says something about more pictures."""
        return forecast(self.points[-1], self.law)[0]

    def to_json(self) -> dict[str, object]:
        """Everything as plain data."""
        law = self.law and {
            "ceiling": float(self.law.ceilings[0]),
            "gap": float(self.law.gaps[0]),
            "power": float(self.law.powers[0]),
            "misfit": self.law.misfit,
            "surprise": self.law.surprise,
        }
        points = [
            {
                "each": point.each,
                "pictures": point.pictures,
                "accuracy": point.accuracy,
                "over_repeats": point.over_repeats,
                "by_chance": self.by_chance(point),
                "seconds": round(point.seconds, 3),
                "accuracies": point.accuracies,
            }
            for point in self.points
        ]
        facts = {"data": self.data, "begins": self.begins, "learns": self.learns}
        measured = {"part": self.part, "n": self.n}
        return {**facts, **measured, "points": points, "law": law, "says": self.says}


@dataclass(frozen=True)
class Ahead:
    """What is about to be done: said once, as soon as it is known how long it takes."""

    curve: str
    """As `Curve.learns`."""
    sizes: tuple[int, ...]
    repeats: int
    seconds: float | None
    """About; unset where it is a matter of seconds."""
    says: tuple[str, ...] = ()
    """What it begins with, and what else was decided without being asked."""


@dataclass(frozen=True)
class Tried:
    """One repeat with one number of pictures is done."""

    each: int
    accuracy: float
    seconds: float
    progress: float
    """Share of all the work."""


Watch = Callable[[Ahead | Tried], None]


def curve(
    source: str | Path = "digits",
    *,
    net: Net | str | None = None,
    pretrained: str | Path | None = None,
    size: Size | None = None,
    repeats: int = 5,
    group_by: str | None = None,
    watch: Watch | None = None,
    fetching: Progress = quietly,
    **changes: Any,
) -> Curve:
    """Learn from growing parts of the pictures, several times each, and measure every time.

    Use it to see whether more pictures are worth the trouble. The parts are of the training part,
    with the same number of every class, and each holds the smaller ones; every repeat has others.
    All are measured on the same pictures: the test part, or validation where there is none. Where
    a training would begin with a pretrained net, its last layer is fitted to features that are
    computed once, which takes seconds; else every training is a real one, with the recipe that
    fits so many pictures. The arguments are those of `foveal.train`, and nothing is kept.

    Raises: as `foveal.train`; SpecError if repeats is not from 1 to 100
    """
    if not isinstance(repeats, int) or not 1 <= repeats <= 100:
        raise SpecError(f"must be a whole number from 1 to 100, not {repeats!r}", where="repeats")
    with tempfile.TemporaryDirectory() as folder:
        made = plan(
            source,
            net=net,
            pretrained=pretrained,
            size=size,
            group_by=group_by,
            runs=folder,
            fetching=fetching,
            **changes,
        )
        return trace(made, repeats, watch or (lambda _: None), changes)


def trace(
    made: Plan, repeats: int, watch: Watch, changes: Mapping[str, Any] | None = None
) -> Curve:
    """The curve of a planned training; `changes` are the fields of its recipe that were asked for.

    Raises: as `foveal.run.execution.execute`
    """
    from foveal.run.execution import extractor

    extracting = extractor(made)
    way = _nets(made, changes or {}) if extracting is None else _heads(made, extracting)
    seed, found = made.recipe.seed, dict[int, list[_Trial]]()
    todo = [trial for repeat in range(repeats) for trial in _parts(way, repeat, seed + repeat)]
    each, first, _ = todo[0]
    done, of = 0.0, sum(way.work(len(places)) for _, places, _ in todo)
    says = tuple(filter(None, (made.begins.says, *made.notes)))
    ahead = Ahead(way.learns, sizes(each), repeats, None, says)
    if extracting is not None:
        watch(ahead)

    def starts(estimate: float) -> None:
        """The first training, with all pictures, knows how long it takes: so do the others."""
        if not found:
            watch(replace(ahead, seconds=estimate * of / way.work(len(first))))

    for each, places, its_seed in todo:
        began = time.perf_counter()
        accuracy = way.attempt(places, its_seed, starts)
        trial = _Trial(len(places), accuracy, time.perf_counter() - began)
        found.setdefault(each, []).append(trial)
        done += way.work(len(places))
        watch(Tried(each, accuracy, trial.seconds, done / of))
    points = tuple(_point(each, trials) for each, trials in sorted(found.items()))
    return Curve(
        data=made.data.name,
        begins=made.begins.name,
        learns=way.learns,
        part=made.data.measured.part,
        n=way.n,
        points=points,
        law=fit([Measured(point.each, point.accuracies) for point in points], seed),
        notes=made.notes,
    )


def sizes(most: int) -> tuple[int, ...]:
    """Pictures per class that are tried, where the largest class has `most`.

    >>> sizes(32), sizes(41), sizes(3)
    ((2, 5, 10, 20, 32), (2, 5, 10, 20, 41), (2, 3))
    """
    found = list(FIRST)
    while found[-1] < most:
        found.append(2 * found[-1])
    return (*(each for each in found if APART * each <= most), most)


def forecast(last: Point, law: Law | None) -> tuple[bool, str]:
    """What twice and five times as many pictures would bring, and whether that can be said."""
    why = "What more pictures would bring cannot be said: "
    if law is None:
        return False, why + "too few sizes were measured."
    if law.surprise > SURPRISING and law.misfit > BESIDE:
        beside = 100 * law.misfit
        return False, f"{why}the means lie on no smooth curve (one is {beside:.1f} points beside)."
    gains = [law.gain(last.each, times * last.each) for times in FURTHER]
    (twice, (low, high)), (five, (five_low, five_high)) = gains
    if high - low > VAGUE:
        between = _points(low, high)
        return False, f"{why}twice as many, anything from {between}. More repeats tell more."
    if high < LEVEL:
        return True, (
            "The curve has levelled off: twice as many pictures would bring about "
            f"{100 * twice:.1f} points (95 % interval {_points(low, high)})."
        )
    return True, (
        f"Twice as many ({2 * last.each:,} a class) would bring about {100 * twice:.1f} points "
        f"(95 % interval {_points(low, high)}), five times as many ({5 * last.each:,}) about "
        f"{100 * five:.1f} ({_points(five_low, five_high)}), if the curve goes on as it began."
    )


def _points(low: float, high: float) -> str:
    return f"{100 * low:.1f} to {100 * high:.1f} points"


@dataclass(frozen=True)
class _Trial:
    pictures: int
    accuracy: float
    seconds: float


Starts = Callable[[float], None]
"""Is told about how many seconds a training takes, when it begins."""


@dataclass(frozen=True, eq=False)
class _Way:
    """How parts of the pictures are learned from."""

    learns: str
    labels: np.ndarray
    names: tuple[str, ...]
    n: int
    """Pictures that are measured on."""
    attempt: Callable[[np.ndarray, int, Starts], float]
    """From places among the pictures and a seed to an accuracy."""
    work: Callable[[int], float]
    """Of learning from so many pictures, in any unit."""
    lucky: bool
    """Whether the same pictures may come to another accuracy with another seed."""


def _point(each: int, trials: Sequence[_Trial]) -> Point:
    accuracies = tuple(trial.accuracy for trial in trials)
    seconds = statistics.fmean(trial.seconds for trial in trials)
    return Point(each, trials[0].pictures, accuracies, seconds)


def _parts(way: _Way, repeat: int, seed: int) -> Iterator[tuple[int, np.ndarray, int]]:
    """The growing parts with the seed, the largest first: it says how long the others will take.

    There is one way to take all pictures: it is repeated only where luck matters beside.
    """
    order = ranks(way.labels, way.names, seed)
    most, *others = reversed(sizes(int(order.max()) + 1))
    for each in (most, *others) if repeat == 0 or way.lucky else others:
        yield each, np.flatnonzero(order < each), seed


def _heads(made: Plan, extracting: Extractor) -> _Way:
    """The last layer on features that are computed once."""
    from foveal.engines.pytorch.machine import Machine
    from foveal.training.head import fit as fit_head

    one_thread = replace(Machine.find("float32"), threads=1)  # others would mostly wait
    with one_thread.steady():  # the first time it takes a while, which is not the head's
        known, asked = extracting.run(made.data.train), extracting.run(made.data.measured)

    def attempt(places: np.ndarray, seed: int, _: Starts) -> float:
        labels = known.labels[places]
        weights = _class_weights(made, labels) or (1.0,) * len(made.data.classes)
        with one_thread.steady():
            head = fit_head(known.values[places], labels, np.array(weights), seed)
        right: np.ndarray = head.scores(asked.values).argmax(axis=1) == asked.labels
        return float(right.mean())

    return _Way("head", known.labels, known.names, len(asked), attempt, float, lucky=False)


def _nets(made: Plan, changes: Mapping[str, Any]) -> _Way:
    """A whole training each time, with the recipe for so many pictures."""
    from foveal.run.execution import execute
    from foveal.run.results import Done
    from foveal.training import Started

    data, entrance = made.data, split(Net.of(*trunk.geometry(made.begins.size)), made.shape)

    def prepared(samples: Samples) -> Samples:
        """Decoded once, not for every training."""
        loaded = load_kept(entrance, samples, limit=made.cache_limit)
        content = Content(loaded.names, loaded.labels, Stack(loaded.pictures))
        return Samples(samples.part, samples.classes, content)

    train, validation = prepared(data.train), prepared(data.validation)
    test = None if data.test is None else prepared(data.test)
    asked = {field.name: changes[field.name] for field in fields(Recipe) if field.name in changes}

    def recipe(count: int) -> Recipe:
        return replace(fitting(made.begins, made.shape, count), **asked)

    def attempt(places: np.ndarray, seed: int, starts: Starts) -> float:
        part = train.take(places)
        one = replace(
            made,
            data=replace(data, train=part, validation=validation, test=test),
            recipe=replace(recipe(len(places)), seed=seed),
            class_weights=_class_weights(made, part.labels),
            transfer=replace(made.transfer, refit=False),
        )
        for event in execute(one):
            if isinstance(event, Started):
                starts(event.estimate)
            if isinstance(event, Done):
                return event.evaluation.accuracy
        raise AssertionError("a training ends")

    n = len(validation if test is None else test)

    def work(count: int) -> float:
        return count * recipe(count).epochs

    return _Way("net", train.labels, train.names, n, attempt, work, lucky=True)


def _class_weights(made: Plan, labels: np.ndarray) -> tuple[float, ...] | None:
    """Anew for a part, where the training would weigh classes."""
    from foveal.training import balanced

    return None if made.class_weights is None else balanced(labels, len(made.data.classes))
