"""Activations in PyTorch."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from foveal.engines.pytorch.layer import Layer, Rows
from foveal.net.layers import (
    ELU,
    GELU,
    HardSigmoid,
    HardSwish,
    HardTanh,
    LeakyReLU,
    LogSoftmax,
    Maxout,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)

STRAIGHT = 40.0
"""From here on softplus is x in every digit of float64; PyTorch's 20 costs 2e-9 at the seam."""


class Rectifier(Layer[ReLU]):
    def forward(self, x: Tensor) -> Tensor:
        return x.relu() if self.kind.max is None else F.hardtanh(x, 0, self.kind.max)


class LeakyRectifier(Layer[LeakyReLU]):
    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, self.kind.slope)


class ExponentialUnit(Layer[ELU]):
    def forward(self, x: Tensor) -> Tensor:
        return F.elu(x, self.kind.alpha)


class GaussianUnit(Layer[GELU]):
    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(x, approximate=self.kind.approximate)


class SigmoidUnit(Layer[SiLU]):
    def forward(self, x: Tensor) -> Tensor:
        return F.silu(x)


class HardSigmoidUnit(Layer[HardSwish]):
    def forward(self, x: Tensor) -> Tensor:
        return F.hardswish(x)


class SmoothRectifier(Layer[Softplus]):
    def forward(self, x: Tensor) -> Tensor:
        return F.softplus(x, self.kind.beta, STRAIGHT)


class HyperbolicTangent(Layer[Tanh]):
    def forward(self, x: Tensor) -> Tensor:
        y = (x if self.kind.slope == 1 else self.kind.slope * x).tanh()
        return y if self.kind.amplitude == 1 else self.kind.amplitude * y


class Bounds(Layer[HardTanh]):
    def forward(self, x: Tensor) -> Tensor:
        return F.hardtanh(x, self.kind.min, self.kind.max)


class Logistic(Layer[Sigmoid]):
    def forward(self, x: Tensor) -> Tensor:
        return x.sigmoid()


class HardLogistic(Layer[HardSigmoid]):
    """Of `F.hardsigmoid` PyTorch knows no second derivative."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(x + 3) / 6


class Probabilities(Layer[Softmax]):
    def forward(self, x: Tensor) -> Tensor:
        return x.softmax(dim=1)


class LogProbabilities(Layer[LogSoftmax]):
    def forward(self, x: Tensor) -> Tensor:
        return x.log_softmax(dim=1)


class Largest(Layer[Maxout]):
    def forward(self, x: Tensor) -> Tensor:
        batch, channels, *axes = x.shape
        pieces = self.kind.pieces
        return x.reshape(batch, channels // pieces, pieces, *axes).max(dim=2).values


ROWS: Rows = {
    ReLU: Rectifier,
    LeakyReLU: LeakyRectifier,
    ELU: ExponentialUnit,
    GELU: GaussianUnit,
    SiLU: SigmoidUnit,
    HardSwish: HardSigmoidUnit,
    Softplus: SmoothRectifier,
    Tanh: HyperbolicTangent,
    HardTanh: Bounds,
    Sigmoid: Logistic,
    HardSigmoid: HardLogistic,
    Softmax: Probabilities,
    LogSoftmax: LogProbabilities,
    Maxout: Largest,
}
