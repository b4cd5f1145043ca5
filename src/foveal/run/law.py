"""How accuracy grows with the number of pictures: intervals of means, and a law through them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

FEWEST = 4
"""Sizes that a law with three numbers needs, to be wrong about at least one."""
POWERS = np.geomspace(0.05, 2, 40)
"""Those tried; learning curves lie between 0.07 and 0.5 (arXiv:1712.00409), short ones beside."""
DRAWS = 1000
"""Of means as chance could have made them, for the uncertainty."""
LEAST = 1e-6
"""Variance of an accuracy with one picture per class, where the repeats show none."""
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""97.5 % of Student's t lies below, for 1, 2, … degrees of freedom."""


def t_quantile(freedom: int) -> float:
    """The bound below which 97.5 % of Student's t lies, for whole degrees of freedom.

    Source:  Abramowitz & Stegun 1964, 26.7.5, from 10 degrees on

    >>> t_quantile(4), round(t_quantile(30), 3)
    (2.776, 2.042)
    """
    if freedom <= len(_T):
        return _T[freedom - 1]
    z = 1.959964
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def t_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % interval of the mean of what was repeated; none of a single value.

    >>> [round(bound, 3) for bound in t_interval([0.6, 0.7, 0.8])]
    [0.452, 0.948]
    """
    if len(values) < 2:
        return None
    mean = statistics.fmean(values)
    half = t_quantile(len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
    return mean - half, mean + half


@dataclass(frozen=True)
class Measured:
    """What was measured with so many pictures per class."""

    each: int
    accuracies: tuple[float, ...]
    """Of every repeat, each with other pictures."""


@dataclass(frozen=True)
class Law:
    """Accuracy as `ceiling - gap * n ** -power`, where n is the pictures per class.

    Learning curves of many kinds have this form (Hestness et al. 2017, arXiv:1712.00409).
    """

    ceilings: np.ndarray
    """Of the law itself, then of those that fit as well as chance allows."""
    gaps: np.ndarray
    powers: np.ndarray
    misfit: float
    """The largest distance of a mean from the law."""
    surprise: float
    """Squared distances in units of what chance explains, per degree of freedom; 1 is usual."""

    def at(self, each: float) -> float:
        """The accuracy with so many pictures per class."""
        return float(self._at(each)[0])

    def gain(self, now: float, then: float) -> tuple[float, tuple[float, float]]:
        """How much more with `then` pictures per class than with `now`, and its 95 % interval."""
        gains = self._at(then) - self._at(now)
        low, high = np.quantile(gains, (0.025, 0.975))
        return float(gains[0]), (float(min(low, gains[0])), float(max(high, gains[0])))

    def _at(self, each: float) -> np.ndarray:
        made: np.ndarray = self.ceilings - self.gaps * each**-self.powers
        return made


def fit(measured: Sequence[Measured], seed: int = 0) -> Law | None:
    """The law that comes nearest to the means, and how sure it is; none through too few sizes.

    Use it to look a little beyond what was measured. Repeats differ the less, the more of all
    pictures each of them has: that is taken out. Their deviation is taken to fall with the root of
    the number of pictures, so that the many count more than the few. The uncertainty is that of
    fits to means moved by as much as chance moves them.

    Raises:  nothing
    Source:  Cortes et al. 1993, Learning Curves: Asymptotic Values and Rate of Convergence

    >>> rows = [Measured(n, (0.9 - 0.6 * n**-0.5,) * 2) for n in (2, 5, 10, 20, 40)]
    >>> law = fit(rows)
    >>> round(law.at(80), 2), round(law.at(2), 2)
    (0.83, 0.48)
    """
    if len(measured) < FEWEST:
        return None
    each = np.array([one.each for one in measured], float)
    means = np.array([statistics.fmean(one.accuracies) for one in measured])
    variance = _variances(measured)
    noise = np.random.default_rng(seed).standard_normal((DRAWS, len(means))) * np.sqrt(variance)
    noise[0] = 0
    ceilings, gaps, powers, distances = _nearest(each, means + noise, 1 / variance)
    law = Law(ceilings, gaps, powers, 0, float(distances[0]) / (len(means) - 3))
    misfit = max(abs(law.at(n) - float(mean)) for n, mean in zip(each, means, strict=True))
    return replace(law, misfit=misfit)


def _variances(measured: Sequence[Measured]) -> np.ndarray:
    """Of each mean, by chance."""
    most, repeats = max(one.each for one in measured), len(measured[0].accuracies)
    shared = np.array([one.each / most for one in measured])
    """Of the pictures of one repeat, the share that another one has too."""
    of_one = [
        one.each * statistics.variance(one.accuracies) / (1 - share)
        for one, share in zip(measured, shared, strict=True)
        if share < 1 and repeats > 1
    ]
    single = max(statistics.fmean(of_one) if of_one else 0.0, LEAST)
    each = np.array([one.each for one in measured])
    found: np.ndarray = single / each * (shared + (1 - shared) / repeats)
    return found


def _nearest(
    each: np.ndarray, means: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ceiling, gap and power by least weighted squares for every row of means; the distances.

    For a given power the other two are a line through points, with a ceiling of at most 1 and a
    gap of at least 0.
    """
    best = [np.full(len(means), np.inf if part == 3 else 0.0) for part in range(4)]
    share = weights / weights.sum()
    for power in POWERS:
        x = each**-power
        middle, height = share @ x, means @ share
        slopes = ((means - height[:, None]) * (x - middle)) @ share / (share @ (x - middle) ** 2)
        gap = np.maximum(-slopes, 0)
        ceiling = height + gap * middle
        bound = ((1 - means) * x) @ share / (share @ x**2)
        gap, ceiling = np.where(ceiling > 1, bound, gap), np.minimum(ceiling, 1)
        distance = np.square(means - ceiling[:, None] + gap[:, None] * x) @ weights
        better = distance < best[3]
        found = (ceiling, gap, np.full(len(means), power), distance)
        best = [np.where(better, new, old) for new, old in zip(found, best, strict=True)]
    return best[0], best[1], best[2], best[3]
