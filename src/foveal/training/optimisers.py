"""How weights follow their gradients, and the running mean of where they went."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from foveal.engines.pytorch.layer import Layer
from foveal.net.layers import LayerNorm
from foveal.recipe import Recipe
from foveal.training.muon import Muon

BETA_2 = 0.99
"""Decay of AdamW's squared gradients: shorter than its usual 0.999, for trainings of few steps."""


def optimiser(
    module: nn.Module, recipe: Recipe, share: Callable[[str], float] = lambda path: 1.0
) -> Optimizer:
    """The optimiser of a recipe: frozen parameters stay, only kernels and matrices decay.

    `share` says by the path of a layer what part of the learning rate it follows; each group of
    the optimiser holds it as `share`, times `bias_rate` for biases.
    """
    held: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for path, layer in module.named_modules():
        for name, parameter in layer.named_parameters(recurse=False):
            if parameter.requires_grad:
                mixes = _mixes(layer, name, parameter)
                part = share(path) * (recipe.bias_rate if name == "bias" else 1.0)
                held.setdefault((part, mixes), []).append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": parameters, "share": part, "weight_decay": recipe.weight_decay if mixes else 0.0}
        for (part, mixes), parameters in held.items()
    ]
    match recipe.optimiser:
        case "sgd":
            nesterov = recipe.momentum > 0
            return SGD(groups, recipe.learning_rate, recipe.momentum, nesterov=nesterov, fused=True)
        case "adamw":
            betas = (recipe.momentum, BETA_2)
            return AdamW(groups, recipe.learning_rate, betas, fused=True)
        case "muon":
            for group, (_, mixes) in zip(groups, held, strict=True):
                group["orthogonal"] = mixes
            return Muon(groups, recipe.learning_rate, recipe.momentum)
    raise ValueError(recipe.optimiser)


def _mixes(layer: nn.Module, name: str, parameter: Tensor) -> bool:
    """Whether it is a kernel or a matrix.

    Biases and the factors of a norm have axes too where each position has its own.
    """
    is_factor = isinstance(layer, Layer) and isinstance(layer.kind, LayerNorm)
    return parameter.dim() > 1 and name != "bias" and not is_factor


def state(optimiser: Optimizer) -> dict[str, np.ndarray]:
    """What an optimiser remembers, as arrays by `number of parameter.name`."""
    held = optimiser.state_dict()["state"]
    return {
        f"{number}.{name}": value.detach().cpu().contiguous().numpy().copy()
        for number, names in held.items()
        for name, value in names.items()
        if isinstance(value, Tensor)
    }


def restore(optimiser: Optimizer, arrays: Mapping[str, np.ndarray]) -> None:
    """Give an optimiser back what `state` took."""
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    for key, array in arrays.items():
        number, _, name = key.partition(".")
        parameter, value = parameters[int(number)], torch.tensor(array)
        # Fused kernels need the same layout in memory as the parameter has.
        held = torch.empty_like(parameter) if value.dim() else value.to(parameter.device)
        optimiser.state[parameter][name] = held.detach().copy_(value)


class Average:
    """What a training answers with: the running mean of weights and statistics, or a mixture.

    Use it to answer with less noise than the last step has. Early steps count more, so that the
    random start is soon forgotten: the decay is min(decay, (1 + steps) / (10 + steps)). With decay
    0 it is the last weights themselves. Of the weights at the start, the share `anchor` is mixed
    in: what a trunk knew is worth something beside what few pictures taught it.

    Source:  Polyak & Juditsky 1992, doi:10.1137/0330046; anchor: Wortsman et al. 2022,
             arXiv:2109.01903
    """

    def __init__(self, module: nn.Module, decay: float, anchor: float = 0.0) -> None:
        self.decay, self.anchor = decay, anchor
        held = module.state_dict()
        self.paths, self.last = list(held), list(held.values())
        self.mean = [value.clone() for value in self.last] if decay else self.last
        self.start = [value.clone() for value in self.last] if anchor else self.last

    @torch.no_grad()
    def update(self, steps: int) -> None:
        """Take in the weights after so many steps."""
        if self.decay:
            decay = min(self.decay, (1 + steps) / (10 + steps))
            torch._foreach_lerp_(self.mean, self.last, 1 - decay)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Inside, the module has the weights of the answer."""
        kept = [value.clone() for value in self.last]
        try:
            self._put(self.mean)
            if self.anchor:
                with torch.no_grad():
                    torch._foreach_lerp_(self.last, self.start, self.anchor)
            yield
        finally:
            self._put(kept)

    def arrays(self) -> dict[str, np.ndarray]:
        """The running mean by path; nothing with decay 0."""
        if not self.decay:
            return {}
        held = (value.detach().cpu().contiguous().numpy().copy() for value in self.mean)
        return dict(zip(self.paths, held, strict=True))

    @torch.no_grad()
    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take back what `arrays` gave."""
        for path, mean in zip(self.paths, self.mean, strict=True):
            if path in arrays:
                mean.copy_(torch.tensor(arrays[path]))

    @torch.no_grad()
    def _put(self, values: list[Tensor]) -> None:
        for last, value in zip(self.last, values, strict=True):
            last.copy_(value)
