"""What acts in training only, in PyTorch."""

from __future__ import annotations

import torch
from torch import Tensor

from foveal.engines.masks import mask
from foveal.engines.pytorch.layer import Chance, Rows
from foveal.net.layers import Dropout, DropPath


class Forgetting(Chance[Dropout]):
    def forward(self, x: Tensor) -> Tensor:
        several = 2 if self.kind.spatial else x.dim()
        return _dropped(self, x, several) if self.training else x


class Bypassing(Chance[DropPath]):
    def forward(self, x: Tensor) -> Tensor:
        return _dropped(self, x, 1) if self.training else x


def _dropped(layer: Chance[Dropout] | Chance[DropPath], x: Tensor, several: int) -> Tensor:
    """x with what is dropped at zero; so many of its first axes are drawn for one by one."""
    shape = (*x.shape[:several], *(1 for _ in x.shape[several:]))
    kept = mask(layer.seed, layer.step, layer.path, shape, layer.kind.p)
    return x * torch.from_numpy(kept).to(x.device) / (1 - layer.kind.p)


ROWS: Rows = {Dropout: Forgetting, DropPath: Bypassing}
