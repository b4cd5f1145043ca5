"""A last layer fitted to features: the same as scikit-learn finds, and a sensible strength."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from foveal.training.head import Head, fit


def clouds(
    count: int, num_features: int, apart: float, num_classes: int = 3, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """A cloud of points for each class."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(num_classes, num_features)) * apart
    y = np.arange(count) % num_classes
    x = centres[y] + random.normal(size=(count, num_features)) + 3
    return x.astype(np.float32), y


def fitted(x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None, seed: int = 0) -> Head:
    return fit(x, y, np.ones(int(y.max()) + 1) if weights is None else weights, seed)


def right(head: Head, x: np.ndarray, y: np.ndarray) -> float:
    return float((head.scores(x).argmax(1) == y).mean())


@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0), (1.0, 5.0, 0.5)])
@pytest.mark.parametrize(("count", "num_features"), [(60, 200), (200, 30)])
def test_it_is_the_logistic_regression_of_its_strength(
    count: int, num_features: int, weights: tuple[float, ...]
) -> None:
    x, y = clouds(count, num_features, 0.2)
    head = fitted(x, y, np.array(weights))
    each = np.array(weights)[y]
    each /= each.mean()
    mean = (each[:, None] * x).mean(0)
    scale = np.sqrt((each * np.square(x - mean).sum(1)).mean())
    oracle = LogisticRegression(C=1 / head.strength, max_iter=10_000, tol=1e-8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle.fit((x - mean) / scale, y, sample_weight=each)
    wanted = oracle.decision_function((x - mean) / scale)
    made = head.scores(x)
    made -= made.mean(1, keepdims=True)
    assert np.abs(made - wanted).max() < 5e-3 * np.abs(wanted).max()


def test_noise_is_held_back_and_clear_classes_are_not() -> None:
    noise = fitted(*clouds(60, 200, 0.0))
    clear = fitted(*clouds(60, 200, 1.0))
    assert noise.strength >= 1
    assert clear.strength < 0.1
    x, y = clouds(300, 200, 1.0)
    assert right(clear, x, y) == 1


def test_the_same_seed_gives_the_same_bits() -> None:
    x, y = clouds(50, 40, 0.2)
    first, again = fitted(x, y), fitted(x, y)
    assert np.array_equal(first.weight, again.weight)
    assert np.array_equal(first.bias, again.bias)
    assert first.weight.dtype == first.bias.dtype == np.float32


def test_the_scale_of_the_features_does_not_matter() -> None:
    x, y = clouds(60, 20, 0.3)
    first = fitted(x, y).scores(x)
    other = fitted(x * 1000 - 500, y).scores(x * 1000 - 500)
    assert np.allclose(first, other, atol=1e-3)


def test_weights_make_a_rare_class_count() -> None:
    x, y = clouds(400, 10, 0.15, num_classes=2)
    kept = np.flatnonzero((y == 0) | (np.arange(400) % 20 == 1))
    x, y = x[kept], y[kept]
    rare = y == 1
    plain = fitted(x, y).scores(x[rare]).argmax(1).mean()
    evened = fitted(x, y, np.array([len(y) / (~rare).sum(), len(y) / rare.sum()]))
    assert evened.scores(x[rare]).argmax(1).mean() > plain


@pytest.mark.parametrize("each", [1, 2, 3])
def test_a_few_pictures_are_enough(each: int) -> None:
    x, y = clouds(2 * each, 50, 1.0, num_classes=2)
    assert right(fitted(x, y), x, y) == 1


def test_a_class_without_pictures_is_never_named() -> None:
    x, y = clouds(40, 10, 0.5, num_classes=2)
    head = fit(x, y, np.ones(4), 0)
    assert head.weight.shape == (4, 10)
    assert set(head.scores(x).argmax(1)) <= {0, 1}


def test_features_that_say_nothing_give_the_shares_of_the_classes() -> None:
    y = np.array([0, 0, 0, 1])
    scores = fitted(np.ones((4, 3), np.float32), y).scores(np.ones((1, 3), np.float32))[0]
    assert np.exp(scores[0]) / np.exp(scores).sum() == pytest.approx(0.75, abs=1e-3)


def test_many_pictures_choose_the_strength_by_some_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("foveal.training.head.MOST", 60)
    x, y = clouds(240, 80, 0.2)
    head = fitted(x, y)
    mean = x.mean(0)
    scale = np.sqrt(np.square(x - mean).sum(1).mean())
    oracle = LogisticRegression(C=1 / head.strength, max_iter=1000).fit((x - mean) / scale, y)
    assert (oracle.predict((x - mean) / scale) == head.scores(x).argmax(1)).mean() > 0.99
    assert right(head, x, y) > 0.9
