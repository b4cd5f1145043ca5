"""How accuracy grows with the number of pictures: means, their intervals, and a law through them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

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
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


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
