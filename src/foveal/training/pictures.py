"""The pictures of a part, a batch at a time, on the device of a training."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from math import prod

import numpy as np
import torch
from torch import Tensor

from foveal.data.spread import Pictures, Spread, spread

SHARE = 0.25
"""Of a GPU's memory: a part that takes no more lies there."""
BLOCK = 1024
"""Pictures brought to a GPU together."""


class Resident:
    """Pictures that lie in the memory of the device."""

    def __init__(self, pictures: Tensor) -> None:
        self.pictures = pictures

    def take(self, chosen: Tensor, soon: Tensor | None = None) -> Tensor:
        """The pictures at these places, (n, H, W, C); `soon` is what will be asked for next."""
        return self.pictures.index_select(0, chosen.to(self.pictures.device))


class Streamed:
    """Pictures that are read or decoded by a thread while the batch before is learned from."""

    def __init__(self, pictures: Spread, device: torch.device) -> None:
        self.pictures, self.device = pictures, device
        self.reader = ThreadPoolExecutor(1)
        self.coming: tuple[Tensor, Future[Tensor]] | None = None

    def take(self, chosen: Tensor, soon: Tensor | None = None) -> Tensor:
        """The pictures at these places, (n, H, W, C); `soon` is what will be asked for next.

        Never more than two batches lie in memory.

        Raises: DataError if a picture cannot be read any more
        """
        coming, self.coming = self.coming, None
        if coming is not None and coming[0].equal(chosen):
            read = coming[1]
        else:
            read = self._begun(chosen)
        made = read.result().to(self.device)
        if soon is not None:
            self.coming = soon, self._begun(soon)
        return made

    def _begun(self, chosen: Tensor) -> Future[Tensor]:
        """Space is made here: what another thread allocates comes from a heap of its own."""
        into = torch.empty((len(chosen), *self.pictures.size), dtype=torch.uint8)
        return self.reader.submit(self._read, chosen, into)

    def _read(self, chosen: Tensor, into: Tensor) -> Tensor:
        self.pictures.read(chosen.numpy(), into.numpy())
        return into


def pictures_on(device: torch.device, pictures: Pictures) -> Resident | Streamed:
    """The pictures of a part, in the device's memory if they are in memory already or are few."""
    if isinstance(pictures, np.ndarray) and not isinstance(pictures, np.memmap):
        held = pictures if pictures.flags.writeable else pictures.copy()
        return Resident(torch.from_numpy(held).to(device))
    if device.type == "cuda":
        memory = torch.cuda.get_device_properties(device).total_memory
        if prod(pictures.shape) <= SHARE * memory:
            there = torch.empty(pictures.shape, dtype=torch.uint8, device=device)
            for start in range(0, len(pictures), BLOCK):
                block = torch.from_numpy(pictures[start : start + BLOCK])
                there[start : start + BLOCK] = block.to(device)
            return Resident(there)
    return Streamed(spread(pictures), device)
