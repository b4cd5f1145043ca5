"""How each kind of layer is written: a table with one row per kind."""

from __future__ import annotations

from dataclasses import replace

from foveal.engines.source import (
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
from foveal.engines.source.code import Call, Number, Piece, Rows
from foveal.errors import SpecError
from foveal.net.program import Step

ROWS: Rows = {
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
"""The row of each kind."""

GIVEN = '''
def given(layer: nn.Module, numbers: tuple[float, ...]) -> nn.Module:
    """A layer that starts with these numbers, which are those of a kernel, a filter, or all."""
    w = layer.weight
    first = max(n for n in range(w.dim()) if w.shape[n:].numel() == len(numbers))
    w.data.copy_(torch.tensor(numbers).reshape(w.shape[first:]))
    return layer
'''
HELPERS: dict[str, str] = {
    "given": GIVEN,
    **entrance.HELPERS,
    **convolution.HELPERS,
    **unshared.HELPERS,
    **pooling.HELPERS,
    **unpooling.HELPERS,
    **normalisation.HELPERS,
    **regularisation.HELPERS,
    **embedding.HELPERS,
    **shape.HELPERS,
    **scaling.HELPERS,
    **merge.HELPERS,
}
"""What is written once at the top of a file that needs it: name to text."""


def pieces(step: Step, shared: bool) -> tuple[Piece, ...]:
    """The calls that a step is written as.

    Raises:  SpecError if its kind has no row
    """
    if type(step.kind) not in ROWS:
        raise SpecError(
            f"the PyTorch source has no row for {type(step.kind).__name__}", where=step.path
        )
    numbers = next((t.init for t in step.tensors if isinstance(t.init, tuple)), None)
    made = ROWS[type(step.kind)](step, shared)
    if numbers is None:
        return made
    return tuple(piece if piece.suffix else _given(piece, numbers) for piece in made)


def _given(piece: Piece, numbers: tuple[float, ...]) -> Piece:
    """A layer whose weights start with given numbers."""
    if piece.module is None:
        return piece
    arguments = ("", piece.module), ("", Number(numbers, "numbers"))
    return replace(piece, module=Call("given", arguments))
