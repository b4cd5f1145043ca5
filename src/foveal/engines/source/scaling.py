"""Factors, written for PyTorch."""

from __future__ import annotations

from foveal.engines.source.code import Piece, Rows, call
from foveal.net.layers import Gain, Scale
from foveal.net.program import Step

HELPERS = {
    "Scale": '''
class Scale(nn.Module):
    """A learned factor for each channel, perhaps with a learned number to add."""

    def __init__(self, channels: int, value: float, bias: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), value))
        self.bias = nn.Parameter(torch.zeros(channels)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        axes = (-1, *(1,) * (x.dim() - 2))
        y = x * self.weight.reshape(axes)
        return y if self.bias is None else y + self.bias.reshape(axes)
''',
}


def scale(step: Step, shared: bool) -> tuple[Piece, ...]:
    kind = step.kind
    assert isinstance(kind, Scale)
    sizes = {"channels": step.shape[0], "value": float(kind.value)}
    return (Piece(call("Scale", sizes, bias=True if kind.bias else None)),)


def gain(step: Step, shared: bool) -> tuple[Piece, ...]:
    assert isinstance(step.kind, Gain)
    return (Piece(None, f"{step.kind.factor!r} * {{0}}"),)


ROWS: Rows = {Scale: scale, Gain: gain}
