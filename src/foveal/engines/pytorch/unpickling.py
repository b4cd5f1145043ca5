"""A `.pth` made into safetensors, as a program: python -m foveal.engines.pytorch.unpickling IN OUT

It runs in a process of its own, because a `.pth` is a pickle and PyTorch's reader for it is large.
Only tensors are let through (`weights_only`). It prints nothing and exits 0, or prints what is
wrong as JSON, `[problem, arrives, expected, fix]`, and exits 2.
"""

from __future__ import annotations

import json
import pickle
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from foveal import files

NESTED = ("state_dict", "model")
"""Where training scripts put the weights, beside epochs and optimisers."""
SPREAD = 4
"""How many times the file its tensors may need: some share their numbers, which are then written
for each."""


class Refused(Exception):
    """Something in the file that is no plain set of tensors: problem, arrives, expected, fix."""


def tensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file by name, none of which shares memory with another."""
    found = _loaded(path)
    for key in NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping) or not found:
        raise Refused("holds no state_dict", type(found).__name__, "names with tensors", SAVE)
    for name, value in found.items():
        _check(name, value)
    ...
