"""Augmentation: changes that keep what a picture is, and none where none is asked for."""

from __future__ import annotations

import pytest
import torch

from foveal.recipe import Recipe
from foveal.training import augment as changes
from foveal.training.augment import augment
from foveal.training.randomness import generator

ALL = (
    Recipe(shift=2),
    Recipe(affine=0.2),
    Recipe(affine=0.2, shift=2),
    Recipe(cutout=4),
    Recipe(affine=0.1, shift=1, cutout=3),
)


def pictures(count: int = 16, channels: int = 3) -> torch.Tensor:
    source = generator(0, "test")
    x = torch.randint(0, 256, (count, 9, 12, channels), generator=source, dtype=torch.uint8)
    return x.permute(0, 3, 1, 2).float()


def test_nothing_asked_for_changes_nothing() -> None:
    x = pictures()
    assert augment(x, Recipe(), generator(0)) is x


def test_each_change_is_the_identity_at_zero() -> None:
    x = pictures()
    assert torch.equal(changes.shift(x, 0, generator(0)), x)
    assert torch.equal(changes.cutout(x, 0, generator(0)), x)
    assert torch.allclose(changes.affine(x, 0.0, 0, generator(0)), x, atol=1e-2)


@pytest.mark.parametrize("recipe", ALL)
@pytest.mark.parametrize("channels", [1, 3])
def test_shape_type_and_range_are_kept(recipe: Recipe, channels: int) -> None:
    x = pictures(channels=channels)
    y = augment(x, recipe, generator(1))
    assert y.shape == x.shape
    assert y.dtype == x.dtype
    assert y.min() >= 0
    assert y.max() <= 255
    assert not torch.equal(y, x)


@pytest.mark.parametrize("recipe", ALL)
def test_the_same_source_gives_the_same_pictures(recipe: Recipe) -> None:
    x = pictures()
    assert torch.equal(augment(x, recipe, generator(2)), augment(x, recipe, generator(2)))
    assert not torch.equal(augment(x, recipe, generator(2)), augment(x, recipe, generator(3)))


def test_those_that_are_mirrored_are_mirrored_and_the_others_are_left() -> None:
    x, mirrored = pictures(4), torch.tensor([True, False, False, True])
    y = augment(x, Recipe(flip=True), generator(0), mirrored)
    assert torch.equal(y[mirrored], x[mirrored].flip(3))
    assert torch.equal(y[~mirrored], x[~mirrored])


def test_half_are_mirrored_in_an_epoch_and_the_others_in_the_next() -> None:
    first, second, third = (changes.alternating(400, epoch, generator(0)) for epoch in range(3))
    assert 150 < first.sum() < 250
    assert torch.equal(second, ~first)
    assert torch.equal(third, first)
    assert not torch.equal(changes.alternating(400, 0, generator(1)), first)


def test_shifts_are_whole_pixels_in_all_directions_and_repeat_the_border() -> None:
    x = torch.arange(25.0).reshape(1, 1, 5, 5).expand(300, 1, 5, 5)
    y = changes.shift(x, 1, generator(0))
    rows, columns = torch.arange(5), torch.arange(5)
    wanted = [
        x[0, 0][(rows + down).clamp(0, 4)][:, (columns + right).clamp(0, 4)]
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    ]
    kinds = [[torch.equal(picture[0], one) for one in wanted] for picture in y]
    assert all(sum(kind) == 1 for kind in kinds)
    assert all(any(column) for column in zip(*kinds, strict=True))


def test_an_affine_move_of_whole_pixels_is_a_shift(monkeypatch: pytest.MonkeyPatch) -> None:
    x = pictures(1)
    most = torch.tensor([[0.5], [0.5], [0.5], [1.0], [1.0]])
    monkeypatch.setattr(torch, "rand", lambda *_, **__: most)
    y = changes.affine(x, 0.3, 2, generator(0))
    assert torch.allclose(y[..., :-2, :-2], x[..., 2:, 2:], atol=1e-2)


def test_a_turn_keeps_the_middle_where_it_is() -> None:
    x = torch.zeros(50, 1, 11, 11)
    x[:, :, 5, 5] = 100.0
    y = changes.affine(x, 0.3, 0, generator(0))
    assert torch.allclose(y[:, 0, 5, 5], torch.full((50,), 100.0), atol=1e-3)


def test_cutout_blanks_one_square_to_the_mean() -> None:
    x = pictures(64)
    y = changes.cutout(x, 4, generator(0))
    changed = (y != x).any(1)
    mean = x.mean(dim=(0, 2, 3))
    for picture, where in zip(y, changed, strict=True):
        rows, columns = where.any(1).nonzero().flatten(), where.any(0).nonzero().flatten()
        assert 1 <= len(rows) <= 4
        assert 1 <= len(columns) <= 4
        square = picture[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert torch.allclose(square, mean[:, None, None].expand_as(square))
    assert changed.flatten(1).sum(1).max() == 16
