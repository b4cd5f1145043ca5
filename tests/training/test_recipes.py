"""The recipe that is chosen where none is given."""

from __future__ import annotations

import pytest

from foveal.net import Net
from foveal.net.layers import Conv, Dense, Flatten, Tanh
from foveal.recipe import Recipe
from foveal.training.recipes import (
    MANY_PHOTOS,
    MARKS,
    PHOTOS,
    TRUNKS,
    choose,
    choose_transfer,
    plain,
)
from foveal.zoo.airbench import airbench94
from foveal.zoo.lenet import lenet5
from foveal.zoo.quick import quick
from foveal.zoo.resnet import resnet
from foveal.zoo.vgg import vgg

SMALL = (3, 64, 64)

PLAIN = Net.of(Conv(6, 5), Tanh(), Flatten(), Dense(10))


def test_few_pictures_are_seen_more_often() -> None:
    for shape in ((1, 28, 28), (3, 64, 64)):
        net = quick(shape, 10)
        epochs = [choose(count, shape, net).epochs for count in (50, 200, 2_000, 10_000, 60_000)]
        assert epochs == sorted(epochs, reverse=True)
        assert choose(10**9, shape, net).epochs == epochs[-1]


def test_only_pictures_in_colour_are_mirrored() -> None:
    assert choose(1_000, (3, 64, 64), quick((3, 64, 64), 5)).flip
    assert not choose(1_000, (1, 64, 64), quick((1, 64, 64), 5)).flip
    assert not choose(1_000, (1, 28, 28), quick((1, 28, 28), 5)).flip


def test_digits_are_not_blanked() -> None:
    assert choose(60_000, (1, 28, 28), quick((1, 28, 28), 10)).cutout == 0
    assert choose(60_000, (3, 64, 64), quick((3, 64, 64), 10)).cutout == 16


def test_small_pictures_in_colour_are_moved_and_mirrored_only() -> None:
    made = choose(5_000, (3, 32, 32), quick((3, 32, 32), 10))
    assert (made.shift, made.flip, made.affine, made.cutout) == (2, True, 0.0, 0)
    assert choose(5_000, (1, 32, 32), quick((1, 32, 32), 10)).affine > 0


def test_muon_learns_what_it_does_not_mostly_work_for_itself() -> None:
    for net, shape, optimiser in (
        (PLAIN, (1, 28, 28), "muon"),
        (quick((1, 28, 28), 10), (1, 28, 28), "muon"),
        (resnet(SMALL, 5, layers=18), SMALL, "adamw"),
        (vgg(SMALL, 5), SMALL, "adamw"),
    ):
        assert choose(1_000, shape, net).optimiser == optimiser
    assert choose(1_000, (1, 32, 32), lenet5((1, 32, 32), 10)).optimiser == "muon"
    with_norms, without = (choose(1_000, SMALL, net) for net in (resnet(SMALL, 5), vgg(SMALL, 5)))
    assert without.learning_rate < with_norms.learning_rate


def test_many_small_pictures_come_in_large_batches_where_patches_are_whitened() -> None:
    shape = (3, 32, 32)
    made = choose(50_000, shape, airbench94(shape, 10))
    assert (made.epochs, made.batch_size) == (MANY_PHOTOS.epochs, MANY_PHOTOS.batch_size)
    assert choose(50_000, shape, resnet(shape, 10)).batch_size == PHOTOS[-1].batch_size
    assert choose(5_000, shape, airbench94(shape, 10)).epochs == PHOTOS[-2].epochs


@pytest.mark.parametrize("table", [MARKS, PHOTOS, TRUNKS])
def test_tables_are_in_order_and_end_open(table: tuple) -> None:  # type: ignore[type-arg]
    counts = [row.num_pictures for row in table]
    assert counts == sorted(counts)
    assert counts[-1] == float("inf")


def test_a_trunk_is_thawed_for_fewer_epochs_and_more_slowly_than_from_scratch() -> None:
    shape = (3, 160, 160)
    for count in (50, 160, 2_000, 8_000):
        thawed, fresh = choose_transfer(count, shape), choose(count, shape, quick(shape, 5))
        assert thawed.epochs < fresh.epochs
        assert thawed.learning_rate < fresh.learning_rate
    assert choose_transfer(160, shape).flip
    assert not choose_transfer(160, (1, 160, 160)).flip


@pytest.mark.parametrize("has_trunk", [True, False])
def test_plain_is_textbook_sgd(has_trunk: bool) -> None:
    shape = (3, 64, 64)
    net = quick(shape, 5)
    usual = choose(500, shape, net)
    made = plain(usual, shape, net, has_trunk=has_trunk)
    assert made == Recipe(
        epochs=3 * usual.epochs,
        batch_size=usual.batch_size,
        learning_rate=0.005 if has_trunk else 0.05,
        label_smoothing=0.0,
        schedule="linear",
        shift=usual.shift,
        flip=True,
    )
    assert (made.optimiser, made.averaging, made.affine, made.cutout, made.views) == (
        "sgd",
        0.0,
        0.0,
        0,
        "one",
    )


def test_a_net_without_norms_learns_more_slowly() -> None:
    shape = (1, 28, 28)
    assert plain(choose(500, shape, PLAIN), shape, PLAIN, has_trunk=False).learning_rate == 0.01
