"""What acts in training only, written for PyTorch."""

from __future__ import annotations

from foveal.engines.source.code import Piece, Rows, call
from foveal.net.layers import Dropout, DropPath
from foveal.net.program import Step

HELPERS = {
    "DropPath": '''
class DropPath(nn.Module):
    """While training, set all values of randomly chosen samples to zero."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = torch.rand(len(x), *(1,) * (x.dim() - 1), device=x.device) >= self.p
        return x * kept / (1 - self.p)
''',
}


def dropout(step: Step, shared: bool) -> tuple[Piece, ...]:
    kind = step.kind
    assert isinstance(kind, Dropout)
    axes = len(step.shape) - 1 if kind.spatial else 0
    module = call(f"nn.Dropout{axes}d" if axes else "nn.Dropout", {"p": kind.p})
    name = f"F.dropout{axes}d" if axes else "F.dropout"
    return (Piece(module, f"{name}({{0}}, {kind.p!r}, self.training)"),)


def drop_path(step: Step, shared: bool) -> tuple[Piece, ...]:
    """A ramp's share to four digits: that of a whole training, which chance decides anyway."""
    assert isinstance(step.kind, DropPath)
    return (Piece(call("DropPath", {"p": float(f"{step.kind.p:.4g}")})),)


ROWS: Rows = {Dropout: dropout, DropPath: drop_path}
