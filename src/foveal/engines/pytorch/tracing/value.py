"""What a tensor of a running module is in the net that is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Value:
    """A value of the net, and the order of the tensor's axes."""

    name: str
    axes: tuple[int, ...]
    """Which of our axes stands at each place of theirs: batch 0, channels 1, then the picture's."""


Told: TypeAlias = Value | tuple[Value, ...]
Row: TypeAlias = Callable[..., Told]
"""Says what a function made: called with the `Call`, then as the function was."""
