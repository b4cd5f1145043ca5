"""Filters that are worked on before they are used, written for PyTorch."""

from __future__ import annotations

from foveal.net.layers import Conv, Dense, Depthwise

_FUNCTION = '''
def worked_on(
    w: Tensor, gain: Tensor | None, shape: tuple[int, int], unit_sum: bool, flip: bool
) -> Tensor:
    """Filters as they enter the sums, from those that are learned."""
    rest = tuple(range(1, w.dim()))
    if gain is not None:  # a direction times a length
        w = w * (gain / w.square().sum(rest).sqrt()).reshape(-1, *(1,) * len(rest))
    if w.shape[:2] != shape:  # the same kernel for all channels
        w = w.repeat(shape[0] // w.shape[0], shape[1] // w.shape[1], *(1,) * (w.dim() - 2))
    if unit_sum:
        w = w / w.sum(rest, keepdim=True)
    return w.flip(rest[1:]) if flip else w
'''
_CONVOLUTION = '''
class WorkedOnConv{0}d(nn.Conv{0}d):
    """A convolution whose filters are worked on before they are used."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, ...],
        *,
        kernels: int | None = None,
        gain: bool = False,
        unit_sum: bool = False,
        flip: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, **options)
        self.unit_sum, self.flip = unit_sum, flip
        if kernels is not None:
            self.weight = nn.Parameter(self.weight[:kernels, :1].detach().clone())
        self.gain = nn.Parameter(self.weight.detach().flatten(1).norm(dim=1)) if gain else None

    def forward(self, x: Tensor) -> Tensor:
        shape = (self.out_channels, self.in_channels // self.groups)
        w = worked_on(self.weight, self.gain, shape, self.unit_sum, self.flip)
        return F.conv{0}d(x, w, self.bias, self.stride, self.padding, self.dilation, self.groups)
'''
_DENSE = '''
class WorkedOnLinear(nn.Linear):
    """A dense layer whose weights are worked on before they are used."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        gain: bool = False,
        unit_sum: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__(in_features, out_features, bias)
        self.unit_sum = unit_sum
        self.gain = nn.Parameter(self.weight.detach().norm(dim=1)) if gain else None

    def forward(self, x: Tensor) -> Tensor:
        w = worked_on(self.weight, self.gain, self.weight.shape[:2], self.unit_sum, False)
        return F.linear(x, w, self.bias)
'''
HELPERS = {
    "worked_on": _FUNCTION,
    **{f"WorkedOnConv{axes}d": _CONVOLUTION.format(axes) for axes in (1, 2, 3)},
    "WorkedOnLinear": _DENSE,
}


def work(kind: Conv | Depthwise | Dense, kernels: int) -> dict[str, int | bool | None]:
    """What is done to the filters of a kind; empty if nothing. `kernels` if they are shared."""
    said: dict[str, int | bool | None] = {
        "kernels": kernels if getattr(kind, "shared", False) else None,
        "gain": True if kind.weight == "weight_norm" else None,
        "unit_sum": True if kind.weight == "unit_sum" else None,
        "flip": True if getattr(kind, "flip", False) else None,
    }
    return {word: value for word, value in said.items() if value is not None}
