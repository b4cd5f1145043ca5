"""Normalisation of what flows through a net."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from foveal.checks import Constraint, Flag, OneOf, Real, Whole
from foveal.errors import ShapeError
from foveal.net.kind import Kind, Shape, Tensor, shape_text, spatial

EPS = Real(0, above=True)


@dataclass(frozen=True, repr=False)
class BatchNorm(Kind):
    """Shift and scale each channel to mean 0 and variance 1, then by two learned numbers.

    Use it after a convolution, to train deeper and faster. In training the statistics are those
    of the batch; in prediction the running ones, which are kept in the model file:
    y = (x - running_mean) / sqrt(running_var + eps) * weight + bias.

    Shape:   (N, C, H, W) -> the same; (N, F) alike
    Params:  2 * C trained (weight, bias) unless `no affine`, and 2 * C statistics (running_mean,
             running_var); `momentum` is the share of the new batch in the running statistics
    Raises:  SpecError if eps or momentum is out of range
    Source:  Ioffe & Szegedy 2015, arXiv:1502.03167

    >>> [tensor.name for tensor in BatchNorm().tensors(((64, 8, 8),))]
    ['weight', 'bias', 'running_mean', 'running_var']
    """

    eps: float = 1e-5
    momentum: float = 0.1
    affine: bool = True

    word: ClassVar[str] = "batchnorm"
    aliases: ClassVar[tuple[str, ...]] = ("bn",)
    constraints: ClassVar[dict[str, Constraint]] = {
        "eps": EPS,
        "momentum": Real(0, 1),
        "affine": Flag(),
    }

    def tensors(self, ins: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        channels = ins[0][:1]
        return (
            *_learned(self.affine, channels),
            Tensor("running_mean", channels, trained=False),
            Tensor("running_var", channels, trained=False, init="one"),
        )


@dataclass(frozen=True, repr=False)
class GroupNorm(Kind):
    """Shift and scale each group of channels of each sample to mean 0 and variance 1.

    Use it instead of batch norm where batches are small: no sample knows of another, and training
    and prediction compute the same. Each channel then has a weight and a bias of its own.

    Shape:   (N, C, H, W) -> the same; (N, F) alike
    Params:  2 * C (weight, bias) unless `no affine`; a mean is that of C / groups * H * W values
    Raises:  SpecError if eps is out of range; ShapeError if groups does not divide the channels,
             or a group has one value
    Source:  Wu & He 2018, arXiv:1803.08494

    >>> [tensor.shape for tensor in GroupNorm(32).tensors(((64, 8, 8),))]
    [(64,), (64,)]
    """

    groups: int
    eps: float = 1e-5
    affine: bool = True

    word: ClassVar[str] = "groupnorm"
    positional: ClassVar[tuple[str, ...]] = ("groups",)
    constraints: ClassVar[dict[str, Constraint]] = {
        "groups": Whole(),
        "eps": EPS,
        "affine": Flag(),
    }

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        channels = ins[0][0]
        if channels % self.groups:
            raise ShapeError(
                f"groups {self.groups} does not divide the {channels} channels that arrive",
                arrives=shape_text(ins[0]),
                fix=f"groups that divide {channels}",
            )
        _check_several(self, prod(ins[0]) // self.groups, ins[0], "fewer groups")
        return ins[0]

    def tensors(self, ins: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        return _learned(self.affine, ins[0][:1])

    def surveys(self, ins: tuple[Shape, ...]) -> bool:
        return True


@dataclass(frozen=True, repr=False)
class LayerNorm(Kind):
    """Shift and scale the channels at each position, or a whole sample, to mean 0 and variance 1.

    Use it with `over channels` in nets made like transformers (ConvNeXt), and on flat features;
    `over all` is the layer norm of the paper, with a weight for each value of a sample.

    Shape:   (N, C, H, W) -> the same; (N, F) alike
    Params:  2 * C (weight, bias), or 2 * C*H*W over all; none with `no affine`
    Raises:  SpecError if over is another word or eps out of range; ShapeError if a mean would be
             that of one value
    Source:  Ba, Kiros & Hinton 2016, arXiv:1607.06450; over channels: Liu et al. 2022,
             arXiv:2201.03545

    >>> [tensor.shape for tensor in LayerNorm("all").tensors(((64, 8, 8),))]
    [(64, 8, 8), (64, 8, 8)]
    """

    over: str = "channels"
    eps: float = 1e-5
    affine: bool = True

    word: ClassVar[str] = "layernorm"
    constraints: ClassVar[dict[str, Constraint]] = {
        "over": OneOf(("channels", "all")),
        "eps": EPS,
        "affine": Flag(),
    }

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        _check_several(self, prod(self._weighted(ins)), ins[0], "more channels, or take it out")
        return ins[0]

    def tensors(self, ins: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        return _learned(self.affine, self._weighted(ins))

    def surveys(self, ins: tuple[Shape, ...]) -> bool:
        return self.over == "all"

    def _weighted(self, ins: tuple[Shape, ...]) -> Shape:
        """What shares a mean, each with a weight of its own."""
        return ins[0] if self.over == "all" else ins[0][:1]


@dataclass(frozen=True, repr=False)
class InstanceNorm(Kind):
    """Shift and scale each map of each sample to mean 0 and variance 1.

    Use it where the contrast of a picture should not matter, as in style transfer. Training and
    prediction compute the same; there are no running statistics.

    Shape:   (N, C, H, W) -> the same
    Params:  2 * C (weight, bias) unless `no affine`
    Raises:  SpecError if eps is out of range; ShapeError if flat features or maps of one position
             arrive
    Source:  Ulyanov, Vedaldi & Lempitsky 2016, arXiv:1607.08022

    >>> [tensor.shape for tensor in InstanceNorm().tensors(((64, 8, 8),))]
    [(64,), (64,)]
    """

    eps: float = 1e-5
    affine: bool = True

    word: ClassVar[str] = "instancenorm"
    constraints: ClassVar[dict[str, Constraint]] = {"eps": EPS, "affine": Flag()}

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        fix = "put it where maps are larger, or layernorm instead"
        _check_several(self, prod(spatial(self, ins[0])), ins[0], fix)
        return ins[0]

    def tensors(self, ins: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        return _learned(self.affine, ins[0][:1])

    def surveys(self, ins: tuple[Shape, ...]) -> bool:
        return True


@dataclass(frozen=True, repr=False)
class LocalResponseNorm(Kind):
    """Make a value smaller where those at the same position in neighbouring channels are large.

    Use it to rebuild AlexNet and its kin; batch norm has taken its place.
    y_c = x_c / (k + alpha / size * the sum of x_i² for i from c - floor((size - 1) / 2) to
    c + ceil((size - 1) / 2))^beta. Channels that do not exist count as 0.

    Shape:   (N, C, H, W) -> the same; (N, F) alike
    Params:  none; the paper's alpha is not divided by size: its 1e-4 with size 5 is 5e-4 here
    Raises:  SpecError if size is not a whole number from 1, alpha or beta is below 0, or k is not
             above 0
    Source:  Krizhevsky, Sutskever & Hinton 2012, doi:10.1145/3065386, section 3.3; window as in
             ONNX, onnx.ai/onnx/operators/onnx__LRN.html

    >>> LocalResponseNorm(5, alpha=5e-4, k=2).output(((96, 55, 55),))
    (96, 55, 55)
    """

    size: int = 5
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    word: ClassVar[str] = "lrn"
    aliases: ClassVar[tuple[str, ...]] = ("localresponsenorm",)
    positional: ClassVar[tuple[str, ...]] = ("size",)
    constraints: ClassVar[dict[str, Constraint]] = {
        "size": Whole(),
        "alpha": Real(0),
        "beta": Real(0),
        "k": Real(0, above=True),
    }


def _learned(affine: bool, shape: Shape) -> tuple[Tensor, ...]:
    """The numbers that values of mean 0 and variance 1 are scaled and shifted by."""
    return (Tensor("weight", shape, init="one"), Tensor("bias", shape)) if affine else ()


def _check_several(kind: Kind, count: int, arriving: Shape, fix: str) -> None:
    """ShapeError if a mean would be that of one value: less its mean, nothing is left of it."""
    if count == 1:
        raise ShapeError(
            f"{kind.word} would take each mean over one value, and 0 would be left of it",
            arrives=shape_text(arriving),
            fix=fix,
        )
