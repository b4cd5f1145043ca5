"""Learning curves: growing parts, measured on the same pictures, and an honest sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.models import write_shades

import foveal
from foveal.data.split import ranks
from foveal.errors import SpecError
from foveal.model import Model
from foveal.net.notation import parse
from foveal.run.curve import Ahead, Curve, Point, Tried, curve, sizes
from foveal.run.law import Measured, fit

TRUNK = (
    "input uint8 -> resize 8 -> normalise mean 127 std 60 -> conv 6 3 -> relu -> globalavgpool"
    " -> dense 3 -> softmax"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with three shades of grey, and a trunk that knows something else."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOVEAL_CACHE", str(tmp_path / "cache"))
    for name, level, count in (("dark", 100, 15), ("grey", 120, 15), ("light", 140, 10)):
        write_shades(Path("photos", name), level, count, seed=level)
    Model.fresh(parse(TRUNK), (1, 8, 8), ("a", "b", "c"), seed=1).save(Path("trunk.safetensors"))
    return tmp_path


@pytest.fixture
def head(here: Path) -> Curve:
    return curve("photos", pretrained="trunk.safetensors", repeats=3)


def test_sizes_grow_to_all_pictures(head: Curve) -> None:
    assert [(point.each, point.pictures) for point in head.points] == [
        (2, 6),
        (5, 15),
        (12, 32),
    ]


@pytest.mark.parametrize(
    ("most", "tried"),
    [
        (1, (1,)),
        (2, (2,)),
        (12, (2, 5, 12)),
        (13, (2, 5, 10, 13)),
        (300, (2, 5, 10, 20, 40, 80, 160, 300)),
    ],
)
def test_sizes_double_and_end_with_all(most: int, tried: tuple[int, ...]) -> None:
    assert sizes(most) == tried


def test_all_are_measured_on_the_same_pictures(head: Curve) -> None:
    assert (head.part, head.n) == ("validation", 8)
    assert all(
        accuracy * 8 == pytest.approx(round(accuracy * 8))
        for point in head.points
        for accuracy in point.accuracies
    )


def test_a_pretrained_net_learns_its_last_layer_only(head: Curve) -> None:
    assert (head.learns, head.begins) == ("head", "trunk")


def test_all_pictures_are_repeated_only_where_luck_matters(head: Curve) -> None:
    assert [len(point.accuracies) for point in head.points] == [3, 3, 1]
    assert head.points[-1].over_repeats is None


def test_accuracies_are_those_of_the_last_layer_on_features(head: Curve) -> None:
    """The shades are far apart: two pictures of each are enough."""
    assert [point.accuracy for point in head.points] == [1, 1, 1]


def test_the_same_seed_gives_the_same_curve(head: Curve) -> None:
    again = curve("photos", pretrained="trunk.safetensors", repeats=3)
    assert [p.accuracies for p in again.points] == [p.accuracies for p in head.points]


def test_nothing_is_left_behind(head: Curve, here: Path) -> None:
    assert sorted(path.name for path in here.iterdir()) == ["cache", "photos", "trunk.safetensors"]


def test_without_a_pretrained_net_every_training_is_a_real_one(here: Path) -> None:
    seen: list[Ahead | Tried] = []
    found = curve(
        "photos",
        net="conv 2 3 -> relu -> globalavgpool -> dense 3",
        repeats=2,
        epochs=1,
        batch_size=8,
        watch=seen.append,
    )
    assert (found.learns, found.begins) == ("net", "net")
    assert [len(point.accuracies) for point in found.points] == [2, 2, 2]
    ahead, *tried = seen
    assert isinstance(ahead, Ahead)
    assert (ahead.sizes, ahead.repeats) == ((2, 5, 12), 2)
    assert ahead.seconds is not None
    assert all(isinstance(event, Tried) for event in tried)
    assert [event.each for event in tried if isinstance(event, Tried)] == [12, 5, 2] * 2
    assert isinstance(tried[-1], Tried)
    assert tried[-1].progress == pytest.approx(1)
    assert sorted(path.name for path in here.iterdir()) == ["cache", "photos", "trunk.safetensors"]


def test_the_test_part_measures_where_there_is_one(here: Path) -> None:
    random = np.random.default_rng(0)
    x, y = random.integers(0, 256, (40, 8, 8, 1), np.uint8), np.arange(40) % 2
    np.savez("parts.npz", x=x, y=y, x_test=x[:10], y_test=y[:10])
    found = curve("parts.npz", pretrained="trunk.safetensors", repeats=1)
    assert (found.part, found.n) == ("test", 10)


def test_parts_are_nested_and_hold_as_many_of_each_class() -> None:
    labels = np.array([0, 1] * 10 + [1] * 5)
    found = ranks(labels, [str(number) for number in range(25)], seed=4)
    for label in (0, 1):
        assert sorted(found[labels == label]) == list(range((labels == label).sum()))


@pytest.mark.parametrize("repeats", [0, 101, 2.5])
def test_repeats_are_a_whole_number(repeats: object) -> None:
    with pytest.raises(SpecError) as caught:
        curve("photos", repeats=repeats)  # type: ignore[arg-type]
    assert str(caught.value) == f"repeats: must be a whole number from 1 to 100, not {repeats!r}"


def of(means: dict[int, tuple[float, ...]]) -> Curve:
    """A curve that was measured so."""
    points = tuple(Point(each, 2 * each, found, 0.1) for each, found in means.items())
    law = fit([Measured(point.each, point.accuracies) for point in points])
    return Curve("photos", "trunk", "head", "validation", 100, points, law)


def lawful(ceiling: float, gap: float, power: float, spread: float) -> dict[int, tuple[float, ...]]:
    means = {n: ceiling - gap * n**-power for n in (2, 5, 10, 20, 40)}
    return {n: (mean - spread / n**0.5, mean, mean + spread / n**0.5) for n, mean in means.items()}


def test_the_sentence_of_a_curve_that_rises() -> None:
    found = of(lawful(0.95, 0.6, 0.5, 0.02))
    assert found.can_tell
    assert found.says == (
        "Twice as many (80 a class) would bring about 2.9 points (95 % interval 2.1 to 3.4 "
        "points), five times as many (200) about 5.4 (3.9 to 6.6 points), if the curve goes on as "
        "it began."
    )


def test_the_sentence_of_a_curve_that_has_levelled_off() -> None:
    found = of(lawful(0.99, 0.9, 1.6, 0.02))
    assert found.can_tell
    assert found.says == (
        "The curve has levelled off: twice as many pictures would bring about 0.1 points (95 % "
        "interval 0.1 to 0.3 points)."
    )


def test_the_sentence_of_too_few_sizes() -> None:
    found = of({2: (0.5, 0.6), 5: (0.7, 0.7), 8: (0.8, 0.8)})
    assert not found.can_tell
    assert found.says == (
        "What more pictures would bring cannot be said: too few sizes were measured."
    )


def test_the_sentence_of_a_curve_that_is_none() -> None:
    found = of({2: (0.9, 0.91), 5: (0.5, 0.51), 10: (0.9, 0.91), 20: (0.5, 0.51), 40: (0.9,)})
    assert not found.can_tell
    assert found.says == (
        "What more pictures would bring cannot be said: the means lie on no smooth curve (one is "
        "26.5 points beside)."
    )


def test_the_sentence_of_a_curve_that_chance_made() -> None:
    found = of(lawful(0.9, 0.6, 0.3, 1.5))
    assert not found.can_tell
    assert found.says == (
        "What more pictures would bring cannot be said: twice as many, anything from 0.0 to 8.6 "
        "points. More repeats tell more."
    )


def test_the_facade_has_it() -> None:
    assert foveal.curve is curve
