"""One operation of a net that was made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from foveal.net.kind import Kind


@dataclass(frozen=True, eq=False)
class Node:
    """One operation: a layer, or a merge of several values."""

    name: str
    """What it is called elsewhere, such as `layer1.0.conv1`; our step's name is made of it."""
    kind: Kind
    inputs: tuple[str, ...]
    """Names of the values it reads; several of a Merge, in their order."""
    output: str
    """Name of the value it makes; no other node makes it."""
    tensors: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Its weights and statistics by our names (`weight`, `running_mean`), in our layout."""
    shares: str = ""
    """The output of an earlier equal node whose tensors these are: one set of weights for both."""
    called: Mapping[str, str] = field(default_factory=dict)
    """What its tensors are called elsewhere, where that is not name, dot and our name."""

    def place(self) -> str:
        """Where it is, for errors."""
        return f"{self.name} ({type(self.kind).__name__})"
