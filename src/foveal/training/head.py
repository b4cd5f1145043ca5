"""The last layer for features that stay as they are: multinomial logistic regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from foveal.training.randomness import generator

STRENGTHS = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003)
"""Of the pull towards zero that are tried, for features whose mean square length is 1."""
FOLDS = 5
MANY = 100
"""Classes from which on one fold chooses instead of all five: the work grows with both."""
MOST = 1000
"""Pictures by which the strength is chosen; it is of the sum over pictures, so it fits more too."""
CHOOSING, FITTING = 60, 300
"""Turns of the iteration: the loss is then right to four digits; the scores to three."""


@dataclass(frozen=True)
class Head:
    """A dense layer, and the strength that cross-validation chose for it."""

    weight: np.ndarray
    bias: np.ndarray
    strength: float

    def scores(self, features: np.ndarray) -> np.ndarray:
        """What the layer makes of features: (N, in_features) -> (N, out_features)."""
        made: np.ndarray = features @ self.weight.T + self.bias
        return made


def fit(features: np.ndarray, labels: np.ndarray, weights: np.ndarray, seed: int) -> Head:
    """The dense layer that names the classes best: cross-entropy and a pull towards zero.

    Use it on the features of a frozen trunk: it takes seconds where gradient steps take minutes.
    How strong the pull is, cross-validation decides by the loss. `weights` says how much a
    picture of each class counts.

    Shape:   features (N, in_features), labels (N,), weights (num_classes,)
    Raises:  nothing
    Source:  Cox 1958, doi:10.1111/j.2517-6161.1958.tb00292.x; fixed bound of the curvature:
             Böhning 1992, doi:10.1007/BF00048682; momentum: Nesterov 1983
    """
    x, y = torch.from_numpy(features).double(), torch.from_numpy(labels)
    count = torch.from_numpy(weights).double()[y]
    order = torch.randperm(len(y), generator=generator(seed, "folds"))[:MOST]
    some = _Turned.of(x[order], count[order])
    strength = _chosen(some, y[order], len(weights))
    turned = _Turned.of(x, count)
    found = _solve(turned, y, turned.count[None], (strength,), len(weights), FITTING)[0, 0].double()
    weight = (turned.axes @ found[:-1]).T
    bias = found[-1] - weight @ turned.mean
    return Head(weight.float().contiguous().numpy(), bias.float().numpy(), strength)


@dataclass(frozen=True)
class _Turned:
    """Features along their principal axes: there the curvature has a bound for each axis alone."""

    x: Tensor
    """Of mean 0 and mean square length 1."""
    mean: Tensor
    axes: Tensor
    """As columns, no more than there are pictures; what was divided out is in them."""
    count: Tensor
    """How often each picture counts, 1 on average."""

    @staticmethod
    def of(x: Tensor, count: Tensor) -> _Turned:
        count = count[:, None] / count.mean()
        mean = (count * x).mean(0)
        x = x - mean
        scale = (count * x.square()).sum(1).mean().sqrt().clamp_min(1e-12)
        axes = _axes(x * count.sqrt()) / scale
        return _Turned((x @ axes).float(), mean, axes, count[:, 0].float())


def _axes(x: Tensor) -> Tensor:
    """The principal axes of some rows, as columns."""
    if len(x) < x.shape[1]:
        squares, sides = torch.linalg.eigh(x @ x.T)
        kept = squares > 1e-10 * squares.max()
        axes: Tensor = x.T @ (sides[:, kept] / squares[kept].sqrt())
    else:
        _, axes = torch.linalg.eigh(x.T @ x)
    return axes


def _chosen(turned: _Turned, y: Tensor, num_classes: int) -> float:
    """The strength whose loss is smallest on pictures that were left out."""
    # Within each class in turn, so that every fold has some of each class.
    fold = torch.empty_like(y)
    fold[y.argsort(stable=True)] = torch.arange(len(y)) % FOLDS
    inside = fold != torch.arange(FOLDS if num_classes < MANY else 1)[:, None]
    found = _solve(turned, y, inside * turned.count, STRENGTHS, num_classes, CHOOSING)
    scores = turned.x @ found[..., :-1, :] + found[..., -1:, :]
    losses = F.cross_entropy(
        scores.flatten(0, 2), y.repeat(len(STRENGTHS) * len(inside)), reduction="none"
    ).reshape(len(STRENGTHS), len(inside), -1)
    return STRENGTHS[int((losses * (~inside * turned.count)).sum((1, 2)).argmin())]


def _solve(
    turned: _Turned,
    y: Tensor,
    counts: Tensor,
    strengths: tuple[float, ...],
    num_classes: int,
    turns: int,
) -> Tensor:
    """Coefficients and bias for each strength and each way to count the pictures.

    All are found at once, so that a turn is one product of large matrices.

    Shape:  counts (folds, N) -> (strengths, folds, axes + 1, num_classes)
    """
    x = torch.cat([turned.x, torch.ones(len(y), 1)], dim=1)
    size, problems = x.shape[1], (len(strengths), len(counts))
    pull = torch.tensor(strengths)[:, None, None, None] * torch.ones(size, 1)
    pull[..., -1, :] = 0  # the bias is free
    # No curvature is above that of two classes equally likely, with every picture counted.
    curvature = (counts.amax(0)[:, None] * x.square()).sum(0)[:, None] / 2 + pull
    target = F.one_hot(y, num_classes).float()
    found = ahead = torch.zeros(*problems, size, num_classes)
    momentum = 1.0
    for _ in range(turns):
        scores = (x @ _side_by_side(ahead)).reshape(-1, *problems, num_classes)
        wrong = (scores.softmax(-1) - target[:, None, None]) * counts.T[:, None, :, None]
        slope = (x.T @ wrong.flatten(1)).reshape(size, *problems, num_classes).movedim(0, 2)
        before, found = found, ahead - (slope + pull * ahead) / curvature
        next_momentum = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = found + (momentum - 1) / next_momentum * (found - before)
        momentum = next_momentum
    return found


def _side_by_side(x: Tensor) -> Tensor:
    """(strengths, folds, A, num_classes) as one matrix of A rows."""
    return x.movedim(2, 0).flatten(1)
