"""The engine that learns: a program as a PyTorch module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from foveal.engines.pytorch.modules import ROWS, Module, load, module, weights
from foveal.net.program import Program


@dataclass(frozen=True)
class Torch:
    """A program with weights in PyTorch, ready to predict."""

    module: Module

    def run(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Each result of the program by its name, for a batch."""
        with torch.no_grad():
            made = self.module(torch.tensor(x))
        return {name: value.cpu().numpy() for name, value in made.items()}


def build(program: Program, weights: Mapping[str, np.ndarray]) -> Torch:
    """The engine for a program and its weights by path.

    Raises:  SpecError if weights are missing, left over or of another shape
    """
    return Torch(module(program, weights).eval())


__all__ = ["ROWS", "Module", "Torch", "build", "load", "module", "weights"]
