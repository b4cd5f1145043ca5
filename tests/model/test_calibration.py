"""Temperatures: found where known, held back where little is known, folded into weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.models import CLASSES, light_or_dark, shade

from foveal.data import Loaded
from foveal.model import Model, load
from foveal.model.calibration import HOTTEST, scores, temperature
from foveal.net.notation import parse

NAMES = ("a", "b", "c")


def drawn(count: int, hot: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and labels that come true as the scores divided by `hot` say."""
    random = np.random.default_rng(seed)
    scores = random.normal(0, 3, (count, 3))
    cooled = np.exp(scores / hot)
    shares = (cooled / cooled.sum(axis=1, keepdims=True)).cumsum(axis=1)
    return scores, (random.random((count, 1)) > shares).sum(axis=1)


def loss(scores: np.ndarray, labels: np.ndarray) -> float:
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-np.take_along_axis(logs, labels[:, None], axis=1).mean())


@pytest.mark.parametrize("hot", [0.5, 1.0, 2.0, 4.0])
def test_a_known_temperature_is_found_again(hot: float) -> None:
    assert temperature(*drawn(5_000, hot)) == pytest.approx(hot, rel=0.08)


@pytest.mark.parametrize("hot", [0.5, 2.0])
def test_no_other_temperature_fits_many_pictures_better(hot: float) -> None:
    scores, labels = drawn(3_000, hot)
    found = temperature(scores, labels)
    for other in (0.9, 0.97, 1.03, 1.1):
        assert loss(scores / found, labels) < loss(scores / (found * other), labels)


def test_few_pictures_and_all_right_say_little() -> None:
    assert temperature(np.empty((0, 3)), np.empty(0, int)) == 1
    right = np.array([[3.0, 0.0, 0.0]])
    found = [temperature(np.repeat(right, n, axis=0), np.zeros(n, int)) for n in (1, 10, 1000)]
    assert 1 > found[0] > found[1] > found[2] > 1 / HOTTEST
    assert found[0] > 0.7


@given(st.integers(0, 2**31), st.integers(0, 12), st.floats(-300, 300))
def test_whatever_arrives_it_is_bounded(seed: int, count: int, size: float) -> None:
    random = np.random.default_rng(seed)
    found = temperature(random.normal(0, 1, (count, 4)) * size, random.integers(0, 4, count))
    assert 1 / (HOTTEST * 1.2) < found < HOTTEST * 1.2


def pictures(count: int = 60, channels: int = 1) -> Loaded:
    """Pictures of all levels, labelled at random: whatever is sure of them is too sure."""
    random = np.random.default_rng(3)
    levels = random.integers(0, 256, count)
    array = np.stack([shade(int(level), seed=i) for i, level in enumerate(levels)])[..., None]
    labels = random.integers(0, 2, count)
    return Loaded(array.repeat(channels, -1), labels, tuple(map(str, range(count))))


HEADS = [
    "flatten -> dense 2",
    "flatten -> dense 2 no bias -> dropout -> identity",
    "conv 2 3 -> globalavgpool",
    "conv 2 8 -> flatten",
    "conv 2 3 -> avgpool 6 -> flatten -> gain 3",
    "flatten -> dense 2 weight weight_norm",
    "flatten -> dense 2 -> bn",
    "flatten -> dense 2 -> scale 2 bias",
]
GAINED = [
    "flatten -> dense 2 -> relu",
    "flatten -> dense 2 weight unit_sum no bias",
    "flatten -> dense 2 -> bn no affine",
    "flatten -> dense 2 frozen",
    "flatten -> x: dense 64 -> dense 64 -> again x -> dense 2 -> tanh",
    "flatten -> dense 4 -> rbf 2",
    "flatten -> dense 2 -> d: dense 2 -> again d",
]


def fresh(head: str, gain: float = 1.0) -> Model:
    net = parse(f"input uint8 -> normalise -> {head} -> gain {gain} -> softmax")
    model, random = Model.fresh(net, (1, 8, 8), CLASSES), np.random.default_rng(0)
    shifted = {
        path: array + random.uniform(0, 0.1, array.shape).astype(np.float32)
        for path, array in model.weights.items()
    }
    return replace(model, weights=shifted)  # for biases begin with 0


@pytest.mark.parametrize("head", HEADS)
def test_the_last_layer_takes_the_temperature_up(head: str) -> None:
    model, shown = fresh(head, 30), pictures()
    cooled = model.calibrated(shown)
    hot = cooled.about["temperature"]
    assert hot > 1.05
    assert cooled.net == model.net
    before, after = scores(model, shown.pictures), scores(cooled, shown.pictures)
    assert np.abs(after * hot - before).max() < 1e-4 * np.abs(before).max()
    changed = {path for path in model.weights if cooled.weights[path] is not model.weights[path]}
    assert 1 <= len(changed) <= 2
    assert all(cooled.weights[path].dtype == np.float32 for path in changed)


@pytest.mark.parametrize("head", GAINED)
def test_else_a_gain_before_the_softmax_does(head: str) -> None:
    model, shown = fresh(head, 30), pictures()
    cooled = model.calibrated(shown)
    hot = cooled.about["temperature"]
    assert hot != 1
    assert len(cooled.program.steps) == len(model.program.steps) + 1
    assert cooled.program.steps[-2].kind.word == "gain"
    assert dict(cooled.weights) == dict(model.weights)
    before, after = scores(model, shown.pictures), scores(cooled, shown.pictures)
    assert np.abs(after * hot - before).max() < 1e-4 * np.abs(before).max()


def test_a_softmax_in_a_group_after_what_takes_nothing_up_is_left() -> None:
    net = parse("input uint8 -> normalise -> flatten -> x: [dense 2 -> tanh -> softmax]")
    model = Model.fresh(net, (1, 8, 8), CLASSES)
    assert model.calibrated(pictures()) is model


def test_no_answer_changes_and_its_loss_does_not_grow() -> None:
    model, shown = light_or_dark(), pictures()
    cooled = model.calibrated(shown)
    before = model.measure(shown, CLASSES, "validation")
    after = cooled.measure(shown, CLASSES, "validation")
    assert (after.accuracy, after.confusion) == (before.accuracy, before.confusion)
    assert after.loss < before.loss - 0.1
    assert after.calibration_error < before.calibration_error - 0.1


def test_the_temperature_is_kept_with_the_model(tmp_path: Path) -> None:
    model, shown = replace(light_or_dark(), about={"recipe": {"seed": 7}}), pictures()
    once = model.calibrated(shown)
    twice = once.calibrated(shown)
    assert once.about["recipe"] == {"seed": 7}
    assert twice.about["temperature"] > once.about["temperature"]
    ratio = model.weights["scores.weight"] / twice.weights["scores.weight"]
    assert ratio == pytest.approx(twice.about["temperature"], rel=1e-4)
    twice.save(tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors")
    assert again.about["temperature"] == json.loads(json.dumps(twice.about["temperature"]))
    assert again.predict(shown.pictures[0]) == twice.predict(shown.pictures[0])


def test_without_pictures_nothing_changes() -> None:
    model = light_or_dark()
    none = Loaded(np.empty((0, 8, 8, 1), np.uint8), np.empty(0, np.int64), ())
    cooled = model.calibrated(none)
    assert cooled.about["temperature"] == 1
    assert all(cooled.weights[path] is array for path, array in model.weights.items())
