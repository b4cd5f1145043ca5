"""Three engines that give the same answers: one learns, one explains, one is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

from foveal.errors import SpecError, did_you_mean

if TYPE_CHECKING:
    import numpy as np

    from foveal.net.program import Program

ENGINES = {
    "reference": "foveal.engines.reference",
    "portable": "foveal.engines.portable",
    "pytorch": "foveal.engines.pytorch",
}
"""Name of each engine and the module whose `build` makes it; imported when asked for."""


class Engine(Protocol):
    """A program with weights, ready to predict."""

    def run(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Each result of the program by its name; a single result has the empty name.

        Shape:  (N, C, H, W) float, or (N, H, W, C) uint8 where the program begins with
                `input uint8` -> (N, ...) for each result
        """
        ...


def build(
    name: str, program: Program, weights: Mapping[str, np.ndarray], **options: bool
) -> Engine:
    """The engine of that name for a program and its weights by path."""
    engine: Engine = module(name).build(program, weights, **options)
    return engine


def module(name: str) -> ModuleType:
    """The package of an engine, imported now."""
    if name not in ENGINES:
        raise SpecError("is not an engine", where=name, fix=did_you_mean(name, ENGINES))
    return import_module(ENGINES[name])
