"""Normalisation of what flows through a net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from foveal.checks import Constraint, Real
from foveal.net.kind import Kind, Shape, Tensor


@dataclass(frozen=True)
class BatchNorm(Kind):
    """Shift and scale each channel to mean 0 and variance 1, then by two learned numbers.

    Use it after a convolution, to train deeper and faster. In training the statistics are those
    of the batch; in prediction the running ones, which are kept in the model file:
    y = (x - running_mean) / sqrt(running_var + eps) * weight + bias.

    Shape:   (N, C, H, W) -> the same; (N, F) alike
    Params:  2 * C trained (weight, bias) and 2 * C statistics (running_mean, running_var);
             `momentum` is the share of the new batch in the running statistics
    Raises:  SpecError if eps or momentum is out of range
    Source:  Ioffe & Szegedy 2015, arXiv:1502.03167

    >>> [tensor.name for tensor in BatchNorm().tensors(((64, 8, 8),))]
    ['weight', 'bias', 'running_mean', 'running_var']
    """

    eps: float = 1e-5
    momentum: float = 0.1

    word: ClassVar[str] = "batchnorm"
    aliases: ClassVar[tuple[str, ...]] = ("bn",)
    constraints: ClassVar[dict[str, Constraint]] = {
        "eps": Real(0, above=True),
        "momentum": Real(0, 1),
    }

    def tensors(self, ins: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        channels = (ins[0][0],)
        return (
            Tensor("weight", channels, init="one"),
            Tensor("bias", channels),
            Tensor("running_mean", channels, trained=False),
            Tensor("running_var", channels, trained=False, init="one"),
        )
