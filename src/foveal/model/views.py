"""Asking a net about several views of a picture, where it is not sure of the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from foveal.data.colours import Pixels

SURE = 0.95
"""Of an answer with at least this probability, other views change next to nothing."""
ONE = "one"
VIEWS: dict[str, tuple[Callable[[Pixels], Pixels], ...]] = {
    ONE: (),
    "mirrored": (lambda pictures: pictures[:, :, ::-1],),
}
"""By name, what is looked at beside the picture itself, (N, H, W, C) -> the same."""


def asked(
    run: Callable[[Pixels], NDArray[np.float32]], prepared: Pixels, views: str
) -> NDArray[np.float32]:
    """The probabilities of pictures; of those that `run` is not sure of, over all views.

    Use it where what a net says of a mirrored picture is as good an answer: two errors that differ
    partly cancel. The probabilities are multiplied, which is the mean of the scores, and a picture
    is answered the same whichever others are asked about.

    Shape:   (N, H, W, C) uint8 -> (N, num_classes) float32
    Source:  Krizhevsky, Sutskever & Hinton 2012, section 4.1 (crops and mirror images)

    >>> says = lambda x: np.stack([x[:, 0, 0, 0], x[:, 0, 1, 0]], axis=1) / np.float32(100)
    >>> asked(says, np.array([[[[20], [80]]]], np.uint8), "mirrored")
    array([[0.5, 0.5]], dtype=float32)
    """
    made = run(prepared)
    others = VIEWS[views]
    unsure = np.flatnonzero(made.max(axis=1) < SURE) if others else ()
    if not len(unsure):
        return made
    some = prepared[unsure]
    seen = [made[unsure], *(run(np.ascontiguousarray(view(some))) for view in others)]
    logs = logarithm(np.stack(seen)).mean(axis=0)
    likely = np.exp(logs - logs.max(axis=1, keepdims=True))
    made = made.copy()
    made[unsure] = likely / likely.sum(axis=1, keepdims=True)
    return made


def logarithm(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of probabilities, of which some may be so small that they are 0: a finite number of each."""
    made: NDArray[np.float32] = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    return made
