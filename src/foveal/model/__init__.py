"""A trained model: a net, its weights and its task in one file; works without PyTorch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foveal.model.model import Model as Model
    from foveal.model.saved import load as load
    from foveal.model.saved import save as save

_PUBLIC = {
    "Model": "foveal.model.model",
    "load": "foveal.model.saved",
    "save": "foveal.model.saved",
}
"""Loaded when first used: showing a model file needs no NumPy."""

__all__ = ["Model", "load", "save"]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'foveal.model' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
