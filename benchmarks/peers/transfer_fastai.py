"""Fine-tune a trunk with fastai: what transfer_flowers.py compares with. Needs fastai.

Pictures, trunk, number of pixels and seconds are the same; everything else is as fastai
recommends: its augmentation, its learning-rate finder's default, `fine_tune`. The trunk is the
PyTorch module of Foveal, which is read from its source, so that both compute the same function.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
from fastai.vision.all import (
    CategoryBlock,
    CrossEntropyLossFlat,
    DataBlock,
    ImageBlock,
    Learner,
    RandomSplitter,
    Resize,
    accuracy,
    aug_transforms,
    get_image_files,
    parent_label,
    set_seed,
)
from torch import nn

from foveal.engines import pytorch
from foveal.engines.weights import initial
from foveal.model import pretrained

SIDE = 224


class Trunk(nn.Module):
    """Foveal's net on fastai's pictures, which have levels from 0 to 1."""

    def __init__(self, weights: Path, num_classes: int, seed: int) -> None:
        super().__init__()
        found = pretrained.read(weights)
        net, known = found.with_head(num_classes)
        program = net.bind((3, SIDE, SIDE))
        self.net = pytorch.module(program, {**initial(program, seed), **known})
        self.register_buffer("mean", torch.tensor(found.normalise.mean).reshape(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(found.normalise.std).reshape(1, -1, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net((x * 255 - self.mean) / self.std)[""]


def halves(model: Trunk) -> list[list[nn.Parameter]]:
    """The trunk, and the last layer, for fastai's two rates."""
    *trunk, weight, bias = model.parameters()
    return [trunk, [weight, bias]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("learned", type=Path)
    parser.add_argument("asked", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--within", type=float, required=True)
    given = parser.parse_args()
    set_seed(given.seed, reproducible=True)
    began = time.perf_counter()
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_items=get_image_files,
        splitter=RandomSplitter(0.2, seed=given.seed),
        get_y=parent_label,
        item_tfms=Resize(SIDE),
        batch_tfms=aug_transforms(),
    )
    loaders = block.dataloaders(given.learned, bs=16, num_workers=0)
    model = Trunk(given.weights, len(loaders.vocab), given.seed)
    learner = Learner(
        loaders, model, loss_func=CrossEntropyLossFlat(), metrics=accuracy, splitter=halves
    )
    with learner.no_bar(), learner.no_logging():
        first = time.perf_counter()
        learner.freeze()
        learner.fit_one_cycle(1)
        epoch = 2 * (time.perf_counter() - first)  # thawed it takes about twice as long
        left = given.within - (time.perf_counter() - began)
        epochs = max(1, int(left / epoch))
        learner.fine_tune(epochs, freeze_epochs=0)
        seconds = time.perf_counter() - began
        asked = loaders.test_dl(get_image_files(given.asked), with_labels=True)
        _, right = learner.validate(dl=asked)
    print(json.dumps({"accuracy": float(right), "seconds": seconds, "epochs": epochs + 1}))


if __name__ == "__main__":
    main()
