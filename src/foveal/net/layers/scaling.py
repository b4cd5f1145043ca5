"""Factors: one that is learned for each channel, one that is given for all."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from foveal.checks import Constraint, Flag, Real
from foveal.net.kind import Kind, Shape, Tensor


@dataclass(frozen=True, repr=False)
class Scale(Kind):
    """Multiply each channel by a number that is learned; with `bias` add another one.

    Use it where a net should find out how much of a branch to let in (layer scale: `scale 1e-6`
    at the end of a residual branch), and behind a sum pool: `sumpool 2 -> scale 0.25 bias` is the
    trainable subsampling of LeNet-5. Every channel starts with `value`, and a bias with 0.

    Shape:   (N, C, H, W) -> the same
    Params:  C, + C with bias
    Raises:  nothing
    Source:  LeCun et al. 1998, doi:10.1109/5.726791; layer scale: Touvron et al. 2021,
             arXiv:2103.17239

    >>> [tensor.shape for tensor in Scale(bias=True).tensors(((6, 14, 14),))]
    [(6,), (6,)]
    """

    value: float = 1.0
    bias: bool = False

    word: ClassVar[str] = "scale"
    positional: ClassVar[tuple[str, ...]] = ("value",)
    constraints: ClassVar[dict[str, Constraint]] = {"value": Real(), "bias": Flag()}

    def tensors(self, ins: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        channels = ins[0][:1]
        weight = Tensor("weight", channels, init=f"constant:{Real().write(self.value)}")
        return (weight, Tensor("bias", channels)) if self.bias else (weight,)

    def macs(self, ins: tuple[Shape, ...]) -> int:
        return prod(ins[0])


@dataclass(frozen=True, repr=False)
class Gain(Kind):
    """Multiply every value by one given number, which is not trained.

    Use it to bring values to another size: bytes to 0 … 1 (`gain 0.00392156862745098` is 1/255),
    the answers of a net before softmax to another temperature, a residual branch to a share.

    Shape:   any -> the same
    Params:  none: the factor belongs to the net
    Raises:  nothing
    Source:  temperature: Hinton, Vinyals & Dean 2015, arXiv:1503.02531

    >>> Gain(0.5).output(((64, 8, 8),)), Gain(0.5).tensors(((64, 8, 8),))
    ((64, 8, 8), ())
    """

    factor: float

    word: ClassVar[str] = "gain"
    positional: ClassVar[tuple[str, ...]] = ("factor",)
    constraints: ClassVar[dict[str, Constraint]] = {"factor": Real()}

    def macs(self, ins: tuple[Shape, ...]) -> int:
        return prod(ins[0])
