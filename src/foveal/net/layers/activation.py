"""Activations: the non-linear step without which a net is one matrix."""

from __future__ import annotations

from typing import ClassVar

from foveal.net.kind import Kind


class ReLU(Kind):
    """Set negative values to zero.

    Use it after convolution and dense layers; the rectified feature map. Its derivative is 1
    above zero and 0 elsewhere, at zero too.

    Shape:   any -> the same
    Params:  none
    Raises:  nothing
    Source:  Nair & Hinton 2010

    >>> ReLU().output(((64, 8, 8),))
    (64, 8, 8)
    """

    word: ClassVar[str] = "relu"


class Tanh(Kind):
    """Squash values into -1 … 1: (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ).

    Use it where a net of the 1990s had it. Its derivative is 1 - tanh(x)².

    Shape:   any -> the same
    Params:  none
    Raises:  nothing
    Source:  LeCun et al. 1998, doi:10.1109/5.726791

    >>> Tanh().output(((6, 28, 28),))
    (6, 28, 28)
    """

    word: ClassVar[str] = "tanh"


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
