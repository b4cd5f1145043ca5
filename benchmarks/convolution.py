"""First layers, of one to three channels: the convolution of PyTorch against other ways.

    python benchmarks/convolution.py [--batch 64 512] [-n 15] [--threads 2]

All ways make the same values and the same gradient of the weights; the picture needs none. They
take turns, and each figure is a median of n. A matrix product reads every window as a row. Space to
depth makes a stride part of the channels. A way would be worth a rule in the engine if it won on
every batch size.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import common
import torch
from torch import Tensor
from torch.nn import functional as F

from foveal.engines.pytorch.machine import Machine

LAYERS = (
    (1, 32, 3, 1, 28),
    (1, 16, 5, 2, 28),
    (1, 6, 5, 1, 32),
    (3, 24, 2, 1, 32),
    (3, 64, 3, 1, 32),
    (3, 64, 7, 2, 224),
)
"""Channels in and out, kernel, stride and pixels of a side: Keras' MNIST net, quick, LeNet-5, a
whitened 2x2, ResNet for small pictures and for large ones."""
TOLERANCE = 1e-4
"""Relative to the largest: a gradient is a sum over all windows of a batch, in another order."""


def convolution(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    return F.conv2d(x, weight, None, stride)


def matrix_product(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    """Every window is a row; the channels of what is made come last, without a copy."""
    kernel = weight.shape[2]
    windows = x.unfold(2, kernel, stride).unfold(3, kernel, stride).permute(0, 2, 3, 4, 5, 1)
    matrix = weight.permute(2, 3, 1, 0).flatten(0, 2)
    return (windows.flatten(3) @ matrix).permute(0, 3, 1, 2)


def space_to_depth(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    """Squares of stride x stride pixels become channels; the kernel is filled up with zeros."""
    kernel = weight.shape[2]
    made = (x.shape[2] - kernel) // stride + 1
    taps = -(-kernel // stride)
    more, side = taps * stride - kernel, (made + taps - 1) * stride
    x = F.pad(x[:, :, :side, :side], (0, max(0, side - x.shape[3]), 0, max(0, side - x.shape[2])))
    deep = F.pixel_unshuffle(x, stride).contiguous(memory_format=torch.channels_last)
    return F.conv2d(deep, F.pixel_unshuffle(F.pad(weight, (0, more, 0, more)), stride))


WAYS: dict[str, Callable[[Tensor, Tensor, int], Tensor]] = {
    "convolution": convolution,
    "matrix product": matrix_product,
    "space to depth": space_to_depth,
}


def compare(layer: tuple[int, ...], batch: int, n: int) -> dict[str, float]:
    """Median milliseconds of each way, forward and backward to the weights."""
    channels, out_channels, kernel, stride, side = layer
    random = torch.Generator().manual_seed(0)
    x = torch.randn(batch, side, side, channels, generator=random).permute(0, 3, 1, 2)
    weight = torch.randn(out_channels, channels, kernel, kernel, generator=random)
    weight = weight.contiguous(memory_format=torch.channels_last).requires_grad_()
    ways = {name: way for name, way in WAYS.items() if stride > 1 or name != "space to depth"}
    with torch.no_grad():
        y = convolution(x, weight, stride)
    flowing = torch.randn(y.permute(0, 2, 3, 1).shape, generator=random).permute(0, 3, 1, 2)

    def learn(way: Callable[[Tensor, Tensor, int], Tensor]) -> tuple[Tensor, Tensor]:
        made = way(x, weight, stride)
        (gradient,) = torch.autograd.grad(made, weight, flowing)
        return made.detach(), gradient

    wanted = learn(convolution)
    for name, way in ways.items():
        for value, right in zip(learn(way), wanted, strict=True):
            if (value - right).abs().max() > TOLERANCE * right.abs().max():
                raise SystemExit(f"{name} makes something else")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(n):
        for name, way in ways.items():
            began = time.perf_counter()
            learn(way)
            seconds[name].append(time.perf_counter() - began)
    return {name: 1000 * median(times) for name, times in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--batch", type=int, nargs="+", default=[64, 512])
    parser.add_argument("-n", type=int, default=15, help="times each way is measured")
    parser.add_argument("--threads", type=int, default=Machine.find().threads)
    parser.add_argument("--largest", type=int, default=224, help="pixels, to try the script")
    given = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    with Machine(torch.device("cpu"), "float32", given.threads).steady():
        for layer in LAYERS:
            channels, out_channels, kernel, stride, side = layer
            for batch in given.batch:
                # As many values as 64 large pictures, so that a machine of 4 GB can run it.
                fitting = batch if side < 224 else min(batch, 64)
                name = f"{channels}->{out_channels} {kernel}x{kernel} stride {stride}, {side} px"
                made = compare((*layer[:4], min(side, given.largest)), fitting, given.n)
                figures[f"{name}, batch {fitting}"] = made
                told = ", ".join(f"{way} {ms:.2f} ms" for way, ms in made.items())
                print(f"{name}, batch {fitting}: {told}", flush=True)
    common.report("convolution", {"threads": given.threads, "n": given.n, "milliseconds": figures})


if __name__ == "__main__":
    main()
