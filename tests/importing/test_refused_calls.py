"""Calls of known functions that no layer does: what is said of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import foveal
from foveal.engines.pytorch.tracing import from_torch


class Net(nn.Module):
    def __init__(self, function: Callable[[Any, Tensor], Any]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


MAPS = (2, 3, 4, 4)
ROWS: list[tuple[Any, tuple[int, ...], str]] = [
    (
        nn.Linear(4, 2),
        MAPS,
        "connects positions of a map, not its channels\n"
        "  arrives:  2x3x4x4\n"
        "  expected: features (N, F), or channels as the last axis\n"
        "  fix:      flatten before it",
    ),
    (
        lambda net, x: x @ x,
        MAPS,
        "multiplies matrices that no layer of Foveal does",
    ),
    (
        nn.BatchNorm2d(3, track_running_stats=False),
        MAPS,
        "normalises by the statistics of the batch in prediction too\n"
        "  arrives:  2x3x4x4\n"
        "  expected: running statistics\n"
        "  fix:      track_running_stats=True, or an instance norm",
    ),
    (
        nn.BatchNorm2d(3, momentum=None),
        MAPS,
        "has no momentum\n  arrives:  2x3x4x4\n  expected: the share of a new batch, such as 0.1",
    ),
    (
        nn.InstanceNorm2d(3, track_running_stats=True),
        MAPS,
        "has running statistics, which an instance norm here has not",
    ),
    (
        nn.LayerNorm((4, 4)),
        MAPS,
        "normalises over some axes of a map\n"
        "  arrives:  2x3x4x4\n"
        "  expected: all of a sample, or channels as the last axis",
    ),
    (
        nn.LocalResponseNorm(2),
        MAPS,
        "has an even size, whose odd channel PyTorch has on the other side",
    ),
    (
        nn.AvgPool2d(2, divisor_override=3),
        MAPS,
        "divides by a number of its own (divisor_override)",
    ),
    (
        nn.LPPool2d(3, 2),
        MAPS,
        "has norm_type 3 and ceil_mode False, and PyTorch then makes no p-norm of it",
    ),
    (
        lambda net, x: x.mean(1),
        MAPS,
        "takes one number of other axes than all those of a map",
    ),
    (
        nn.Upsample(scale_factor=1.5),
        MAPS,
        "makes maps larger by a factor that is not whole, or smaller, or repeats channels",
    ),
    (nn.Upsample(scale_factor=2, mode="bicubic"), MAPS, "resizes with mode 'bicubic'"),
    (lambda net, x: F.pad(x, (0, 0, 0, 0, 1, 1)), MAPS, "pads the channels"),
    (nn.Softplus(threshold=5), MAPS, "is straight above 5"),
    (lambda net, x: x.clamp(max=1), MAPS, "cuts off at the top only, or by tensors"),
    (lambda net, x: x.clamp(min=1), MAPS, "cuts off below 1 only"),
    (nn.Softmax(2), MAPS, "is taken over axis 2"),
    (
        nn.PReLU(3),
        MAPS,
        "has a slope for each channel, which no layer has\n"
        "  arrives:  2x3x4x4\n"
        "  expected: one slope for all\n"
        "  fix:      nn.LeakyReLU in its place, and train the module on",
    ),
    (
        nn.PixelShuffle(1),
        MAPS,
        "does what no layer of Foveal does: torch.nn.functional.pixel_shuffle\n"
        "  arrives:  2x3x4x4\n"
        "  fix:      nn.ConvTranspose2d, or nn.Upsample and a convolution",
    ),
    (
        nn.MaxPool2d(2, return_indices=True),
        MAPS,
        "does what no layer of Foveal does: torch.nn.functional.max_pool2d_with_indices\n"
        "  arrives:  2x3x4x4\n"
        "  fix:      return_indices=False",
    ),
    (
        lambda net, x: x.max(3)[0],
        MAPS,
        "does what no layer of Foveal does: torch.Tensor.max",
    ),
    (
        lambda net, x: x.reshape(2, 2, 6, 4).transpose(1, 2).reshape(x.shape),
        MAPS,
        "reads channels at another place than behind the batch",
    ),
    (lambda net, x: x.mean((2, 3))[:, 0], MAPS, "makes 0 axes beside the batch"),
    (lambda net, x: F.dropout(x), MAPS, "drops values in prediction too"),
    (nn.LeakyReLU(2), MAPS, "leakyrelu slope: must be a number from 0 to 1, not 2"),
    (nn.Dropout(1), MAPS, "dropout p: must be a number from 0 to below 1, not 1"),
    (lambda net, x: x / x.relu(), MAPS, "divides by values that come from the input"),
    (
        lambda net, x: x / net.conv.bias[:, None, None],
        MAPS,
        "divides by numbers that are learned",
    ),
    (
        lambda net, x: x * torch.ones(1, 3, 4, 4),
        MAPS,
        "computes with 1x3x4x4 numbers of its own",
    ),
    (
        lambda net, x: x + x.permute(0, 1, 3, 2),
        MAPS,
        "joins values whose channels stand at different places",
    ),
    (
        lambda net, x: net.conv(x.permute(0, 1, 3, 2)),
        MAPS,
        "reads channels at another place than behind the batch",
    ),
    (
        lambda net, x: F.conv2d(x, x[:, :, :1, :1].mean((2, 3), keepdim=True)),
        MAPS,
        "cuts a part out of maps",
    ),
    (
        lambda net, x: F.conv2d(x, x.mean((2, 3), keepdim=True)),
        MAPS,
        "has weights that are computed from its input",
    ),
    (
        lambda net, x: F.conv2d(net.conv(x), net.conv.weight),
        MAPS,
        "shares its weight with conv, but is not the same layer",
    ),
    (
        lambda net, x: torch.cat([x, x], 2),
        MAPS,
        "lays other things behind one another than channels",
    ),
    (lambda net, x: x.chunk(2, 2)[0], MAPS, "takes other things apart than channels"),
    (lambda net, x: x[0], MAPS, "takes a part of its values that is not some of the channels"),
    (lambda net, x: x[:, :, 1:], MAPS, "cuts a part out of maps"),
    (lambda net, x: x.view(6, 16), MAPS, "lays values of several samples together"),
    (lambda net, x: x.view(2, 3, 2, 2, 2, 2), MAPS, "makes 5 axes beside the batch"),
    (lambda net, x: x.double(), MAPS, "does what no layer of Foveal does: torch.Tensor.double"),
    (lambda net, x: x.to(torch.float64), MAPS, "makes float64 of float32"),
    (
        lambda net, x: torch.add(net.conv.bias[:, None, None], x, alpha=2),
        MAPS,
        "adds with a factor (alpha) to numbers of its own",
    ),
    (
        lambda net, x: x + x[:, :1],
        MAPS,
        "adds one channel to several",
    ),
    (
        lambda net, x: torch.cat([x, torch.ones(2, 1, 4, 4)], 1),
        MAPS,
        "reads numbers of its own where those of a picture are expected",
    ),
]


@pytest.mark.parametrize(("made", "shape", "text"), ROWS, ids=[text for _, _, text in ROWS])
def test_what_a_row_refuses(made: Any, shape: tuple[int, ...], text: str) -> None:
    module = made if isinstance(made, nn.Module) else Net(made)
    with pytest.raises(foveal.FovealError) as caught:
        from_torch(module, torch.randn(shape))
    said = str(caught.value).partition(": ")[2]
    assert said.startswith(text)
    assert said[len(text) :][:1] in ("", "\n")
