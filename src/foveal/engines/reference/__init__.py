"""Every kind by its definition, in NumPy float64: what the other engines are measured against."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foveal.engines.reference.engine import Gradients as Gradients
    from foveal.engines.reference.engine import Reference as Reference
    from foveal.engines.reference.engine import build as build
    from foveal.engines.reference.explaining.terms import Explanation as Explanation
    from foveal.engines.reference.explaining.terms import (
        GradientExplanation as GradientExplanation,
    )
    from foveal.engines.reference.row import Training as Training
    from foveal.engines.reference.rows import ROWS as ROWS

_PUBLIC = {
    "ROWS": "foveal.engines.reference.rows",
    "Explanation": "foveal.engines.reference.explaining.terms",
    "GradientExplanation": "foveal.engines.reference.explaining.terms",
    "Gradients": "foveal.engines.reference.engine",
    "Reference": "foveal.engines.reference.engine",
    "Training": "foveal.engines.reference.row",
    "build": "foveal.engines.reference.engine",
}
"""Loaded when first used: prediction needs only `geometry`."""

__all__ = [
    "ROWS",
    "Explanation",
    "GradientExplanation",
    "Gradients",
    "Reference",
    "Training",
    "build",
]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'foveal.engines.reference' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
