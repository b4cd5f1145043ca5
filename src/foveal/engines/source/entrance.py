"""The entrance of a net, written for PyTorch."""

from __future__ import annotations

from foveal.engines.source.code import Piece, Rows, call
from foveal.net.layers import Crop, Expect, Identity, Input, Normalise, Resize
from foveal.net.program import Step

HELPERS = {
    "resize": '''
def resize(x: Tensor, size: int | tuple[int, ...]) -> Tensor:
    """Resize to a shorter side, or to all sides: bilinear, antialiased, in whole levels."""
    sides = x.shape[2:]
    if isinstance(size, int):
        short = min(sides)
        size = tuple((2 * n * size + short) // (2 * short) for n in sides)
    y = x.double()
    for axis, (n, m) in enumerate(zip(sides, size, strict=True), start=2):
        i = torch.arange(n, dtype=y.dtype, device=x.device) + 0.5
        o = (torch.arange(m, dtype=y.dtype, device=x.device) + 0.5) * n / m
        weights = (1 - (i - o[:, None]).abs() / max(1, n / m)).clamp(min=0)
        weights = weights / weights.sum(1, keepdim=True)
        y = (y.movedim(axis, -1) @ weights.T).movedim(-1, axis)
    return y.round().to(x.dtype)
''',
    "crop": '''
def crop(x: Tensor, size: tuple[int, ...]) -> Tensor:
    """Cut out the middle."""
    for axis, n in enumerate(size, start=2):
        x = x.narrow(axis, (x.shape[axis] - n) // 2, n)
    return x
''',
    "Normalise": '''
class Normalise(nn.Module):
    """Subtract a mean from each channel and divide by a deviation."""

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean), persistent=False)
        self.register_buffer("std", torch.tensor(std), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        axes = (-1, *(1,) * (x.dim() - 2))
        return (x - self.mean.reshape(axes)) / self.std.reshape(axes)
''',
}


def entrance(step: Step, shared: bool) -> tuple[Piece, ...]:
    assert isinstance(step.kind, Input)
    if step.kind.dtype == "uint8":
        return (Piece(None, "torch.movedim({0}, -1, 1).float()"),)
    return ()


def resize(step: Step, shared: bool) -> tuple[Piece, ...]:
    assert isinstance(step.kind, Resize)
    return (Piece(None, f"resize({{0}}, {step.kind.size})"),)


def crop(step: Step, shared: bool) -> tuple[Piece, ...]:
    return (Piece(None, f"crop({{0}}, {step.shape[1:]})"),)


def normalise(step: Step, shared: bool) -> tuple[Piece, ...]:
    assert isinstance(step.kind, Normalise)
    mean, std = step.kind.mean, step.kind.std
    if len(mean) == len(std) == 1:
        return (Piece(None, f"({{0}} - {mean[0]!r}) / {std[0]!r}"),)
    return (Piece(call("Normalise", {"mean": mean, "std": std})),)


def nothing(step: Step, shared: bool) -> tuple[Piece, ...]:
    return ()


ROWS: Rows = {
    Input: entrance,
    Resize: resize,
    Crop: crop,
    Normalise: normalise,
    Expect: nothing,
    Identity: nothing,
}
