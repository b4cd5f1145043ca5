"""Activations in PyTorch."""

from __future__ import annotations

from torch import Tensor

from foveal.engines.pytorch.layer import Layer, Rows
from foveal.net.layers import ReLU, Sigmoid, Softmax, Tanh


class Rectifier(Layer[ReLU]):
    def forward(self, x: Tensor) -> Tensor:
        return x.relu()


class HyperbolicTangent(Layer[Tanh]):
    def forward(self, x: Tensor) -> Tensor:
        return x.tanh()


class Logistic(Layer[Sigmoid]):
    def forward(self, x: Tensor) -> Tensor:
        return x.sigmoid()


class Probabilities(Layer[Softmax]):
    def forward(self, x: Tensor) -> Tensor:
        return x.softmax(dim=1)


ROWS: Rows = {
    ReLU: Rectifier,
    Tanh: HyperbolicTangent,
    Sigmoid: Logistic,
    Softmax: Probabilities,
}
