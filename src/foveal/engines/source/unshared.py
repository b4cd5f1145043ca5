"""Local connections, written for PyTorch."""

from __future__ import annotations

from foveal.engines.source.code import Piece, Rows, call
from foveal.engines.source.padding import padding
from foveal.net.layers import LocallyConnected
from foveal.net.program import Step

HELPERS = {
    "LocallyConnected": '''
class LocallyConnected(nn.Module):
    """A convolution with other weights at every position."""

    def __init__(
        self,
        in_channels: int,
        maps: tuple[int, ...],
        kernel_size: tuple[int, ...],
        *,
        stride: tuple[int, ...],
        dilation: tuple[int, ...],
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.dilation = kernel_size, stride, dilation
        spread = (2 / (in_channels * math.prod(kernel_size))) ** 0.5
        self.weight = nn.Parameter(spread * torch.randn(*maps, in_channels, *kernel_size))
        self.bias = nn.Parameter(torch.zeros(maps)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        patches = windows(x, self.kernel_size, self.stride, self.dilation)
        w = self.weight.flatten(-len(self.kernel_size))
        y = torch.einsum("nc...t,o...ct->no...", patches, w)
        return y if self.bias is None else y + self.bias
''',
}


def unshared(step: Step, shared: bool) -> tuple[Piece, ...]:
    kind = step.kind
    assert isinstance(kind, LocallyConnected)
    axes = kind.windows(step.ins)
    module = call(
        "LocallyConnected",
        {
            "in_channels": step.ins[0][0],
            "maps": step.shape,
            "kernel_size": tuple(axis.kernel_size for axis in axes),
        },
        stride=tuple(axis.stride for axis in axes),
        dilation=tuple(axis.dilation for axis in axes),
        bias=None if kind.bias else False,
        after=".requires_grad_(False)" if kind.frozen else "",
    )
    if not any(map(any, step.pads)):
        return (Piece(module),)
    return padding(step.pads, kind.fill), Piece(module)


ROWS: Rows = {LocallyConnected: unshared}
