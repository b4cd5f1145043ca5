"""How fast this machine multiplies matrices: the most that any net could make of it."""

from __future__ import annotations

import time

import torch

from foveal.engines.pytorch.machine import Machine

SIDES = {"cpu": 2048, "cuda": 8192}
"""Rows and columns by device: products large enough that starting them costs nothing."""


def products(precision: str = "auto", n: int = 10) -> tuple[float, ...]:
    """Operations per second of n products of two square matrices, after one that does not count.

    Use it to judge how fast a net runs: its operations per second are a share of these. A product
    of matrices of side s counts 2 * s^3 operations.

    """
    machine = Machine.find(precision)
    side = SIDES[machine.device.type]
    kind = torch.bfloat16 if machine.precision == "bfloat16" else torch.float32
    source = torch.Generator().manual_seed(0)
    a, b = (torch.randn(side, side, generator=source).to(machine.device, kind) for _ in range(2))
    made = torch.empty_like(a)
    seconds = []
    with machine.steady():
        for _ in range(n + 1):
            began = time.perf_counter()
            torch.mm(a, b, out=made)
            float(made[0, 0])  # sync
            seconds.append(time.perf_counter() - began)
    return tuple(2 * side**3 / each for each in seconds[1:])
