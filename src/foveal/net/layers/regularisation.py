"""What makes training harder so that the net learns better; nothing when it predicts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from foveal.checks import Constraint, Flag, Real
from foveal.net.kind import Kind

SHARE = Real(0, 1, below=True)
"""Of what is dropped; if it were all, nothing could make up for it."""


@dataclass(frozen=True, repr=False)
class Dropout(Kind):
    """Set a random share of the values to zero while training, and scale up the rest.

    Use it before dense layers of a large net with few pictures. `spatial` drops whole channels of
    a sample: beside convolutions, where a dropped pixel is as good as known from its neighbours.
    In prediction it does nothing.

    Shape:   any -> the same
    Params:  none; p is the probability of being dropped, survivors are divided by 1 - p
    Raises:  SpecError if p is not from 0 to below 1
    Source:  Srivastava et al. 2014, JMLR 15:1929-1958; spatial: Tompson et al. 2015,
             arXiv:1411.4280

    >>> Dropout(0.25).output(((128,),))
    (128,)
    """

    p: float = 0.5
    spatial: bool = False

    word: ClassVar[str] = "dropout"
    positional: ClassVar[tuple[str, ...]] = ("p",)
    constraints: ClassVar[dict[str, Constraint]] = {"p": SHARE, "spatial": Flag()}
    training_only: ClassVar[bool] = True


@dataclass(frozen=True, repr=False)
class DropPath(Kind):
    """Set all values of randomly chosen samples to zero while training, and scale up the others.

    Use it at the end of the branch that `add` joins with `identity` (stochastic depth): the sample
    then goes through a net that is shorter by this branch. With `ramp` the first one of a net has
    p 0 and the last one p, in even steps. In prediction it does nothing.

    Shape:   any -> the same
    Params:  none; p is the probability that a sample is dropped, survivors are divided by 1 - p
    Raises:  SpecError if p is not from 0 to below 1
    Source:  Huang et al. 2016, arXiv:1603.09382; the name: Larsson et al. 2017, arXiv:1605.07648

    >>> [DropPath(0.2, ramp=True).ramped(number, 3).p for number in range(3)]
    [0.0, 0.1, 0.2]
    """

    p: float = 0.1
    ramp: bool = False

    word: ClassVar[str] = "droppath"
    positional: ClassVar[tuple[str, ...]] = ("p",)
    constraints: ClassVar[dict[str, Constraint]] = {"p": SHARE, "ramp": Flag()}
    training_only: ClassVar[bool] = True

    def ramped(self, number: int, count: int) -> DropPath:
        if not self.ramp:
            return self
        p = self.p * number / (count - 1) if count > 1 else self.p
        return replace(self, p=p, ramp=False)
