"""Normalisation, written for PyTorch."""

from __future__ import annotations

from foveal.engines.source.code import Piece, Rows, call, option
from foveal.net.layers import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm
from foveal.net.program import Step

FEW = 4
"""So few channels are often nearly equal; PyTorch rounds their mean, 2e-5 of the result away."""

HELPERS = {
    "BatchNorm": '''
class BatchNorm(nn.BatchNorm1d):
    """Batch norm for any number of axes."""

    def _check_input_dim(self, input: Tensor) -> None:
        pass
''',
    "ChannelNorm": '''
class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels at each position."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)
''',
    "FewChannelsNorm": '''
class FewChannelsNorm(nn.LayerNorm):
    """Layer norm over so few channels that PyTorch would round their mean too much."""

    def forward(self, x: Tensor) -> Tensor:
        last = x.movedim(1, -1)
        last = last - last.mean(-1, keepdim=True)
        return super().forward(last).movedim(-1, 1)
''',
    "local_response_norm": '''
def local_response_norm(x: Tensor, size: int, alpha: float, beta: float, k: float) -> Tensor:
    """As F.local_response_norm, with the odd channel of an even size after, not before."""
    line = x.square().reshape(*x.shape[:2], -1).unsqueeze(1)
    line = F.pad(line, (0, 0, (size - 1) // 2, size // 2))
    mean = F.avg_pool2d(line, (size, 1), stride=1)
    return x / (k + alpha * mean.reshape(x.shape)) ** beta
''',
}


def batch_norm(step: Step, shared: bool) -> tuple[Piece, ...]:
    kind = step.kind
    assert isinstance(kind, BatchNorm)
    name = "BatchNorm" if shared else f"nn.BatchNorm{max(1, len(step.shape) - 1)}d"
    module = call(
        name,
        {"num_features": step.shape[0]},
        eps=option(kind.eps, 1e-5),
        momentum=option(kind.momentum, 0.1),
        affine=None if kind.affine else False,
    )
    return (Piece(module),)


def group_norm(step: Step, shared: bool) -> tuple[Piece, ...]:
    kind = step.kind
    assert isinstance(kind, GroupNorm)
    module = call(
        "nn.GroupNorm",
        {"num_groups": kind.groups, "num_channels": step.shape[0]},
        eps=option(kind.eps, 1e-5),
        affine=None if kind.affine else False,
    )
    return (Piece(module),)


def instance_norm(step: Step, shared: bool) -> tuple[Piece, ...]:
    """As many groups as channels: PyTorch's own is for one number of axes."""
    kind, channels = step.kind, step.shape[0]
    assert isinstance(kind, InstanceNorm)
    module = call(
        "nn.GroupNorm",
        {"num_groups": channels, "num_channels": channels},
        eps=option(kind.eps, 1e-5),
        affine=None if kind.affine else False,
    )
    return (Piece(module),)


def layer_norm(step: Step, shared: bool) -> tuple[Piece, ...]:
    kind, shape = step.kind, step.shape
    assert isinstance(kind, LayerNorm)
    size: int | tuple[int, ...] = shape[0]
    if kind.over == "all":
        name, size = "nn.LayerNorm", shape if len(shape) > 1 else shape[0]
    elif shape[0] < FEW:
        name = "FewChannelsNorm"
    else:
        name = "nn.LayerNorm" if len(shape) == 1 and not shared else "ChannelNorm"
    module = call(
        name,
        {"num_features": size},
        eps=option(kind.eps, 1e-5),
        elementwise_affine=None if kind.affine else False,
    )
    return (Piece(module),)


def local_response_norm(step: Step, shared: bool) -> tuple[Piece, ...]:
    kind = step.kind
    assert isinstance(kind, LocalResponseNorm)
    said = f"{kind.size}, alpha={kind.alpha!r}, beta={kind.beta!r}, k={kind.k!r}"
    if kind.size % 2 == 0 or len(step.shape) == 1:
        return (Piece(None, f"local_response_norm({{0}}, {said})"),)
    module = call(
        "nn.LocalResponseNorm", {"size": kind.size}, alpha=kind.alpha, beta=kind.beta, k=kind.k
    )
    return (Piece(module, f"F.local_response_norm({{0}}, {said})"),)


ROWS: Rows = {
    BatchNorm: batch_norm,
    GroupNorm: group_norm,
    LayerNorm: layer_norm,
    InstanceNorm: instance_norm,
    LocalResponseNorm: local_response_norm,
}
