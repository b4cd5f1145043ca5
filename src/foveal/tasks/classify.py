"""Naming the one class a picture belongs to: how good the answers of a net are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from foveal.checks import Real, accept
from foveal.errors import DataError, FovealError, SpecError

NAME = "classify"
Part = Literal["test", "validation"]
Z_95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""
UNSURE_BELOW = 0.5
"""An answer of a smaller probability is unsure: if it is honest, more likely wrong than right."""
BINS = 15
"""Of equal width, over which probabilities are compared with what came true (as Guo et al.)."""


@dataclass(frozen=True)
class Baseline:
    """The best answer that does not look at the picture: always the biggest class of the part."""

    name: str
    accuracy: float


@dataclass(frozen=True)
class ClassScore:
    """How one class fared; a share is None where it would divide by zero."""

    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    """How many pictures truly belong to the class."""


@dataclass(frozen=True)
class Wrong:
    """A picture whose answer is not its truth."""

    file: str
    truth: str
    answer: str
    probability: float
    """What the net gave its answer."""
    probability_of_truth: float


@dataclass(frozen=True)
class Sure:
    """The answers whose probability is not below a threshold."""

    threshold: float
    n: int
    num_right: int


@dataclass(frozen=True)
class Evaluation:
    """What a classifier got right and wrong on pictures it did not learn from."""

    part: Part
    classes: tuple[str, ...]
    n: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    """The 95 % interval of Wilson."""
    loss: float
    """Mean cross-entropy in nats."""
    calibration_error: float
    """How far the probabilities of the answers are from the shares that are right, on average."""
    sure: Sure
    baseline: Baseline
    per_class: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    """Counts: a row per truth, a column per answer."""
    wrong: tuple[Wrong, ...]
    """Most confident mistake first."""

    @property
    def num_right(self) -> int:
        return self.n - len(self.wrong)

    def to_json(self) -> dict[str, Any]:
        """Everything as plain dictionaries and finite numbers, ready for json.dumps."""
        return asdict(self)


def evaluate(
    probabilities: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    names: Sequence[str],
    classes: Sequence[str],
    part: Part,
    *,
    unsure_below: float = UNSURE_BELOW,
) -> Evaluation:
    """Compare the probabilities a net gave with what the pictures truly are.

    Use it on a part that was not learned from. A picture counts as right if its true class has
    the largest probability; of equal ones the first class is the answer.

    Shape:   probabilities (N, C), labels (N,) with 0 <= label < C, N names, C classes
    Raises:  DataError if there is no picture or a label is no class; SpecError if the shapes,
             the part or the threshold do not fit; FovealError if a probability is not finite
    Source:  interval: Wilson 1927, doi:10.1080/01621459.1927.10502953; calibration error: Naeini,
             Cooper & Hauskrecht 2015, doi:10.1609/aaai.v29i1.9602
    Example:
        >>> p = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
        >>> e = evaluate(p, np.array([0, 1, 1]), ["a", "b", "c"], ["cat", "dog"], "test")
        >>> round(e.accuracy, 3), e.wrong[0].file, e.baseline.name
        (0.667, 'c', 'dog')
    """
    _check(probabilities, labels, names, classes, part)
    threshold = threshold_of(unsure_below)
    count, num_classes = probabilities.shape
    rows = np.arange(count)
    answers = probabilities.argmax(axis=1)
    of_answer, of_truth = probabilities[rows, answers], probabilities[rows, labels]
    confusion = np.bincount(labels * num_classes + answers, minlength=num_classes**2)
    confusion = confusion.reshape(num_classes, num_classes)
    right, support = int(confusion.trace()), confusion.sum(axis=1)
    biggest = int(support.argmax())
    is_right, is_sure = answers == labels, of_answer >= threshold
    missed = np.flatnonzero(~is_right)
    worst_first = missed[np.argsort(-of_answer[missed], kind="stable")]
    return Evaluation(
        part=part,
        classes=tuple(classes),
        n=count,
        accuracy=right / count,
        accuracy_interval=wilson_interval(right, count),
        loss=_cross_entropy(of_truth),
        calibration_error=calibration_error(of_answer, is_right),
        sure=Sure(threshold, int(is_sure.sum()), int((is_sure & is_right).sum())),
        baseline=Baseline(classes[biggest], int(support[biggest]) / count),
        per_class=_scores(confusion, classes),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        wrong=tuple(
            Wrong(
                names[i],
                classes[labels[i]],
                classes[answers[i]],
                float(of_answer[i]),
                float(of_truth[i]),
            )
            for i in worst_first
        ),
    )


@dataclass(frozen=True)
class Prediction:
    """What a classifier says of one picture."""

    file: str
    label: str
    probability: float
    probabilities: dict[str, float]
    """Of every class, in the order of the classes."""
    unsure: bool = False
    """Whether the probability is below what was asked for."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def decode(
    probabilities: NDArray[np.floating[Any]],
    names: Sequence[str],
    classes: Sequence[str],
    *,
    unsure_below: float = UNSURE_BELOW,
) -> list[Prediction]:
    """The answers that a net's probabilities mean: the largest one names the class.

    It is unsure where that probability is below `unsure_below`. Of two classes one always has
    half: ask for more there.

    Shape:   probabilities (N, C), N names, C classes -> N predictions
    Raises:  nothing
    Source:  none
    Example:
        >>> decode(np.array([[0.2, 0.8]]), ["a.png"], ["cat", "dog"])[0].label
        'dog'
    """
    return [
        Prediction(
            name,
            classes[int(row.argmax())],
            float(row.max()),
            dict(zip(classes, map(float, row), strict=True)),
            bool(row.max() < unsure_below),
        )
        for name, row in zip(names, probabilities, strict=True)
    ]


def threshold_of(unsure_below: float) -> float:
    """The probability below which an answer is unsure; SpecError if it is none."""
    return cast(float, accept("answer", "unsure_below", Real(0, 1), unsure_below))


def calibration_error(probabilities: NDArray[np.floating[Any]], right: NDArray[np.bool_]) -> float:
    """How far the probabilities of answers are from the shares of them that are right.

    Answers are put into `BINS` bins by probability; in each the mean probability is compared
    with the share that is right, and each bin counts as much as it holds. From few pictures it
    is too large: of n in a bin the share that is right varies by chance.

    Shape:   probabilities (N,), right (N,)
    Source:  Naeini, Cooper & Hauskrecht 2015, doi:10.1609/aaai.v29i1.9602, with 15 bins as in
             Guo et al. 2017, arXiv:1706.04599
    Example:
        >>> calibration_error(np.array([0.75, 0.75, 0.75, 0.75]), np.array([1, 1, 1, 0], bool))
        0.0
    """
    bins = np.clip(np.ceil(probabilities * BINS).astype(np.int64) - 1, 0, BINS - 1)
    surplus = np.bincount(bins, weights=probabilities - right.astype(np.float64), minlength=BINS)
    return float(np.abs(surplus).sum() / len(probabilities))


def wilson_interval(right: int, count: int) -> tuple[float, float]:
    """Between which shares the true one lies, 95 times in 100, when `right` of `count` are seen.

    Better than plus and minus 1.96 standard errors near 0 and 1: never leaves them, and is not
    of width zero when everything is right.

    Source:  Wilson 1927, doi:10.1080/01621459.1927.10502953
    Example:
        >>> [round(bound, 3) for bound in wilson_interval(355, 360)]
        [0.968, 0.994]
    """
    share, z2 = right / count, Z_95**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    spread = sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    half = Z_95 * spread / (1 + z2 / count)
    return (
        0.0 if right == 0 else middle - half,
        1.0 if right == count else middle + half,
    )


def _cross_entropy(of_truth: NDArray[np.floating[Any]]) -> float:
    """The mean of -ln(probability of the truth); as in scikit-learn, none is below its epsilon."""
    floor = np.finfo(of_truth.dtype).eps
    return float(-np.log(of_truth.clip(floor), dtype=np.float64).mean())


def _scores(confusion: NDArray[np.int64], classes: Sequence[str]) -> tuple[ClassScore, ...]:
    right, support, answered = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    return tuple(
        ClassScore(
            name,
            precision=_share(right[i], answered[i]),
            recall=_share(right[i], support[i]),
            f1=_share(2 * right[i], answered[i] + support[i]),
            support=int(support[i]),
        )
        for i, name in enumerate(classes)
    )


def _share(part: np.int64, whole: np.int64) -> float | None:
    return int(part) / int(whole) if whole else None


def _check(
    probabilities: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    names: Sequence[str],
    classes: Sequence[str],
    part: Part,
) -> None:
    if part not in get_args(Part):
        raise SpecError(f"there is no part '{part}'", where="part", expected="test or validation")
    if not len(names):
        raise DataError("there is no picture to evaluate", where=f"the {part} part")
    expected, came = f"{len(names)}x{len(classes)}", "x".join(map(str, probabilities.shape))
    if probabilities.shape != (len(names), len(classes)) or labels.shape != (len(names),):
        raise SpecError(
            "the answers do not fit the pictures and classes",
            arrives=f"probabilities {came}, {labels.size} labels",
            expected=f"probabilities {expected}, {len(names)} labels",
        )
    outside = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if outside.size:
        raise DataError(
            f"label {labels[outside[0]]} is no class",
            where=names[outside[0]],
            expected=f"0 to {len(classes) - 1}",
        )
    broken = np.flatnonzero(~np.isfinite(probabilities).all(axis=1))
    if broken.size:
        raise FovealError(
            f"the net gives no finite answer for {broken.size} of {len(names)} pictures",
            where=names[broken[0]],
            fix="train again with a smaller learning rate",
        )
