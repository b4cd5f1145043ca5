"""Looking up vectors and measuring distances to them, in PyTorch."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from foveal.engines.pytorch.layer import Layer, Rows
from foveal.errors import SpecError
from foveal.net.layers import RBF, Embed


class Lookup(Layer[Embed]):
    weight: Tensor

    def forward(self, x: Tensor) -> Tensor:
        numbers = x.long()
        right = (numbers == x) & (x >= 0) & (x < self.kind.num_embeddings)
        if not right.all():  # sync: a device reads outside of the table, or stops for good
            raise self._refusal(x, right)
        return F.embedding(numbers if x.dim() == 2 else numbers[:, 0], self.weight).movedim(-1, 1)

    def _refusal(self, x: Tensor, right: Tensor) -> SpecError:
        sample, *position = (~right).nonzero()[0].tolist()
        return SpecError(
            f"{x[(sample, *position)].item():g} is the number of no embedding",
            where=self.path,
            arrives=f"at {tuple(position)} of sample {sample}",
            expected=f"a whole number from 0 to {self.kind.num_embeddings - 1}",
            fix="count from 0, or say a larger num_embeddings",
        )


class Distances(Layer[RBF]):
    """By differences: the expanded square would lose what is small beside what is large."""

    weight: Tensor

    def forward(self, x: Tensor) -> Tensor:
        return (x.unsqueeze(1) - self.weight).square().sum(2)


ROWS: Rows = {Embed: Lookup, RBF: Distances}
