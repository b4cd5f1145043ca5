"""What GoogLeNet and Inception v3 share: a convolution with its norm, and heads aside."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn
from torch.nn import functional

Size = int | tuple[int, int]


class Unit(nn.Module):
    def __init__(
        self, arriving: int, made: int, kernel: Size, stride: int = 1, padding: Size = 0
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(arriving, made, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(made, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)), inplace=True)


class Headed(nn.Sequential):
    """A chain of named parts; each auxiliary head reads behind the part that `reads` names."""

    def __init__(
        self, parts: dict[str, nn.Module], heads: dict[str, nn.Module], reads: dict[str, str]
    ) -> None:
        super().__init__(OrderedDict(**parts, **heads))
        self.reads = {head: reads[head] for head in heads}

    def forward(self, x: Tensor) -> Tensor:
        for name, part in self.named_children():
            if name not in self.reads:
                x = part(x)
        return x

    def results(self, x: Tensor) -> dict[str, Tensor]:
        """The scores of every head, the last one's under `main`."""
        found = {}
        for name, part in self.named_children():
            if name not in self.reads:
                x = part(x)
                behind = [head for head, read in self.reads.items() if read == name]
                found.update({head: self.get_submodule(head)(x) for head in behind})
        return {"main": x, **found}
