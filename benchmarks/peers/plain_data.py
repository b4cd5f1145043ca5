"""Pictures as PyTorch's examples read them: one at a time, by transforms in Python.

Foveal does without torchvision, so what its transforms do stands here, step by step.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import Dataset

Transform = Callable[[Image.Image], Tensor]


def to_tensor(picture: Image.Image) -> Tensor:
    """Levels from 0 to 1, channels first."""
    array = np.array(picture, np.uint8, copy=True)
    tensor = torch.from_numpy(array).view(picture.height, picture.width, len(picture.getbands()))
    return tensor.permute(2, 0, 1).contiguous().to(torch.get_default_dtype()).div(255)


def normalise(tensor: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """By mean and deviation of each channel."""
    around, by = (torch.as_tensor(each, dtype=tensor.dtype)[:, None, None] for each in (mean, std))
    return tensor.clone().sub_(around).div_(by)


def mnist(picture: Image.Image) -> Tensor:
    """pytorch/examples/mnist: ToTensor, Normalize."""
    return normalise(to_tensor(picture), (0.1307,), (0.3081,))


def cifar(picture: Image.Image) -> Tensor:
    """RandomCrop(32, padding=4), RandomHorizontalFlip, ToTensor, Normalize."""
    padded = ImageOps.expand(picture, border=4, fill=0)
    top, left = random.randint(0, 8), random.randint(0, 8)
    cropped = _flip(padded.crop((left, top, left + 32, top + 32)))
    return normalise(to_tensor(cropped), (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))


def imagenet(picture: Image.Image) -> Tensor:
    """pytorch/examples/imagenet: RandomResizedCrop(224), flip, ToTensor, Normalize."""
    left, top, width, height = _window(*picture.size)
    box = (left, top, left + width, top + height)
    resized = picture.crop(box).resize((224, 224), Image.Resampling.BILINEAR)
    return normalise(to_tensor(_flip(resized)), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def _flip(picture: Image.Image) -> Image.Image:
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if random.random() < 0.5 else picture


def _window(width: int, height: int) -> tuple[int, int, int, int]:
    """Of 8 to 100 % of the area and sides of 3:4 to 4:3, in ten attempts; else the middle."""
    for _ in range(10):
        area = width * height * random.uniform(0.08, 1)
        ratio = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            return random.randint(0, width - w), random.randint(0, height - h), w, h
    side = min(width, height)
    return (width - side) // 2, (height - side) // 2, side, side


TRANSFORMS: dict[str, Transform] = {
    "lenet5": mnist,
    "keras_mnist": mnist,
    "resnet18_32": cifar,
    "resnet18_224": imagenet,
}


class Arrays(Dataset[tuple[Tensor, int]]):
    """Bytes in memory; a PIL picture of each, as torchvision's MNIST and CIFAR10 make one."""

    def __init__(self, path: Path, transform: Transform) -> None:
        with np.load(path) as arrays:
            self.x, self.y = arrays["x"].squeeze(), arrays["y"]
        self.transform = transform

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.x[index])), int(self.y[index])


class Files(Dataset[tuple[Tensor, int]]):
    """Files in a folder for each class, as torchvision's ImageFolder reads them."""

    def __init__(self, folder: Path, transform: Transform) -> None:
        classes = sorted(path for path in folder.iterdir() if path.is_dir())
        self.samples = [
            (path, label) for label, each in enumerate(classes) for path in sorted(each.iterdir())
        ]
        self.transform = transform

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        path, label = self.samples[index]
        with path.open("rb") as file:
            picture = Image.open(file).convert("RGB")
        return self.transform(picture), label


def dataset(case: str, place: Path) -> Dataset[tuple[Tensor, int]]:
    """The training pictures of a case: an .npz file, or a folder with train/."""
    transform = TRANSFORMS[case]
    return Arrays(place, transform) if place.is_file() else Files(place / "train", transform)
