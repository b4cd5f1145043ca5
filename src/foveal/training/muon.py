"""Muon: momentum whose steps stretch no direction more than another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

ROUNDS = 3
"""Newton-Schulz iterations: what is left of the spread of singular values matters little."""
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of x, x³ and x⁵: steepest at 0, so that small singular values grow fastest."""


class Muon(Optimizer):
    """SGD with Nesterov momentum; in groups marked `orthogonal` the step is an orthogonal matrix.

    Use it for the kernels of convolutions and for matrices between layers. A kernel counts as a
    matrix of as many rows as it has filters. The step of a matrix with n rows and m columns is
    then multiplied by sqrt(max(1, n / m)). Weight decay shrinks the weights by rate times decay,
    apart from the gradient.

    Source:  Jordan 2024, https://kellerjordan.github.io/posts/muon
    """

    def __init__(self, groups: Iterable[dict[str, Any]], learning_rate: float, momentum: float):
        defaults = {
            "lr": learning_rate,
            "momentum": momentum,
            "weight_decay": 0.0,
            "orthogonal": False,
        }
        super().__init__(groups, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            held = [p for p in group["params"] if p.grad is not None]
            if not held:
                continue
            gradients = [p.grad for p in held]
            for p in held:
                if not self.state[p]:
                    self.state[p]["momentum_buffer"] = torch.zeros_like(p)
            mean = [self.state[p]["momentum_buffer"] for p in held]
            torch._foreach_mul_(mean, group["momentum"])
            torch._foreach_add_(mean, gradients)
            steps = list(torch._foreach_add(gradients, mean, alpha=group["momentum"]))
            if group["orthogonal"]:
                steps = _orthogonal(steps)
            if group["weight_decay"]:
                torch._foreach_mul_(held, 1 - group["lr"] * group["weight_decay"])
            torch._foreach_add_(held, steps, alpha=-group["lr"])


def _orthogonal(steps: list[Tensor]) -> list[Tensor]:
    """Each as an orthogonal matrix, those of one shape together."""
    alike: dict[torch.Size, list[int]] = {}
    for place, step in enumerate(steps):
        alike.setdefault(step.shape, []).append(place)
    made = list(steps)
    for shape, places in alike.items():
        stacked = torch.stack([steps[place].flatten(1) for place in places])
        rows, columns = stacked.shape[1:]
        found = orthogonal(stacked) * max(1.0, rows / columns) ** 0.5
        for place, matrix in zip(places, found, strict=True):
            made[place] = matrix.reshape(shape)
    return made


def orthogonal(matrices: Tensor, rounds: int = ROUNDS) -> Tensor:
    """About the nearest matrices whose rows (or columns, if those are fewer) are orthonormal.

    Use it to give every direction of an update the same length. Each round of the quintic
    Newton-Schulz iteration moves all singular values towards 1; after three the largest ones lie
    between 0.7 and 1.2.

    Shape:   (B, n, m) -> the same
    Source:  Jordan 2024; Bernstein & Newhouse 2024, arXiv:2409.20325
    """
    a, b, c = COEFFICIENTS
    x = matrices.mT if matrices.shape[1] > matrices.shape[2] else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(rounds):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    made: Tensor = x.mT if matrices.shape[1] > matrices.shape[2] else x
    return made


def effort(rows: int, columns: int, rounds: int = ROUNDS) -> int:
    """Multiplications that `orthogonal` takes for a matrix.

    >>> effort(1, 1)
    9
    """
    n, m = sorted((rows, columns))
    return rounds * n * n * (2 * m + n)
