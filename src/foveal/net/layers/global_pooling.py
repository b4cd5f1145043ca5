"""Pooling over the whole picture: one value for each channel, whatever the size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from foveal.checks import Constraint, Flag, Whole
from foveal.net.kind import Kind, Shape, spatial


@dataclass(frozen=True, repr=False)
class _GlobalPool(Kind):
    """One value per channel, whatever the size of the picture."""

    keep: bool = False

    whole: ClassVar[bool] = True
    constraints: ClassVar[dict[str, Constraint]] = {"keep": Flag()}

    def output(self, ins: tuple[Shape, ...]) -> Shape:
        axes = len(spatial(self, ins[0]))
        return (ins[0][0], *(1,) * axes) if self.keep else (ins[0][0],)


class GlobalMaxPool(_GlobalPool):
    """Keep the largest value of each channel.

    Use it to ask whether a pattern is anywhere in the picture, of any size.

    Shape:   (N, C, H, W) -> (N, C), or (N, C, 1, 1) with `keep`
    Params:  none
    Raises:  ShapeError if flat features arrive
    Source:  Oquab et al. 2015, doi:10.1109/CVPR.2015.7298668

    >>> GlobalMaxPool().output(((64, 7, 7),))
    (64,)
    """

    word: ClassVar[str] = "globalmaxpool"


class GlobalMinPool(_GlobalPool):
    """Keep the smallest value of each channel.

    Use it to ask whether something holds everywhere: one place where it fails decides.

    Shape:   (N, C, H, W) -> (N, C), or (N, C, 1, 1) with `keep`
    Params:  none
    Raises:  ShapeError if flat features arrive
    Source:  none

    >>> GlobalMinPool().output(((64, 7, 7),))
    (64,)
    """

    word: ClassVar[str] = "globalminpool"


class GlobalAvgPool(_GlobalPool):
    """Keep the mean of each channel.

    Use it instead of flatten: fewer weights after it, and pictures of any size.

    Shape:   (N, C, H, W) -> (N, C), or (N, C, 1, 1) with `keep`
    Params:  none
    Raises:  ShapeError if flat features arrive
    Source:  Lin, Chen & Yan 2013, arXiv:1312.4400

    >>> GlobalAvgPool(keep=True).output(((64, 7, 7),))
    (64, 1, 1)
    """

    word: ClassVar[str] = "globalavgpool"


class GlobalSumPool(_GlobalPool):
    """Keep the sum of each channel.

    Use it to count over a picture of any size: a larger picture may hold more.

    Shape:   (N, C, H, W) -> (N, C), or (N, C, 1, 1) with `keep`
    Params:  none
    Raises:  ShapeError if flat features arrive
    Source:  Babenko & Lempitsky 2015, arXiv:1510.07493

    >>> GlobalSumPool().output(((64, 7, 7),))
    (64,)
    """

    word: ClassVar[str] = "globalsumpool"


@dataclass(frozen=True, repr=False)
class GlobalLpPool(_GlobalPool):
    """Keep the p-norm of each channel, (Σ |x|^p)^(1/p).

    Use it between the sum (p = 1) and the maximum (p large) of absolute values.

    Shape:   (N, C, H, W) -> (N, C), or (N, C, 1, 1) with `keep`
    Params:  none
    Raises:  ShapeError if flat features arrive
    Source:  Sermanet, Chintala & LeCun 2012, arXiv:1204.3968

    >>> GlobalLpPool(p=3).output(((64, 7, 7),))
    (64,)
    """

    p: int = 2

    word: ClassVar[str] = "globallppool"
    constraints: ClassVar[dict[str, Constraint]] = {**_GlobalPool.constraints, "p": Whole()}
