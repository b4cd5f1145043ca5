"""The general pattern of convolutional nets, with numbers for its letters."""

from __future__ import annotations

from foveal.net import Net

PATTERN = "INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC"


def pattern(
    n: int = 1,
    m: int = 2,
    k: int = 1,
    *,
    channels: int = 32,
    pool: bool = True,
    features: int = 128,
    num_classes: int = 10,
) -> Net:
    """Build m stages of n convolutions with a pooling behind each, and k dense layers but the last.

    Use it to try what depth does. Convolutions are 3x3 and keep the size; a pooling halves it.

    Shape:   (N, C, H, W) -> (N, num_classes) scores; H and W of 2**m or more with `pool`
    Params:  as the table says
    Raises:  SpecError if a number is negative, or too large
    Source:  "INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC", as lectures have it

    >>> pattern(2, 3, 1).bind((3, 32, 32)).result_shapes()
    {'': (10,)}
    """
    from foveal.net.notation import parse

    letters = {"N": n, "M": m, "K": k, "CONV": channels, "POOL": int(pool), "FC": features}
    return parse(PATTERN, letters, num_classes=num_classes)
