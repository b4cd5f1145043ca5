"""LeNet-5, the first convolutional net in daily use: it read cheques."""

from __future__ import annotations

from foveal.net import Net
from foveal.net.combinators import Item, branches, chain, named
from foveal.net.kind import Shape
from foveal.net.layers import (
    RBF,
    AvgPool,
    Concat,
    Conv,
    Dense,
    Flatten,
    Gain,
    Scale,
    SumPool,
    Take,
    Tanh,
)
from foveal.zoo.entry import Entry

SOURCE = "LeCun et al. 1998, doi:10.1109/5.726791"
READS = (
    *("012", "123", "234", "345", "045", "015"),
    *("0123", "1234", "2345", "0345", "0145", "0125"),
    *("0134", "1245", "0235", "012345"),
)
"""Which of the six maps of S2 each of the sixteen of C3 reads (table I of the paper)."""
SQUASH = Tanh(amplitude=1.7159, slope=2 / 3)
"""So that 1 stays 1 and -1 stays -1 (appendix A of the paper)."""
TEMPERATURE = 0.1
"""Distances to codes of 84 numbers are large; as they are, usual learning rates are too high."""


def lenet5(input: Shape = (1, 32, 32), num_classes: int = 10) -> Net:
    """LeNet-5 in the shape of its paper, in today's kinds.

    Use it for digits and other small grey pictures, and to learn: every number fits on a page.
    Unlike the paper's, its second convolution sees all maps and its last layer is dense.

    Shape:   (N, 1, 32, 32) -> (N, num_classes) scores
    Params:  61,706 at 1x32x32 and 10 classes
    Raises:  nothing
    Source:  LeCun et al. 1998, doi:10.1109/5.726791

    >>> lenet5().bind((1, 32, 32)).result_shapes()
    {'': (10,)}
    """
    return Net.of(
        *(Conv(6, 5), Tanh(), AvgPool(2)),
        *(Conv(16, 5), Tanh(), AvgPool(2)),
        *(Conv(120, 5), Tanh(), Flatten()),
        *(Dense(84), Tanh(), Dense(num_classes)),
    )


def lenet5_1998(input: Shape = (1, 32, 32), num_classes: int = 10) -> Net:
    """LeNet-5 as the paper has it: a sparse C3, subsampling that learns, distances at the end.

    Use it to see what a net was when every weight was counted. S2 and S4 add four values, multiply
    by one learned number for each map and add another. The last layer says how far the features
    are from a code of ±1 for each class, which is not trained; the paper draws its codes after
    printed characters, here they are random, as it says they might be. Scores are the distances
    with the other sign, times `TEMPERATURE`.

    Shape:   (N, 1, 32, 32) -> (N, num_classes) scores
    Params:  60,000 trained at 1x32x32, and codes of 84 * num_classes that are not
    Raises:  nothing
    Source:  LeCun et al. 1998, doi:10.1109/5.726791, section II and table I

    >>> lenet5_1998().bind((1, 32, 32)).result_shapes()
    {'': (10,)}
    """
    c3 = (chain(Take(tuple(map(int, maps))), Conv(1, 5)) for maps in READS)
    return Net.of(
        *(named("c1", Conv(6, 5)), SQUASH, named("s2", *_subsampling())),
        *(named("c3", branches(Concat(), *c3)), SQUASH, named("s4", *_subsampling())),
        *(named("c5", Conv(120, 5)), SQUASH, Flatten(), named("f6", Dense(84)), SQUASH),
        *(named("codes", RBF(num_classes, init="sign", frozen=True)), Gain(-TEMPERATURE)),
    )


def _subsampling() -> list[Item]:
    return [SumPool(2), Scale(0.25, bias=True), SQUASH]


ENTRIES: dict[str, Entry] = {
    "lenet5": Entry(
        build=lenet5,
        input=(1, 32, 32),
        num_classes=10,
        parameters=61_706,
        source=SOURCE,
        accuracy="99.05 % (MNIST)",
        about="the classic for digits: two convolutions, three dense layers",
    ),
    "lenet5_1998": Entry(
        build=lenet5_1998,
        input=(1, 32, 32),
        num_classes=10,
        parameters=60_840,
        source=SOURCE,
        accuracy="99.05 % (MNIST)",
        about="the same to the letter: sparse C3, learned subsampling, codes",
    ),
}
