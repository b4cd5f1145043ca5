"""What makes training harder so that the net learns better; nothing when it predicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from foveal.checks import Constraint, Real
from foveal.net.kind import Kind


@dataclass(frozen=True)
class Dropout(Kind):
    """Set a random share of the values to zero while training, and scale up the rest.

    Use it before dense layers of a large net with few pictures. In prediction it does nothing.

    Shape:   any -> the same
    Params:  none; p is the probability of being dropped, survivors are divided by 1 - p
    Raises:  SpecError if p is not from 0 to below 1
    Source:  Srivastava et al. 2014, JMLR 15:1929-1958

    >>> Dropout(0.25).output(((128,),))
    (128,)
    """

    p: float = 0.5

    word: ClassVar[str] = "dropout"
    positional: ClassVar[tuple[str, ...]] = ("p",)
    constraints: ClassVar[dict[str, Constraint]] = {"p": Real(0, 1, below=True)}
    training_only: ClassVar[bool] = True
