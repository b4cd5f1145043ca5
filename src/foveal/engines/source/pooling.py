"""Pooling, written for PyTorch."""

from __future__ import annotations

from math import inf

from foveal.engines.source.code import Piece, Rows, Value, call, option, plain
from foveal.engines.source.padding import padding
from foveal.net.layers import AvgPool, LpPool, MaxPool, MinPool, StochasticPool, SumPool
from foveal.net.layers.window import Window
from foveal.net.program import Step

Windows = tuple[Window, ...]

HELPERS = {
    "windows": '''
def windows(
    x: Tensor, kernel_size: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> Tensor:
    """What each window reads, behind its place: (N, C, ..., taps)."""
    for axis, (k, s, d) in enumerate(zip(kernel_size, stride, dilation, strict=True), start=2):
        x = x.unfold(axis, d * (k - 1) + 1, s)[..., ::d]
    return x.flatten(-len(kernel_size))
''',
    "p_norm": '''
def p_norm(x: Tensor, p: int) -> Tensor:
    """The p-norm along the last axis; its largest value is taken out, so that no p overflows."""
    most = x.detach().abs().amax(-1, keepdim=True)
    most = torch.where(most == 0, 1, most)
    total = ((x.abs() / most) ** p).sum(-1)
    root = torch.where(total == 0, 1, total) ** (1 / p)
    return most[..., 0] * torch.where(total == 0, 0, root)
''',
    "mean_of_window": '''
def mean_of_window(
    x: Tensor,
    kernel_size: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    pads: tuple[int, ...],
    beyond: tuple[int, ...],
    count_include_pad: bool,
) -> Tensor:
    """The mean of each window over the positions that count."""
    ones = F.pad(torch.ones_like(x[:1, :1]), pads, value=float(count_include_pad))
    x, ones = F.pad(F.pad(x, pads), beyond), F.pad(ones, beyond)
    total, counted = (windows(y, kernel_size, stride, dilation).sum(-1) for y in (x, ones))
    return total / counted
''',
    "stochastic_pool": '''
def stochastic_pool(read: Tensor, training: bool) -> Tensor:
    """One value of each window, drawn in proportion to its size; the expected one to predict."""
    a = read.relu()
    total = a.sum(-1)
    if not training:
        return (a * a).sum(-1) / torch.where(total == 0, 1, total)
    chances = torch.where(total[..., None] == 0, 1, a.detach()).flatten(0, -2)
    drawn = torch.multinomial(chances, 1).reshape(*total.shape, 1)
    return a.gather(-1, drawn)[..., 0]
''',
}


def largest(step: Step, shared: bool) -> tuple[Piece, ...]:
    axes = step.kind.windows(step.ins)
    inside = _pads_natively(axes)
    pool = Piece(
        call(
            f"nn.MaxPool{len(axes)}d",
            {"kernel_size": plain(_kernel(axes))},
            stride=_stride(axes),
            padding=option(_before(axes), 0) if inside else None,
            dilation=option(_dilation(axes), 1),
            ceil_mode=True if inside and _goes_beyond(axes) else None,
        ),
        _function(f"F.max_pool{len(axes)}d", axes, inside, dilation=True),
    )
    return (pool,) if inside else (padding(_reach(axes), -inf), pool)


def smallest(step: Step, shared: bool) -> tuple[Piece, ...]:
    axes = step.kind.windows(step.ins)
    pooled = f"-F.max_pool{len(axes)}d(-{{0}}{_sizes(axes)}"
    if _dilation(axes) != (1,) * len(axes):
        pooled += f", dilation={plain(_dilation(axes))}"
    around = (padding(_reach(axes), inf),) if any(map(any, _reach(axes))) else ()
    return *around, Piece(None, f"{pooled})")


def mean(step: Step, shared: bool) -> tuple[Piece, ...]:
    kind, axes = step.kind, step.kind.windows(step.ins)
    assert isinstance(kind, AvgPool)
    fits = all(axis.dilation == 1 and axis.n >= axis.kernel_size for axis in axes)
    if fits and _pads_natively(axes) and not _goes_beyond(axes):
        padded = any(map(any, _reach(axes)))
        left_out = padded and not kind.count_include_pad
        function = _function(f"F.avg_pool{len(axes)}d", axes, inside=True)
        module = call(
            f"nn.AvgPool{len(axes)}d",
            {"kernel_size": plain(_kernel(axes))},
            stride=_stride(axes),
            padding=option(_before(axes), 0),
            count_include_pad=False if left_out else None,
        )
        if left_out:
            function = function[:-1] + ", count_include_pad=False)"
        return (Piece(module, function),)
    pads = tuple(side for axis in reversed(axes) for side in (axis.before, axis.after))
    beyond = tuple(side for axis in reversed(axes) for side in (0, axis.beyond))
    sizes = f"{_taps(axes)}, {pads}, {beyond}, {kind.count_include_pad}"
    return (Piece(None, f"mean_of_window({{0}}, {sizes})"),)


def total(step: Step, shared: bool) -> tuple[Piece, ...]:
    axes = step.kind.windows(step.ins)
    if len(axes) > 1 and _dilation(axes) == (1,) * len(axes):
        sizes = _sizes(axes)
        pool = f"F.avg_pool{len(axes)}d({{0}}{sizes}, divisor_override=1)"
        return *_around(axes), Piece(None, pool)
    return _of_windows(axes, "torch.sum({0}, -1)")


def norm(step: Step, shared: bool) -> tuple[Piece, ...]:
    assert isinstance(step.kind, LpPool)
    return _of_windows(step.kind.windows(step.ins), f"p_norm({{0}}, {step.kind.p})")


def drawn(step: Step, shared: bool) -> tuple[Piece, ...]:
    axes = step.kind.windows(step.ins)
    return _of_windows(axes, "stochastic_pool({0}, self.training)")


def _of_windows(axes: Windows, function: str) -> tuple[Piece, ...]:
    read = f"windows({{0}}, {_taps(axes)})"
    return *_around(axes), Piece(None, read, "windows"), Piece(None, function)


def _around(axes: Windows) -> tuple[Piece, ...]:
    reach = _reach(axes)
    return (padding(reach),) if any(map(any, reach)) else ()


def _kernel(axes: Windows) -> tuple[int, ...]:
    return tuple(axis.kernel_size for axis in axes)


def _stride(axes: Windows) -> Value | None:
    """The stride where it is not the kernel's size, which PyTorch takes unless told."""
    stride = tuple(axis.stride for axis in axes)
    return None if stride == _kernel(axes) else plain(stride)


def _dilation(axes: Windows) -> tuple[int, ...]:
    return tuple(axis.dilation for axis in axes)


def _before(axes: Windows) -> tuple[int, ...]:
    return tuple(axis.before for axis in axes)


def _taps(axes: Windows) -> str:
    return f"{_kernel(axes)}, {tuple(axis.stride for axis in axes)}, {_dilation(axes)}"


def _sizes(axes: Windows) -> str:
    """Kernel and stride behind what is pooled."""
    stride = _stride(axes)
    return f", {plain(_kernel(axes))}" + ("" if stride is None else f", stride={stride}")


def _function(name: str, axes: Windows, inside: bool, dilation: bool = False) -> str:
    said = f"{name}({{0}}{_sizes(axes)}"
    if inside and any(_before(axes)):
        said += f", padding={plain(_before(axes))}"
    if dilation and _dilation(axes) != (1,) * len(axes):
        said += f", dilation={plain(_dilation(axes))}"
    return said + (", ceil_mode=True)" if inside and _goes_beyond(axes) else ")")


def _reach(axes: Windows) -> tuple[tuple[int, int], ...]:
    """How far windows reach around the picture, with what only `ceil` reads."""
    return tuple((axis.before, axis.after + axis.beyond) for axis in axes)


def _goes_beyond(axes: Windows) -> bool:
    return any(axis.beyond for axis in axes)


def _pads_natively(axes: Windows) -> bool:
    """Whether PyTorch's pooling pads so itself: alike at both sides, by half the kernel at most."""
    return all(axis.before == axis.after and 2 * axis.before <= axis.kernel_size for axis in axes)


ROWS: Rows = {
    MaxPool: largest,
    MinPool: smallest,
    AvgPool: mean,
    SumPool: total,
    LpPool: norm,
    StochasticPool: drawn,
}
