"""Padding around what arrives, written for PyTorch."""

from __future__ import annotations

from math import inf

from foveal.engines.source.code import Piece, call, plain
from foveal.net.kind import Pads

MODES = {"reflect": "Reflection", "replicate": "Replication", "circular": "Circular"}
"""What PyTorch's layers that repeat the picture are called."""


def padding(pads: Pads, fill: float | str = 0.0) -> Piece:
    """A border of its own, before a layer that cannot make it; below zero it is cut off."""
    flat = tuple(side for axis in reversed(pads) for side in axis)
    axes = len(pads)
    name = f"nn.{MODES[fill]}Pad{axes}d" if isinstance(fill, str) else f"nn.ConstantPad{axes}d"
    if isinstance(fill, str):
        return Piece(call(name, {"padding": flat}), f'F.pad({{0}}, {flat}, "{fill}")', "pad")
    if fill == 0:
        name = f"nn.ZeroPad{axes}d"
        return Piece(call(name, {"padding": flat}), f"F.pad({{0}}, {flat})", "pad")
    value = f'float("{fill}")' if fill in (inf, -inf) else repr(fill)
    module = call(name, {"padding": plain(flat)}, value=value)
    return Piece(module, f"F.pad({{0}}, {flat}, value={value})", "pad")


def is_even(pads: Pads) -> bool:
    return all(before == after for before, after in pads)
