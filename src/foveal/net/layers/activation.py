"""Activations: the non-linear step without which a net is one matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from foveal.checks import Constraint, Optional, Real, Whole
from foveal.errors import ShapeError, SpecError
from foveal.net.kind import Kind, Shape, shape_text

_POSITIVE = Real(0, above=True)


@dataclass(frozen=True, repr=False)
class _Named(Constraint):
    """One word of a closed list, said after the field's name: alone it would be a layer."""

    choices: tuple[str, ...]

    def sentence(self) -> str:
        return "one of " + ", ".join(self.choices)

    def vocabulary(self) -> tuple[str, ...]:
        return self.choices

    def accept(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.choices:
            raise ValueError
        return value

    def read(self, text: str) -> str:
        return self.accept(text)

    def bad_values(self) -> tuple[object, ...]:
        return ("nonsense", True, None)


@dataclass(frozen=True, repr=False)
class ReLU(Kind):
    """Set negative values to zero, and those above `max` to it.

    Use it after convolution and dense layers; the rectified feature map. `relu max 6` keeps
    numbers small enough for eight bits. Its derivative is 1 between 0 and `max` and 0 elsewhere,
    at both ends too.

    Shape:   any -> the same
    Params:  none
    Raises:  SpecError if max is not above 0
    Source:  Nair & Hinton 2010; max 6: Howard et al. 2017, arXiv:1704.04861

    >>> ReLU().output(((64, 8, 8),))
    (64, 8, 8)
    """

    max: float | None = None

    word: ClassVar[str] = "relu"
    constraints: ClassVar[dict[str, Constraint]] = {"max": Optional(_POSITIVE)}


@dataclass(frozen=True, repr=False)
class LeakyReLU(Kind):
    """Multiply negative values by a small slope: x above zero, slope x elsewhere.

    Use it where ReLU leaves too many values at zero for good. Its derivative is 1 above zero and
    the slope elsewhere, at zero too.

    Shape:   any -> the same
    Params:  none
    Raises:  SpecError if slope is not from 0 to 1
    Source:  Maas, Hannun & Ng 2013

    >>> LeakyReLU(0.2).output(((64, 8, 8),))
    (64, 8, 8)
    """

    slope: float = 0.01

    word: ClassVar[str] = "leakyrelu"
    positional: ClassVar[tuple[str, ...]] = ("slope",)
    constraints: ClassVar[dict[str, Constraint]] = {"slope": Real(0, 1)}


@dataclass(frozen=True, repr=False)
class ELU(Kind):
    """Bend negative values towards -alpha: x above zero, alpha (eˣ - 1) elsewhere.

    Use it where the mean of a layer's values should stay near zero without batch norm. Its
    derivative is 1 above zero and alpha eˣ elsewhere, so alpha at zero.

    Shape:   any -> the same
    Params:  none
    Raises:  SpecError if alpha is below 0
    Source:  Clevert, Unterthiner & Hochreiter 2015, arXiv:1511.07289

    >>> ELU().output(((64, 8, 8),))
    (64, 8, 8)
    """

    alpha: float = 1.0

    word: ClassVar[str] = "elu"
    positional: ClassVar[tuple[str, ...]] = ("alpha",)
    constraints: ClassVar[dict[str, Constraint]] = {"alpha": Real(0)}


@dataclass(frozen=True, repr=False)
class GELU(Kind):
    """Weigh each value by how many of a normal distribution lie below it: x Φ(x).

    Use it in nets that take after transformers, such as ConvNeXt. Φ(x) = (1 + erf(x / √2)) / 2;
    `approximate tanh` is the quicker formula of the first implementations,
    x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, at most 0.0005 away. Its derivative is
    Φ(x) + x φ(x), ½ at zero.

    Shape:   any -> the same
    Params:  none
    Raises:  SpecError if approximate is neither none nor tanh
    Source:  Hendrycks & Gimpel 2016, arXiv:1606.08415

    >>> GELU().output(((96, 56, 56),))
    (96, 56, 56)
    """

    approximate: str = "none"

    word: ClassVar[str] = "gelu"
    constraints: ClassVar[dict[str, Constraint]] = {"approximate": _Named(("none", "tanh"))}


class SiLU(Kind):
    """Weigh each value by its own sigmoid: x / (1 + e⁻ˣ).

    Use it in nets such as EfficientNet; a ReLU without a kink that dips below zero. Its
    derivative is s + x s (1 - s) with s = 1 / (1 + e⁻ˣ), ½ at zero.

    Shape:   any -> the same
    Params:  none
    Raises:  nothing
    Source:  Elfwing, Uchibe & Doya 2017, arXiv:1702.03118; Ramachandran et al. 2017,
             arXiv:1710.05941 (as Swish)

    >>> SiLU().output(((32, 112, 112),))
    (32, 112, 112)
    """

    word: ClassVar[str] = "silu"
    aliases: ClassVar[tuple[str, ...]] = ("swish",)


class HardSwish(Kind):
    """Weigh each value by its hard sigmoid: x (x / 6 + 1/2) from -3 to 3, then 0 and x.

    Use it instead of `silu` where an exponential is expensive, as MobileNetV3 does. Its
    derivative is x / 3 + 1/2 between -3 and 3; 0 at -3 and 1 at 3, as outside.

    Shape:   any -> the same
    Params:  none
    Raises:  nothing
    Source:  Howard et al. 2019, arXiv:1905.02244

    >>> HardSwish().output(((16, 112, 112),))
    (16, 112, 112)
    """

    word: ClassVar[str] = "hardswish"
    aliases: ClassVar[tuple[str, ...]] = ("hardsilu",)


@dataclass(frozen=True, repr=False)
class Softplus(Kind):
    """A ReLU without a kink: ln(1 + e^(beta x)) / beta.

    Use it where an answer must be above zero, such as a scale. The larger beta, the nearer to
    ReLU. Its derivative is the sigmoid of beta x.

    Shape:   any -> the same
    Params:  none
    Raises:  SpecError if beta is not above 0
    Source:  Dugas et al. 2000, "Incorporating Second-Order Functional Knowledge"

    >>> Softplus().output(((10,),))
    (10,)
    """

    beta: float = 1.0

    word: ClassVar[str] = "softplus"
    positional: ClassVar[tuple[str, ...]] = ("beta",)
    constraints: ClassVar[dict[str, Constraint]] = {"beta": _POSITIVE}


@dataclass(frozen=True, repr=False)
class Tanh(Kind):
    """Squash values into -1 … 1: (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ), or amplitude * tanh(slope x).

    Use it where a net of the 1990s had it; LeNet-5 has `tanh amplitude 1.7159 slope 0.6666667`.
    Its derivative is amplitude * slope * (1 - tanh(slope x)²).

    Shape:   any -> the same
    Params:  none
    Raises:  SpecError if amplitude or slope is not above 0
    Source:  LeCun et al. 1998, doi:10.1109/5.726791

    >>> Tanh().output(((6, 28, 28),))
    (6, 28, 28)
    """

    amplitude: float = 1.0
    slope: float = 1.0

    word: ClassVar[str] = "tanh"
    constraints: ClassVar[dict[str, Constraint]] = {"amplitude": _POSITIVE, "slope": _POSITIVE}


@dataclass(frozen=True, repr=False)
class HardTanh(Kind):
    """Cut values off below `min` and above `max`.

    Use it where answers must lie between bounds, and as a tanh without exponentials. Its
    derivative is 1 between the bounds and 0 elsewhere, at both bounds too.

    Shape:   any -> the same
    Params:  none
    Raises:  SpecError if min is not below max
    Source:  Collobert 2004, "Large Scale Machine Learning"

    >>> HardTanh(-2, 2).output(((6, 28, 28),))
    (6, 28, 28)
    """

    min: float = -1.0
    max: float = 1.0

    word: ClassVar[str] = "hardtanh"
    positional: ClassVar[tuple[str, ...]] = ("min", "max")
    constraints: ClassVar[dict[str, Constraint]] = {"min": Real(), "max": Real()}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min >= self.max:
            raise SpecError(
                f"must be below max, which is {self.max:g}, not {self.min:g}",
                where="hardtanh min",
                fix="the lower bound first: hardtanh -1 1",
            )


class Sigmoid(Kind):
    """Squash values into 0 … 1: 1 / (1 + e⁻ˣ).

    Use it for yes-or-no answers and gates. Its derivative is y (1 - y).

    Shape:   any -> the same
    Params:  none
    Raises:  nothing
    Source:  Rumelhart, Hinton & Williams 1986, doi:10.1038/323533a0

    >>> Sigmoid().output(((1,),))
    (1,)
    """

    word: ClassVar[str] = "sigmoid"


class HardSigmoid(Kind):
    """Squash values into 0 … 1 by a straight line: x / 6 + 1/2, cut off at -3 and 3.

    Use it for gates where an exponential is expensive, as MobileNetV3 does. Its derivative is 1/6
    between -3 and 3 and 0 elsewhere, at both ends too.

    Shape:   any -> the same
    Params:  none
    Raises:  nothing
    Source:  Courbariaux et al. 2015, arXiv:1511.00363; x / 6: Howard et al. 2019,
             arXiv:1905.02244

    >>> HardSigmoid().output(((16, 1, 1),))
    (16, 1, 1)
    """

    word: ClassVar[str] = "hardsigmoid"


class Softmax(Kind):
    """Turn scores into probabilities that sum to 1 over the channels: eˣ / Σ eˣ.

    Use it as the last step of a classifier. Training works on the scores before it.

    Shape:   (N, C) -> the same; (N, C, H, W) -> the same, at each position
    Params:  none
    Raises:  nothing
    Source:  Bridle 1990, doi:10.1007/978-3-642-76153-9_28

    >>> Softmax().output(((10,),))
    (10,)
    """

    word: ClassVar[str] = "softmax"


class LogSoftmax(Kind):
    """The logarithm of the probabilities that softmax gives: x - ln Σ eˣ over the channels.

    Use it where likelihoods are added up; small probabilities keep all their digits. Its
    derivative is ∂yᵢ/∂xⱼ = δᵢⱼ - e^yⱼ.

    Shape:   (N, C) -> the same; (N, C, H, W) -> the same, at each position
    Params:  none
    Raises:  nothing
    Source:  Bridle 1990, doi:10.1007/978-3-642-76153-9_28

    >>> LogSoftmax().output(((10,),))
    (10,)
    """

    word: ClassVar[str] = "logsoftmax"


@dataclass(frozen=True, repr=False)
class Maxout(Kind):
    """Of every `pieces` neighbouring channels keep the largest value, at each position.

    Use it to learn the shape of the activation: the layer before it makes `pieces` times as many
    channels. Of equal ones the first receives the gradient.

    Shape:   (N, C) -> (N, C / pieces); (N, C, H, W) -> (N, C / pieces, H, W)
    Params:  none
    Raises:  ShapeError if pieces does not divide the channels
    Source:  Goodfellow et al. 2013, arXiv:1302.4389

    >>> Maxout(2).output(((64, 8, 8),))
    (32, 8, 8)
    """

    pieces: int

    word: ClassVar[str] = "maxout"
    positional: ClassVar[tuple[str, ...]] = ("pieces",)
    constraints: ClassVar[dict[str, Constraint]] = {"pieces": Whole(2)}

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        channels, *axes = ins[0]
        if channels % self.pieces:
            what = "channels" if axes else "features"
            raise ShapeError(
                f"{channels} {what} cannot be parted into pieces of {self.pieces}",
                arrives=shape_text(ins[0]),
                fix=f"a multiple of {self.pieces} {what} before it",
            )
        return (channels // self.pieces, *axes)
