"""The law through a learning curve: it finds the one that made the means, and knows its limits."""

from __future__ import annotations

import numpy as np
import pytest

from foveal.run.law import FEWEST, Measured, fit, t_interval, t_quantile

EACH = (2, 5, 10, 20, 40, 80)


def made(
    ceiling: float, gap: float, power: float, noise: float = 0.0, seed: int = 0
) -> list[Measured]:
    """Five repeats of a law, with less noise the more pictures there are."""
    random = np.random.default_rng(seed)
    return [
        Measured(n, tuple(ceiling - gap * n**-power + noise * random.standard_normal(5) / n**0.5))
        for n in EACH
    ]


@pytest.mark.parametrize(("freedom", "bound"), [(1, 12.706), (4, 2.776), (9, 2.262)])
def test_bounds_of_students_t(freedom: int, bound: float) -> None:
    assert t_quantile(freedom) == bound


@pytest.mark.parametrize(("freedom", "bound"), [(10, 2.2281), (30, 2.0423), (1000, 1.9623)])
def test_bounds_of_students_t_beyond_the_table(freedom: int, bound: float) -> None:
    assert t_quantile(freedom) == pytest.approx(bound, abs=2e-4)


def test_the_interval_of_a_mean_is_that_of_a_textbook() -> None:
    assert t_interval([0.1, 0.2, 0.3, 0.4, 0.5]) == pytest.approx((0.1037, 0.4963), abs=1e-4)


def test_one_value_has_no_interval() -> None:
    assert t_interval([0.5]) is None


@pytest.mark.parametrize("law", [(0.9, 0.6, 0.5), (0.7, 0.5, 1.0), (1.0, 0.8, 0.2)])
def test_the_law_that_made_the_means_is_found(law: tuple[float, float, float]) -> None:
    found = fit(made(*law))
    assert found is not None
    ceiling, gap, power = law
    for each in (*EACH, 160, 400):
        assert found.at(each) == pytest.approx(ceiling - gap * each**-power, abs=3e-3)


def test_its_interval_holds_the_truth() -> None:
    """In at least 90 of 100 curves: the interval claims 95, and is rather too wide."""
    ceiling, gap, power = 0.9, 0.6, 0.5
    truth = gap * 80**-power - gap * 160**-power
    held = 0
    for seed in range(100):
        law = fit(made(ceiling, gap, power, noise=0.15, seed=seed))
        assert law is not None
        _, (low, high) = law.gain(80, 160)
        held += low <= truth <= high
    assert held >= 90


def test_more_noise_makes_the_interval_wider() -> None:
    quiet, loud = (fit(made(0.9, 0.6, 0.5, noise)) for noise in (0.02, 0.2))
    assert quiet is not None
    assert loud is not None
    widths = [high - low for _, (low, high) in (law.gain(80, 160) for law in (quiet, loud))]
    assert widths[1] > 2 * widths[0]


def test_no_law_promises_more_than_everything_right() -> None:
    law = fit(made(1.0, 0.9, 0.9, noise=0.3))
    assert law is not None
    assert law.ceilings.max() <= 1
    assert law.gaps.min() >= 0


def test_a_falling_curve_is_flat_and_surprising() -> None:
    rows = [Measured(n, (0.9 - 0.1 * step, 0.901 - 0.1 * step)) for step, n in enumerate(EACH)]
    law = fit(rows)
    assert law is not None
    assert law.gain(80, 400)[0] == 0
    assert law.surprise > 4
    assert law.misfit > 0.02


def test_too_few_sizes_have_no_law() -> None:
    assert fit(made(0.9, 0.6, 0.5)[: FEWEST - 1]) is None


def test_a_single_repeat_has_a_law_too() -> None:
    assert fit([Measured(n, (0.9 - 0.6 * n**-0.5,)) for n in EACH]) is not None


def test_the_same_means_and_seed_give_the_same_bits() -> None:
    rows = made(0.9, 0.6, 0.5, noise=0.1)
    one, other = fit(rows, seed=3), fit(rows, seed=3)
    assert one is not None
    assert other is not None
    assert one.gain(80, 160) == other.gain(80, 160)
