"""A case of peers.py in fastai: its Learner; files by its own loaders, bytes by a DataLoader."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from cases import CASES
from fastai import __version__
from fastai.vision.all import (
    Callback,
    CancelValidException,
    CrossEntropyLossFlat,
    DataLoaders,
    ImageDataLoaders,
    Learner,
    Normalize,
    RandomResizedCrop,
    imagenet_stats,
    set_seed,
)
from plain_data import dataset
from plain_nets import NETS
from rounds import serve


class NoValidation(Callback):
    """The others do not measure after a round either."""

    def before_validate(self) -> None:
        raise CancelValidException


def loaders(case: str, place: Path) -> DataLoaders:
    size = {"bs": CASES[case].batch_size, "num_workers": 2}
    if not CASES[case].files:
        both = dataset(case, place)
        return DataLoaders.from_dsets(both, both, **size)
    return ImageDataLoaders.from_folder(
        place,
        train="train",
        valid="val",
        item_tfms=RandomResizedCrop(CASES[case].shape[1]),
        batch_tfms=Normalize.from_stats(*imagenet_stats),
        **size,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("place", type=Path)
    asked = parser.parse_args()
    set_seed(0)
    loaded, net = loaders(asked.case, asked.place), NETS[asked.case]()
    learner = Learner(loaded, net, loss_func=CrossEntropyLossFlat(), cbs=[NoValidation()])

    def once() -> tuple[int, float]:
        began = time.perf_counter()
        with learner.no_bar(), learner.no_logging():
            learner.fit(1)
        count = len(loaded.train) * CASES[asked.case].batch_size  # it leaves out a last small batch
        return count, time.perf_counter() - began

    parameters = sum(each.numel() for each in net.parameters())
    serve({"parameters": parameters, "fastai": __version__, "precision": "float32"}, once)


if __name__ == "__main__":
    main()
