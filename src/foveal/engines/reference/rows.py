"""The rows of all kinds, joined from one table per family."""

from __future__ import annotations

from foveal.engines.reference import (
    activation,
    adaptive,
    convolution,
    dense,
    embedding,
    entrance,
    global_pooling,
    merge,
    normalisation,
    pooling,
    regularisation,
    scaling,
    shape,
    transposed,
    unpooling,
    unshared,
    upsampling,
)
from foveal.engines.reference.row import Row
from foveal.net.kind import Kind

ROWS: dict[type[Kind], Row] = {
    **entrance.ROWS,
    **convolution.ROWS,
    **transposed.ROWS,
    **unshared.ROWS,
    **pooling.ROWS,
    **adaptive.ROWS,
    **global_pooling.ROWS,
    **upsampling.ROWS,
    **unpooling.ROWS,
    **normalisation.ROWS,
    **activation.ROWS,
    **regularisation.ROWS,
    **dense.ROWS,
    **embedding.ROWS,
    **shape.ROWS,
    **scaling.ROWS,
    **merge.ROWS,
}
"""What every kind does, forward and backward."""
