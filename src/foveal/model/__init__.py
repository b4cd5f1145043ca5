"""A trained model: a net, its weights and its task in one file; works without PyTorch."""

from foveal.model.model import Model
from foveal.model.saved import load, save

__all__ = ["Model", "load", "save"]
