"""Learning from a trunk: the head on its features, then the layers before it, then the better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import log
from pathlib import Path

import numpy as np
import pytest

from foveal.data.samples import Content, Samples, Stack
from foveal.engines import build
from foveal.engines.pytorch import machine
from foveal.engines.weights import initial
from foveal.errors import SpecError
from foveal.model.features import Extracted, Extractor
from foveal.net import Net
from foveal.net.notation import parse
from foveal.recipe import Goal, Recipe, Transfer
from foveal.training import (
    Epoch,
    Event,
    Features,
    Finished,
    Fitted,
    Job,
    Started,
    Step,
    can_fit,
    refit,
    transfer,
)
from foveal.training.job import Part
from foveal.training.transfer import _surprises, rates

NET = parse(
    "normalise -> c1: conv 8 3 no bias -> bn1: bn -> relu -> c2: conv 8 3 -> bn2: bn"
    " -> relu -> globalavgpool -> head: dense 3"
)
INPUT = (1, 8, 8)
PROGRAM = NET.bind(INPUT)
TRUNK = {path: array for path, array in initial(PROGRAM, 5).items() if not path.startswith("head.")}
RECIPE = Recipe(
    epochs=2, batch_size=12, optimiser="adamw", learning_rate=0.01, averaging=0.9, flip=True
)
TOO_FAST = replace(RECIPE, optimiser="sgd", learning_rate=0.05)


def bars(count: int, seed: int) -> Part:
    """Pictures of a bright row, a bright column, or both, in noise."""
    random = np.random.default_rng(seed)
    x = random.integers(0, 60, (count, 8, 8, 1), np.uint8)
    y = np.arange(count) % 3
    for picture, label in zip(x, y, strict=True):
        if label != 1:
            picture[random.integers(1, 7), :] += 150
        if label != 0:
            picture[:, random.integers(1, 7)] = 220
    return x, y


TRAIN, VALIDATION = bars(48, 0), bars(24, 1)


def extracted(part: Part, name: str) -> Extracted:
    x, y = part
    content = Content(tuple(map(str, range(len(y)))), y, Stack(x))
    whole = Net.of(*parse("input uint8").root.items, *NET.root.items)
    return Extractor(whole, INPUT, TRUNK).run(Samples(name, ("a", "b", "c"), content), cached=False)


FEATURES = Features(extracted(TRAIN, "train"), extracted(VALIDATION, "validation"))
JOB = Job(
    net=NET,
    input=INPUT,
    train=TRAIN,
    validation=VALIDATION,
    num_classes=3,
    recipe=RECIPE,
    start=TRUNK,
)
FROZEN, THAWED = Transfer(thaw=0), Transfer()


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "num_cores", lambda: 1)


def ends(
    job: Job = JOB, how: Transfer = THAWED, features: Features | None = FEATURES
) -> tuple[Fitted, Finished]:
    events = list(transfer(job, how, features))
    assert isinstance(events[0], Fitted)
    assert isinstance(events[-1], Finished)
    return events[0], events[-1]


def measured(weights: dict[str, np.ndarray], part: Part) -> tuple[float, float]:
    """Loss and share right by another engine."""
    scores = build("reference", PROGRAM, weights).run(part[0].transpose(0, 3, 1, 2).astype(float))[
        ""
    ]
    logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    places = np.arange(len(part[1])), part[1]
    return float(-logs[places].mean()), float((scores.argmax(1) == part[1]).mean())


def test_the_head_comes_first_then_a_training_as_any_other() -> None:
    events = list(transfer(JOB, Transfer(), FEATURES))
    epoch: list[type[Event]] = [*[Step] * 4, Epoch]
    assert [type(event) for event in events] == [Fitted, Started, *epoch * 2, Finished]
    fitted, started = events[:2]
    assert isinstance(fitted, Fitted)
    assert isinstance(started, Started)
    assert (fitted.layer, fitted.features) == ("head", 8)
    assert (fitted.pictures, fitted.reused) == (72, 0)
    assert fitted.feature_seconds > 0
    assert fitted.seconds > 0
    assert started.first_loss < log(3)


def test_the_frozen_stage_is_the_trunk_with_its_head() -> None:
    fitted, finished = ends(JOB, FROZEN)
    for path, array in TRUNK.items():
        assert np.array_equal(finished.weights[path], array)
    assert finished.weights.keys() == PROGRAM.tensors().keys()
    assert (finished.learned, finished.stopped, finished.steps) == ("head", "epochs", 0)
    assert measured(dict(finished.weights), TRAIN)[0] == pytest.approx(fitted.train_loss, rel=1e-4)
    assert fitted.validation_loss is not None
    assert measured(dict(finished.weights), VALIDATION) == (
        pytest.approx(fitted.validation_loss, rel=1e-4),
        fitted.validation_accuracy,
    )
    assert fitted.validation_accuracy is not None
    assert fitted.validation_accuracy > 0.5


def test_the_frozen_stage_says_what_it_ran_on() -> None:
    started = list(transfer(JOB, FROZEN, FEATURES))[1]
    assert isinstance(started, Started)
    assert (started.steps, started.estimate, started.device) == (0, 0.0, "CPU, 1 thread")
    assert started.parameters == sum(
        int(np.prod(t.shape)) for t in PROGRAM.tensors().values() if t.trained
    )


@pytest.mark.parametrize("how", [FROZEN, Transfer(), Transfer(thaw=0.5, statistics="learned")])
def test_the_same_seed_gives_the_same_bits(how: Transfer) -> None:
    first, again = ends(how=how)[1], ends(how=how)[1]
    assert all(np.array_equal(first.weights[path], again.weights[path]) for path in first.weights)
    assert first.learned == again.learned


def test_the_one_with_the_smaller_validation_loss_is_kept() -> None:
    good = replace(JOB, recipe=replace(RECIPE, epochs=12))
    fitted, finished = ends(good)
    assert finished.learned == "net"
    loss = finished.epochs[-1].validation_loss
    assert fitted.validation_loss is not None
    assert loss is not None
    assert loss < fitted.validation_loss
    assert measured(dict(finished.weights), VALIDATION)[0] == pytest.approx(loss, rel=1e-3)

    fitted, finished = ends(replace(JOB, recipe=TOO_FAST))
    assert finished.learned == "head"
    head = ends(how=FROZEN)[1]
    assert all(np.array_equal(finished.weights[p], head.weights[p]) for p in head.weights)


def test_a_net_that_is_only_too_unsure_is_no_worse() -> None:
    """As label smoothing leaves it: its scores are small, but in the right order."""
    scores = np.random.default_rng(0).normal(size=(200, 3)) * 3
    labels = scores.argmax(axis=1)
    labels[:20] = (labels[:20] + 1) % 3
    sure, unsure = _surprises(scores, labels), _surprises(scores / 3, labels)
    assert unsure.mean() == pytest.approx(sure.mean(), rel=0.02)


def test_without_a_validation_part_the_last_weights_are_kept() -> None:
    job = replace(JOB, validation=None, recipe=TOO_FAST)
    fitted, finished = ends(job, features=Features(FEATURES.train))
    assert (fitted.validation_loss, fitted.validation_accuracy) == (None, None)
    assert finished.learned == "net"


@pytest.mark.parametrize(
    ("steps", "learned"), [(1, "head"), (3, "head"), (5, "net")], ids=["head", "first", "second"]
)
def test_an_interruption_keeps_what_is_there(steps: int, learned: str) -> None:
    answers = iter([False] * (steps - 1) + [True])
    job = replace(JOB, stop=lambda: next(answers, True), recipe=replace(RECIPE, epochs=9))
    _, finished = ends(job, features=worse(FEATURES))
    assert (finished.stopped, finished.learned) == ("interrupted", learned)
    assert finished.weights.keys() == PROGRAM.tensors().keys()


def worse(features: Features) -> Features:
    """As if the head fitted badly: its validation pictures have the wrong labels."""
    assert features.validation is not None
    turned = replace(features.validation, labels=(features.validation.labels + 1) % 3)
    return replace(features, validation=turned)


def test_a_goal_the_head_reaches_ends_it() -> None:
    job = replace(JOB, goal=Goal(accuracy=0.4))
    _, finished = ends(job)
    assert (finished.stopped, finished.learned, finished.steps) == ("accuracy", "head", 0)


@pytest.mark.parametrize(("seconds", "stopped"), [(10, None), (100, "within")])
def test_a_time_limit_counts_the_features(seconds: float, stopped: str | None) -> None:
    known = replace(FEATURES.train, seconds=seconds)
    job = replace(JOB, goal=Goal(within=60))
    events = transfer(job, Transfer(), Features(known, FEATURES.validation))
    assert isinstance(next(events), Fitted)
    started = next(events)
    assert isinstance(started, Started)
    assert not started.repeatable
    if stopped is None:
        assert 49 < started.estimate < 50
        events.close()
    else:
        assert [event.stopped for event in events if isinstance(event, Finished)] == [stopped]


def test_thawed_layers_learn_and_the_others_keep_their_bits() -> None:
    job = replace(JOB, validation=None)
    _, finished = ends(job, Transfer(thaw=0.5), Features(FEATURES.train))
    same = {p for p, array in TRUNK.items() if np.array_equal(array, finished.weights[p])}
    statistics = {"bn2.running_mean", "bn2.running_var"}
    assert same == {p for p in TRUNK if p.startswith(("c1", "bn1"))} | statistics


def test_statistics_are_learned_where_asked_for() -> None:
    job = replace(JOB, validation=None)
    _, finished = ends(job, Transfer(statistics="learned"), Features(FEATURES.train))
    assert not any(np.array_equal(array, finished.weights[p]) for p, array in TRUNK.items())


def test_without_features_the_head_learns_by_steps_alone() -> None:
    events = list(transfer(JOB, FROZEN))
    finished = events[-1]
    assert isinstance(events[0], Started)
    assert isinstance(finished, Finished)
    assert finished.learned == "net"
    assert all(np.array_equal(finished.weights[p], array) for p, array in TRUNK.items())


def test_class_weights_reach_the_head() -> None:
    plain = ends(how=FROZEN)[1].weights["head.bias"]
    heavy = ends(replace(JOB, class_weights=(9.0, 1.0, 1.0)), FROZEN)[1].weights["head.bias"]
    assert not np.array_equal(plain, heavy)


def test_refit_is_the_same_with_more_pictures() -> None:
    events = list(refit(JOB, Transfer(), FEATURES, "net"))
    fitted = next(event for event in events if isinstance(event, Fitted))
    assert (fitted.pictures, fitted.validation_loss) == (72, None)
    x, y = (np.concatenate(pair) for pair in zip(TRAIN, VALIDATION, strict=True))
    alone = list(
        transfer(replace(JOB, train=(x, y), validation=None), Transfer(), FEATURES.together())
    )
    for path, array in alone[-1].weights.items():
        assert np.array_equal(array, events[-1].weights[path])
    assert events[-1].learned == "net"


def test_refit_of_the_last_layer_alone_takes_no_steps() -> None:
    *_, finished = refit(JOB, Transfer(), FEATURES, "head")
    assert isinstance(finished, Finished)
    assert (finished.steps, finished.learned) == (0, "head")
    for path, array in TRUNK.items():
        assert np.array_equal(array, finished.weights[path])


def test_refit_needs_pictures_that_were_kept_aside() -> None:
    with pytest.raises(SpecError) as refused:
        next(refit(replace(JOB, validation=None), Transfer(), FEATURES, "net"))
    assert str(refused.value) == "refit: has no validation part to learn from"


def test_rates_fall_by_the_same_factor_from_layer_to_layer() -> None:
    made = rates(PROGRAM, Transfer(falling=0.0001))
    assert list(made) == ["bn2", "c2", "bn1", "c1"]
    assert np.allclose(list(made.values()), [0.1, 0.01, 0.001, 0.0001])
    assert list(rates(PROGRAM, Transfer(thaw=0.25, falling=1.0)).values()) == [1, 0, 0, 0]
    assert set(rates(PROGRAM, FROZEN).values()) == {0.0}


def test_rates_of_the_job_go_before() -> None:
    job = replace(JOB, rates={"bn2": 0.0}, validation=None)
    finished = ends(job, Transfer(), Features(FEATURES.train))[1]
    assert np.array_equal(finished.weights["bn2.weight"], TRUNK["bn2.weight"])
    assert not np.array_equal(finished.weights["c1.weight"], TRUNK["c1.weight"])


@pytest.mark.parametrize(
    ("text", "can"),
    [
        ("conv 4 3 -> globalavgpool -> dense 3", True),
        ("conv 4 3 -> globalavgpool -> dense 3 no bias", False),
        ("conv 4 3 -> globalavgpool -> dense 3 -> relu", False),
        ("conv 4 3 -> globalavgpool -> dense 3 frozen", False),
        ("conv 3 3 -> globalavgpool", False),
        ("flatten -> add( dense 3 | dense 3 )", False),
    ],
)
def test_a_head_is_fitted_only_where_it_is_a_plain_dense_layer(text: str, can: bool) -> None:
    assert can_fit(parse(text).bind(INPUT)) is can


def test_features_of_another_layer_are_refused() -> None:
    wide = replace(FEATURES.train, values=np.ones((48, 9), np.float32))
    with pytest.raises(SpecError) as error:
        list(transfer(JOB, FROZEN, Features(wide)))
    assert str(error.value) == (
        "start 'head.weight': has another shape than its step\n"
        "  arrives:  3x9\n"
        "  expected: 3x8\n"
        "  fix:      weights of the same net, or none for this step"
    )


def test_an_interrupted_thawing_resumes_with_the_same_bits(tmp_path: Path) -> None:
    whole = ends()[1]
    job = replace(JOB, checkpoint=tmp_path)
    answers = iter([False] * 5 + [True])
    stop: Callable[[], bool] = lambda: next(answers, True)  # noqa: E731
    part = ends(replace(job, stop=stop))[1]
    assert part.stopped == "interrupted"
    again = ends(replace(job, resume=True))[1]
    assert all(np.array_equal(whole.weights[p], again.weights[p]) for p in whole.weights)
