"""What a net is to make small: a row per task."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F


def cross_entropy(scores: Tensor, labels: Tensor, label_smoothing: float) -> Tensor:
    """Mean of -Σ target ln(softmax(scores)) over a batch, in float32.

    Use it to name the one class of a picture. The target is 1 - s for the label, and s shared
    evenly by all classes, so that the net is not driven to certainty.

    Shape:   scores (N, C), labels (N,) -> one number
    Source:  label smoothing: Szegedy et al. 2015, arXiv:1512.00567
    """
    return F.cross_entropy(scores.float(), labels, label_smoothing=label_smoothing)


LOSSES: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {"classify": cross_entropy}
"""The loss of each task, of scores, labels and label smoothing."""
