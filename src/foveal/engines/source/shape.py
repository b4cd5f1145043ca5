"""Values in another place, written for PyTorch."""

from __future__ import annotations

from foveal.engines.source.code import Piece, Rows, call
from foveal.engines.source.padding import padding
from foveal.net.layers import Pad, Reshape, Take
from foveal.net.program import Step

HELPERS = {
    "Take": '''
class Take(nn.Module):
    """Pick channels by their numbers."""

    def __init__(self, *channels: int) -> None:
        super().__init__()
        self.register_buffer("channels", torch.tensor(channels), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x.index_select(1, self.channels)
''',
}


def reshape(step: Step, shared: bool) -> tuple[Piece, ...]:
    return (Piece(None, f"torch.reshape({{0}}, {(-1, *step.shape)})"),)


def pad(step: Step, shared: bool) -> tuple[Piece, ...]:
    assert isinstance(step.kind, Pad)
    border = padding(step.pads, step.kind.fill)
    return (Piece(border.module, border.function),)


def take(step: Step, shared: bool) -> tuple[Piece, ...]:
    assert isinstance(step.kind, Take)
    return (Piece(call("Take", {f"channel{n}": c for n, c in enumerate(step.kind.channels)})),)


ROWS: Rows = {Reshape: reshape, Pad: pad, Take: take}
