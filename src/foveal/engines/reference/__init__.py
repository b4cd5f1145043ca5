"""Every kind by its definition, in NumPy float64: what the other engines are measured against."""

from foveal.engines.reference.engine import Gradients, Reference, build
from foveal.engines.reference.row import Training
from foveal.engines.reference.rows import ROWS

__all__ = ["ROWS", "Gradients", "Reference", "Training", "build"]
