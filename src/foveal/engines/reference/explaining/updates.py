"""One step of an optimiser for one weight, as the arithmetic that it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from foveal.engines.reference.explaining.terms import Number


@dataclass(frozen=True)
class Update:
    """How a weight follows its gradient."""

    numbers: tuple[Number, ...]
    """What is computed, in order; the last one is the new weight."""
    state: Mapping[str, float]
    """What the optimiser remembers for the next step."""

    @property
    def weight(self) -> float:
        """The new weight."""
        return self.numbers[-1].value

    def text(self) -> str:
        """A line for each number.

        >>> print(sgd(1.0, 0.5, learning_rate=0.1).text())
        gradient + weight_decay · weight = 0.5
        weight - learning_rate · step = 0.95
        """
        return "\n".join(f"{number.name} = {number.value:.6g}" for number in self.numbers)


def sgd(
    weight: float,
    gradient: float,
    *,
    learning_rate: float,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    velocity: float | None = None,
) -> Update:
    """Stochastic gradient descent; with momentum Nesterov's, which looks one step ahead.

    Use it to see how far one weight goes and why. Biases and other tensors of one axis have no
    weight decay in training: leave it out for them.

    Shape:   numbers -> numbers; `velocity` is None before the first step
    Params:  velocity, with momentum
    Raises:  nothing
    Source:  Sutskever et al. 2013, "On the importance of initialization and momentum"

    >>> first = sgd(1.0, 0.5, learning_rate=0.1, momentum=0.9)
    >>> first.weight, first.state
    (0.905, {'velocity': 0.5})
    >>> sgd(first.weight, 0.5, learning_rate=0.1, momentum=0.9, **first.state).state
    {'velocity': 0.95}
    """
    step = gradient + weight_decay * weight
    numbers = [Number("gradient + weight_decay · weight", step)]
    state: dict[str, float] = {}
    if momentum:
        before = velocity
        velocity = step if before is None else momentum * before + step
        step = step + momentum * velocity
        numbers += [
            Number("velocity: momentum · velocity + that", velocity),
            Number("step: that + momentum · velocity", step),
        ]
        state["velocity"] = velocity
    new = weight - learning_rate * step
    return Update((*numbers, Number("weight - learning_rate · step", new)), state)


def adamw(
    weight: float,
    gradient: float,
    *,
    learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.99),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    mean: float = 0.0,
    square: float = 0.0,
    steps: float = 0.0,
) -> Update:
    """Adam with decoupled weight decay: steps in units of the gradient's own size.

    Use it to see how far one weight goes and why. Biases and other tensors of one axis have no
    weight decay in training: leave it out for them.

    Shape:   numbers -> numbers; `mean`, `square` and `steps` are 0 before the first step
    Params:  mean, square, steps
    Raises:  nothing
    Source:  Loshchilov & Hutter 2017, arXiv:1711.05101; Kingma & Ba 2014, arXiv:1412.6980

    >>> first = adamw(1.0, 0.5, learning_rate=0.1)
    >>> round(first.weight, 6), sorted(first.state)
    (0.9, ['mean', 'square', 'steps'])
    >>> adamw(first.weight, 0.5, learning_rate=0.1, **first.state).state["steps"]
    2.0
    """
    decayed = weight * (1 - learning_rate * weight_decay)
    steps += 1
    mean = mean + (gradient - mean) * (1 - betas[0])
    square = square * betas[1] + (1 - betas[1]) * gradient * gradient
    mean_share, square_share = 1 - betas[0] ** steps, 1 - betas[1] ** steps
    root = sqrt(square) / sqrt(square_share) + eps
    new = decayed - learning_rate / mean_share * (mean / root)
    numbers = (
        Number("weight · (1 - learning_rate · weight_decay)", decayed),
        Number("mean: beta_1 · mean + (1 - beta_1) · gradient", mean),
        Number("square: beta_2 · square + (1 - beta_2) · gradient²", square),
        Number("1 - beta_1 ^ steps", mean_share),
        Number("1 - beta_2 ^ steps", square_share),
        Number("√(square / (1 - beta_2 ^ steps)) + eps", root),
        Number("weight - learning_rate · mean / (1 - beta_1 ^ steps) / root", new),
    )
    return Update(numbers, {"mean": mean, "square": square, "steps": steps})
