"""LeNet-5, the first convolutional net in daily use: it read cheques."""

from __future__ import annotations

from foveal.net import Net
from foveal.net.kind import Shape
from foveal.net.layers import AvgPool, Conv, Dense, Flatten, Tanh


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
