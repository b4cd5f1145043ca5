"""What a net is to make small: a row per task."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from torch import Tensor
from torch.nn import functional as F


def cross_entropy(
    scores: Tensor, labels: Tensor, label_smoothing: float, class_weights: Tensor | None = None
) -> Tensor:
    """Mean of -Σ target ln(softmax(scores)) over a batch, in float32.

    Use it to name the one class of a picture. The target is 1 - s for the label, and s shared
    evenly by all classes, so that the net is not driven to certainty. With weights each picture
    counts as often as its class says; they should average 1 over the training part.

    Shape:   scores (N, C), labels (N,), class_weights (C,) -> one number
    Source:  label smoothing: Szegedy et al. 2015, arXiv:1512.00567
    """
    if class_weights is None:
        return F.cross_entropy(scores.float(), labels, label_smoothing=label_smoothing)
    each = F.cross_entropy(
        scores.float(), labels, label_smoothing=label_smoothing, reduction="none"
    )
    return (each * class_weights[labels]).mean()


Loss: TypeAlias = Callable[[Tensor, Tensor, float, Tensor | None], Tensor]
LOSSES: dict[str, Loss] = {"classify": cross_entropy}
"""The loss of each task, of scores, labels, label smoothing and class weights."""
