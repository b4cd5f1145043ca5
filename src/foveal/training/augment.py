"""Random changes to the pictures of a batch that leave what they show."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from foveal.recipe import Recipe


def augment(
    x: Tensor, recipe: Recipe, generator: torch.Generator, mirrored: Tensor | None = None
) -> Tensor:
    """Move, turn and blank each picture of a batch at random, as the recipe says.

    Use it on training batches only. Those `mirrored` says are mirrored first. What enters at a
    border repeats it; levels stay within those of the picture. With nothing asked for, the batch
    itself comes back.

    Shape:   (N, C, H, W), mirrored (N,) bool -> the same as x, with the same dtype
    """
    if mirrored is not None:
        x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
    if recipe.affine:
        x = affine(x, recipe.affine, recipe.shift, generator)
    elif recipe.shift:
        x = shift(x, recipe.shift, generator)
    if recipe.cutout:
        x = cutout(x, recipe.cutout, generator)
    return x


def alternating(count: int, epoch: int, generator: torch.Generator) -> Tensor:
    """Which of so many pictures are mirrored in an epoch: each in every other one.

    Use it with the same source in every epoch. In two epochs in a row a net then sees both sides
    of every picture, which a coin for each would show of one picture in two.

    Shape:   -> (count,) bool
    Source:  Jordan 2024, arXiv:2404.00498, section 3.6 (alternating flip)
    """
    return (torch.rand(count, generator=generator) < 0.5) ^ bool(epoch % 2)


def shift(x: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Move each picture by up to so many whole pixels along both axes."""
    moves = torch.randint(-most, most + 1, (2, len(x), 1), generator=generator).to(x.device)
    rows, columns = (
        (torch.arange(size, device=x.device) + move).clamp(0, size - 1)
        for size, move in zip(x.shape[2:], moves, strict=True)
    )
    picture = torch.arange(len(x), device=x.device)[:, None, None]
    moved = x.permute(0, 2, 3, 1)[picture, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def affine(x: Tensor, most: float, shift: int, generator: torch.Generator) -> Tensor:
    """Turn, scale, shear and move each picture, and read it between its pixels.

    The angle in radians, the logarithm of the scale and the shear are even within ±most, the
    move within ±shift pixels; bilinear reading.
    """
    even = torch.rand(5, len(x), generator=generator) * 2 - 1
    angle, scale, shear = even[0] * most, (even[1] * most).exp(), even[2] * most
    sine, cosine = angle.sin() * scale, angle.cos() * scale
    down, right = (2 * shift * even[3 + axis] / size for axis, size in enumerate(x.shape[2:]))
    rows = (cosine, cosine * shear - sine, right, sine, sine * shear + cosine, down)
    maps = torch.stack(rows, dim=1).reshape(-1, 2, 3).to(x.device, x.dtype)
    grid = F.affine_grid(maps, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def cutout(x: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Blank a square anywhere in each picture, partly outside too, to the mean of the batch.

    Source:  DeVries & Taylor 2017, arXiv:1708.04552
    """
    inside = []
    for axis in (2, 3):
        centre = torch.randint(0, x.shape[axis], (len(x), 1), generator=generator).to(x.device)
        offset = torch.arange(x.shape[axis], device=x.device) - centre + size // 2
        inside.append((offset >= 0) & (offset < size))
    blank = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return torch.where(blank, x.mean(dim=(0, 2, 3), keepdim=True), x)
