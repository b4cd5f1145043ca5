"""What is done to weights before they are used, in PyTorch."""

from __future__ import annotations

from torch import Tensor

from foveal.engines.pytorch.layer import AnyLayer
from foveal.net.layers import Conv, Dense, Depthwise

Filtering = Conv | Depthwise | Dense


def used(kind: Filtering, w: Tensor, gain: Tensor | None, num_channels: int) -> Tensor:
    """The weights as they enter the sums, from those that are learned.

    Dividing by a sum of zero cannot happen at the start (`engines.weights.check`); a training that
    reaches it loses its loss, and says so.
    """
    rest = tuple(range(1, w.dim()))
    if gain is not None:
        w = w * (gain / w.square().sum(rest).sqrt()).reshape(-1, *(1,) * len(rest))
    if isinstance(kind, Conv) and kind.shared:
        w = w.expand(-1, num_channels // kind.groups, *w.shape[2:])
    if isinstance(kind, Depthwise) and kind.shared:
        w = w.repeat(num_channels, *(1,) * len(rest))
    if kind.weight == "unit_sum":
        w = w / w.sum(rest, keepdim=True)
    if isinstance(kind, Conv | Depthwise) and kind.flip:
        w = w.flip(rest[1:])
    return w


def absent(layer: AnyLayer) -> None:
    """Say of the tensors that the kind does not have that they are not there."""
    if not layer.kind.bias:
        layer.register_parameter("bias", None)
    if layer.kind.weight != "weight_norm":
        layer.register_parameter("gain", None)
