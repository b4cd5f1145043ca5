"""A training that begins with weights: what it takes up, what it leaves alone, how fast it goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from foveal.engines.pytorch import machine
from foveal.engines.weights import initial
from foveal.errors import DataError, FovealError, SpecError
from foveal.net.notation import parse
from foveal.recipe import Recipe
from foveal.training import Finished, Job, checkpoint, train
from foveal.training.learner import Learner
from foveal.training.losses import cross_entropy
from foveal.training.recipes import balanced

NET = parse(
    "normalise -> c1: conv 4 3 no bias -> bn1: bn -> relu -> group: [c2: conv 4 3 -> bn2: bn]"
    " -> relu -> globalavgpool -> head: dense 3"
)
INPUT = (1, 8, 8)
PROGRAM = NET.bind(INPUT)
RECIPE = Recipe(epochs=2, batch_size=16, learning_rate=0.05, averaging=0.9)


def part(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    y = random.integers(0, 3, count)
    x = random.integers(0, 60, (count, 8, 8, 1)) + 80 * y[:, None, None, None]
    return x.astype(np.uint8), y


JOB = Job(
    net=NET,
    input=INPUT,
    train=part(48, 0),
    validation=part(24, 1),
    num_classes=3,
    recipe=RECIPE,
    start=initial(PROGRAM, 7),
)


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "num_cores", lambda: 1)


def learned(job: Job) -> dict[str, np.ndarray]:
    last = list(train(job))[-1]
    assert isinstance(last, Finished)
    return dict(last.weights)


def learner_of(job: Job) -> Learner:
    return Learner(job, machine.Machine.find("float32"))


def changed(job: Job) -> set[str]:
    """The paths whose bits are others after a training."""
    after = learned(job)
    begun = {**initial(PROGRAM, job.recipe.seed), **job.start}
    return {path for path, array in begun.items() if not np.array_equal(array, after[path])}


def test_it_begins_with_the_weights_given_and_the_rest_at_random() -> None:
    trunk = {path: array for path, array in JOB.start.items() if not path.startswith("head")}
    begun = learner_of(replace(JOB, start=trunk)).answer()
    fresh = initial(PROGRAM, RECIPE.seed)
    assert begun.keys() == PROGRAM.tensors().keys()
    for path, array in begun.items():
        assert np.array_equal(array, {**fresh, **trunk}[path])
    assert not np.array_equal(begun["c1.weight"], fresh["c1.weight"])


def test_without_more_said_everything_learns() -> None:
    assert changed(JOB) == set(PROGRAM.tensors())


NORM = ("weight", "bias", "running_mean", "running_var")


@pytest.mark.parametrize(
    ("rates", "still"),
    [
        ({"c1": 0.0}, {"c1.weight"}),
        ({"c1": 0, "bn1": 0}, {"c1.weight", *(f"bn1.{name}" for name in NORM)}),
        (
            {"group": 0.0},
            {"group.c2.weight", "group.c2.bias", *(f"group.bn2.{name}" for name in NORM)},
        ),
        ({"group": 0.0, "group.c2": 0.5}, {f"group.bn2.{name}" for name in NORM}),
    ],
)
@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
def test_a_rate_of_nought_keeps_every_bit(
    rates: dict[str, float], still: set[str], optimiser: str
) -> None:
    recipe = replace(RECIPE, optimiser=optimiser, weight_decay=0.1)
    job = replace(JOB, rates=rates, recipe=recipe)
    assert changed(job) == set(PROGRAM.tensors()) - still


def test_the_optimiser_remembers_nothing_of_what_stays() -> None:
    learner = learner_of(replace(JOB, rates={"c1": 0.0, "bn1": 0.0, "group": 0.0}))
    learner.step(0, 1.0)
    held = [p for group in learner.optimiser.param_groups for p in group["params"]]
    assert {tuple(p.shape) for p in held} == {(3, 4), (3,)}
    assert all(p.grad is None for p in learner.module.parameters() if not p.requires_grad)


def test_a_step_is_as_long_as_the_rate_says() -> None:
    """Plain gradient steps: half the rate moves half as far, from the same start."""
    recipe = replace(RECIPE, momentum=0.0, weight_decay=0.0, averaging=0.0, label_smoothing=0.0)
    moved = []
    for share in (1.0, 0.5, 0.25):
        learner = learner_of(replace(JOB, recipe=recipe, rates={"group": share}))
        before = learner.answer()
        learner.step(0, 1.0)
        after = learner.answer()
        moved.append({path: after[path] - before[path] for path in after})
    for path in ("group.c2.weight", "group.bn2.bias"):
        for factor, other in ((0.5, moved[1]), (0.25, moved[2])):
            assert np.allclose(other[path], factor * moved[0][path], rtol=1e-3, atol=1e-7)
    assert np.array_equal(moved[0]["head.weight"], moved[2]["head.weight"])


def test_an_anchor_leaves_a_share_of_the_start_in_the_answer() -> None:
    plain, anchored = learned(JOB), learned(replace(JOB, anchor=0.25))
    for path, start in JOB.start.items():
        wanted = 0.75 * plain[path] + 0.25 * start
        assert np.allclose(anchored[path], wanted, atol=1e-6)


def test_the_longest_path_counts() -> None:
    job = replace(JOB, rates={"group": 0.5, "group.c2": 0.1})
    assert [job.share(path) for path in ("c1", "group.c2", "group.bn2", "head")] == [
        *(1.0, 0.1, 0.5, 1.0)
    ]


def test_kept_statistics_are_used_and_stay() -> None:
    job = replace(JOB, keep_statistics=True)
    still = {path for path in PROGRAM.tensors() if "running" in path}
    assert changed(job) == set(PROGRAM.tensors()) - still
    learner = learner_of(replace(job, recipe=replace(RECIPE, label_smoothing=0.0)))
    x, y = learner.batch(0)
    with torch.no_grad():
        wanted = F.cross_entropy(learner.module.eval()(x)[""], y)
    assert float(learner.step(0, 1.0)) == pytest.approx(float(wanted), rel=1e-5)


def test_a_norm_without_a_rate_keeps_its_statistics_while_others_learn_theirs() -> None:
    still = {f"bn1.{name}" for name in NORM}
    assert changed(replace(JOB, rates={"bn1": 0.0})) == set(PROGRAM.tensors()) - still


def test_whitening_leaves_weights_that_were_brought() -> None:
    net = parse("conv 6 3 init whitening -> relu -> globalavgpool -> dense 3")
    brought = np.random.default_rng(0).normal(size=(6, 1, 3, 3)).astype(np.float32)
    job = replace(JOB, net=net, start={"conv1.weight": brought})
    assert np.array_equal(learner_of(job).answer()["conv1.weight"], brought)
    assert not np.array_equal(learner_of(replace(job, start={})).answer()["conv1.weight"], brought)


def test_class_weights_count_pictures_as_often_as_they_say() -> None:
    scores = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    labels, weights = torch.tensor([0, 0, 0, 1, 1, 2]), torch.tensor([0.5, 1.0, 2.5])
    for smoothing in (0.0, 0.1):
        made = cross_entropy(scores, labels, smoothing, weights)
        logs = scores.log_softmax(1)
        by_hand = [
            weights[y] * -(logs[row] * (smoothing / 3 + (1 - smoothing) * F.one_hot(y, 3))).sum()
            for row, y in enumerate(labels)
        ]
        assert float(made) == pytest.approx(float(sum(by_hand)) / 6, rel=1e-6)


def test_class_weights_leave_the_mean_at_one_and_the_validation_loss_as_it_is() -> None:
    labels = JOB.train[1]
    job = replace(JOB, class_weights=(3.0, 1.0, 7.0))
    learner = learner_of(job)
    assert learner.class_weights is not None
    assert float(learner.class_weights[labels].mean()) == pytest.approx(1.0)
    assert learner.evaluate() == learner_of(JOB).evaluate()
    equal = replace(JOB, class_weights=(2.0, 2.0, 2.0))
    assert float(learner_of(equal).step(0, 1.0)) == pytest.approx(
        float(learner_of(JOB).step(0, 1.0)), rel=1e-6
    )


def test_balanced_weights_make_classes_count_alike() -> None:
    labels = np.array([0] * 90 + [1] * 9 + [3])
    weights = np.array(balanced(labels, 5))
    assert np.allclose(np.bincount(labels, weights[labels], 5), [20, 20, 0, 20, 0])
    assert weights[2] == weights[4] == 1


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"start": {}}, "start"),
        ({"rates": {"c1": 0.5}}, "rates"),
        ({"keep_statistics": True}, "keep_statistics"),
        ({"anchor": 0.5}, "anchor"),
        ({"class_weights": (1.0, 2.0, 1.0)}, "class_weights"),
    ],
)
def test_a_checkpoint_belongs_to_what_it_began_with(
    tmp_path: Path, changes: dict[str, object], names: str
) -> None:
    job = replace(JOB, checkpoint=tmp_path, stop=lambda: True)
    learned(job)
    with pytest.raises(DataError) as error:
        learned(replace(job, resume=True, **changes))
    assert str(error.value) == (
        f"{tmp_path / checkpoint.LATEST}: belongs to a training with another {names}\n"
        "  fix:      resume with what it began with, or start anew in another folder"
    )


def test_a_training_with_rates_resumes_with_the_same_bits(tmp_path: Path) -> None:
    rates = {"c1": 0.0, "bn1": 0.1, "group": 0.3}
    recipe = replace(RECIPE, optimiser="adamw", learning_rate=0.01)
    job = replace(JOB, rates=rates, recipe=recipe, class_weights=(1.0, 2.0, 1.0), anchor=0.3)
    whole = learned(job)
    left = iter([False, False, False, True])
    learned(replace(job, checkpoint=tmp_path, stop=lambda: next(left, True)))
    again = learned(replace(job, checkpoint=tmp_path, resume=True))
    assert all(np.array_equal(whole[path], again[path]) for path in whole)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"start": {"c3.weight": np.zeros(1)}},
            "start 'c3.weight': belongs to no step\n  fix:      did you mean 'c1.weight'?",
        ),
        (
            {"start": {"head.weight": np.zeros((5, 4))}},
            "start 'head.weight': has another shape than its step\n"
            "  arrives:  5x4\n"
            "  expected: 3x4\n"
            "  fix:      weights of the same net, or none for this step",
        ),
        (
            {"rates": {"groups": 0.5}},
            "rates 'groups': is no step with weights, and no group of them\n"
            "  fix:      did you mean 'group.c2'?",
        ),
        ({"rates": {"c1": -1.0}}, "rates 'c1': must be a number from 0, not -1.0"),
        (
            {"rates": {"c1": 0.0, "bn1": 0.0, "group": 0.0, "head": 0.0}},
            "net: has nothing to learn: all of its parameters are frozen, or it has none\n"
            "  fix:      let it end with: dense 3",
        ),
        ({"anchor": 1.0}, "job anchor: must be a number from 0 to below 1, not 1.0"),
        (
            {"class_weights": (1.0, 2.0)},
            "job class_weights: must be as many as classes\n  arrives:  2\n  expected: 3",
        ),
        (
            {"class_weights": (1.0, 0.0, 2.0)},
            "job class_weights: must be a list of numbers above 0 such as 0.5 or 0.4,0.5,0.6, "
            "not (1.0, 0.0, 2.0)",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(
    changes: dict[str, object], text: str
) -> None:
    with pytest.raises(FovealError) as error:
        replace(JOB, **changes)
    assert isinstance(error.value, SpecError)
    assert str(error.value) == text
