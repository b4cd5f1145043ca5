"""Foveal: convolutional networks you can see through, trained on the computer you have."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foveal.engines.pytorch.public import module as module
    from foveal.engines.pytorch.tracing import from_torch as from_torch
    from foveal.errors import FovealError as FovealError
    from foveal.importing.onnx import from_onnx as from_onnx
    from foveal.model import Model as Model
    from foveal.model import load as load
    from foveal.net import Net as Net
    from foveal.net.notation import parse as parse
    from foveal.recipe import Recipe as Recipe
    from foveal.recipe import Transfer as Transfer
    from foveal.run.curve import curve as curve
    from foveal.run.one_call import train as train
    from foveal.tasks.classify import Evaluation as Evaluation
    from foveal.tasks.classify import Prediction as Prediction

__version__ = "0.1.0"

_PUBLIC = {
    "Evaluation": "foveal.tasks.classify",
    "FovealError": "foveal.errors",
    "Model": "foveal.model",
    "Net": "foveal.net",
    "Prediction": "foveal.tasks.classify",
    "Recipe": "foveal.recipe",
    "Transfer": "foveal.recipe",
    "curve": "foveal.run.curve",
    "from_onnx": "foveal.importing.onnx",
    "from_torch": "foveal.engines.pytorch.tracing",
    "load": "foveal.model",
    "module": "foveal.engines.pytorch.public",
    "parse": "foveal.net.notation",
    "train": "foveal.run.one_call",
}
"""Each public name and where it lives; loaded when it is first used."""

__all__ = [
    "Evaluation",
    "FovealError",
    "Model",
    "Net",
    "Prediction",
    "Recipe",
    "Transfer",
    "curve",
    "from_onnx",
    "from_torch",
    "load",
    "module",
    "parse",
    "train",
]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'foveal' has no attribute {name!r}")
    try:
        return getattr(import_module(_PUBLIC[name]), name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        from foveal.errors import MissingExtra

        raise MissingExtra(f"foveal.{name}", extra="train") from None


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
