"""Branches that become one value again, written for PyTorch."""

from __future__ import annotations

from foveal.engines.source.code import Piece, Rows
from foveal.net.kind import Kind
from foveal.net.layers import Add, Combine, Concat, Multiply
from foveal.net.program import Step

_BRANCHES = '''
class {name}(nn.ModuleList):
    """{about}"""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__(branches)

    def forward(self, x: Tensor) -> Tensor:
        return {joined}
'''
HELPERS = {
    "Add": _BRANCHES.format(
        name="Add",
        about="Branches that read the same, and the sum of what they make.",
        joined="sum(branch(x) for branch in self)",
    ),
    "Concat": _BRANCHES.format(
        name="Concat",
        about="Branches that read the same, and their channels behind one another.",
        joined="torch.cat([branch(x) for branch in self], 1)",
    ),
    "Multiply": _BRANCHES.format(
        name="Multiply",
        about="Branches that read the same, and the product of what they make.",
        joined="math.prod(branch(x) for branch in self)",
    ),
    "combine": '''
def combine(prototypes: Tensor, coefficients: Tensor) -> Tensor:
    """Sums of the prototype maps, one for each set of coefficients."""
    p = prototypes.reshape(*prototypes.shape[:2], -1)
    c = coefficients.reshape(*coefficients.shape[:2], -1)
    made = c.transpose(1, 2) @ p
    return made.reshape(*made.shape[:2], *prototypes.shape[2:])
''',
}
PARALLEL: dict[type[Kind], str] = {Add: "Add", Concat: "Concat", Multiply: "Multiply"}
"""The helper that holds branches which all read the same."""


def add(step: Step, shared: bool) -> tuple[Piece, ...]:
    return (Piece(None, " + ".join(_numbered(step))),)


def multiply(step: Step, shared: bool) -> tuple[Piece, ...]:
    return (Piece(None, " * ".join(_numbered(step))),)


def concat(step: Step, shared: bool) -> tuple[Piece, ...]:
    return (Piece(None, f"torch.cat([{', '.join(_numbered(step))}], 1)"),)


def combine(step: Step, shared: bool) -> tuple[Piece, ...]:
    return (Piece(None, "combine({0}, {1})"),)


def _numbered(step: Step) -> list[str]:
    return [f"{{{number}}}" for number in range(len(step.inputs))]


ROWS: Rows = {Add: add, Concat: concat, Multiply: multiply, Combine: combine}
