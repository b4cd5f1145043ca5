"""What peers.py has learned: the same net, pictures and batches for all."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """A net and its pictures."""

    net: str
    """As `foveal train --net` takes it."""
    shape: tuple[int, int, int]
    """Of a picture, channels first."""
    batch_size: int
    """That of the published example; where a processor would take minutes a step, a fewer."""
    pictures: int
    """Of a round: some seconds of plain PyTorch."""
    files: bool = False
    """Whether they are JPEG files; else bytes in memory."""


CASES = {
    "lenet5": Case("lenet5", (1, 32, 32), 64, 6_400),
    "keras_mnist": Case(
        "conv 32 3 -> relu -> maxpool 2 -> conv 64 3 -> relu -> maxpool 2 -> flatten"
        " -> dropout 0.5 -> dense 10",
        (1, 28, 28),
        128,
        2_560,
    ),
    "resnet18_32": Case("resnet18", (3, 32, 32), 128, 256),
    "resnet18_224": Case("resnet18", (3, 224, 224), 32, 64, files=True),
}
NUM_CLASSES = 10
