"""The rows of all kinds, joined from one table per family."""

from __future__ import annotations

from foveal.engines.reference import (
    activation,
    convolution,
    dense,
    entrance,
    merge,
    normalisation,
    pooling,
    regularisation,
)
from foveal.engines.reference.row import Row
from foveal.net.kind import Kind

ROWS: dict[type[Kind], Row] = {
    **entrance.ROWS,
    **convolution.ROWS,
    **pooling.ROWS,
    **normalisation.ROWS,
    **activation.ROWS,
    **regularisation.ROWS,
    **dense.ROWS,
    **merge.ROWS,
}
"""What every kind does, forward and backward."""
