"""Local connections against the convolution of the same shape: what unshared weights cost.

    python benchmarks/unshared.py [-n 15] [--threads 2]

Both learn a step, forward and backward, and take turns; each figure is a median of n. Beside them
is the time that reading the weights once takes: for few pictures nothing can be faster than that.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

import common
import torch
from torch.nn import functional as F

from foveal.engines.pytorch import module
from foveal.engines.pytorch.machine import Machine
from foveal.net.notation import parse


class Case(NamedTuple):
    in_channels: int
    out_channels: int
    kernel: int
    side: int
    batch: int


CASES = (
    Case(1, 32, 3, 28, 64),
    Case(1, 16, 5, 28, 128),
    Case(3, 16, 3, 32, 64),
    Case(8, 8, 3, 32, 128),
    Case(16, 16, 3, 16, 64),
    Case(32, 32, 3, 16, 64),
    Case(32, 32, 3, 32, 64),
    Case(32, 64, 3, 16, 256),
    Case(64, 64, 3, 16, 64),
    Case(32, 32, 3, 16, 1),
    Case(32, 32, 3, 32, 8),
)


def compare(case: Case, n: int) -> dict[str, float]:
    """Median milliseconds; the gradient of a picture is not asked for where it is the first."""
    channels, out_channels, kernel, side, batch = case
    random = torch.Generator().manual_seed(0)
    x = torch.randn(batch, side, side, channels, generator=random).permute(0, 3, 1, 2)
    x.requires_grad_(channels > 3)
    local = module(parse(f"local {out_channels} {kernel}").bind((channels, side, side)), 0).calls[
        0
    ][1]
    weight, bias = local.weight, local.bias
    kernels = torch.randn(out_channels, channels, kernel, kernel, generator=random)
    kernels = kernels.contiguous(memory_format=torch.channels_last).requires_grad_()
    shared = torch.zeros(out_channels, requires_grad=True)
    flowing = torch.randn(F.conv2d(x, kernels).permute(0, 2, 3, 1).shape, generator=random)
    flowing = flowing.permute(0, 3, 1, 2)
    arriving = [x] if x.requires_grad else []

    def predict() -> None:
        with torch.no_grad():
            local(x)

    ways: dict[str, Callable[[], object]] = {
        "convolution": lambda: torch.autograd.grad(
            F.conv2d(x, kernels, shared), [kernels, shared, *arriving], flowing
        ),
        "unshared": lambda: torch.autograd.grad(local(x), [weight, bias, *arriving], flowing),
        "unshared, forward": predict,
        "weights read once": lambda: weight.detach().sum(),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(n + 2):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            if turn > 1:  # the first two find memory
                seconds[name].append(time.perf_counter() - began)
    return {name: 1000 * median(times) for name, times in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-n", type=int, default=15, help="times each is measured")
    parser.add_argument("--threads", type=int, default=Machine.find().threads)
    parser.add_argument("--cases", type=int, default=len(CASES), help="fewer, to try the script")
    given = parser.parse_args()
    figures = []
    with Machine(torch.device("cpu"), "float32", given.threads).steady():
        for case in CASES[: given.cases]:
            made = compare(case, given.n)
            figures.append({**case._asdict(), "milliseconds": made})
            told = ", ".join(f"{name} {ms:.2f} ms" for name, ms in made.items())
            times = made["unshared"] / made["convolution"]
            print(
                f"{case.in_channels}->{case.out_channels} {case.kernel}x{case.kernel},"
                f" {case.side} px, batch {case.batch}: {told}; {times:.1f} times",
                flush=True,
            )
    common.report("unshared", {"threads": given.threads, "n": given.n, "cases": figures})


if __name__ == "__main__":
    main()
