"""A program that reads a `.pth` and writes its tensors as safetensors to stdout.

    python -m foveal.engines.pytorch.unpickling FILE

`foveal zoo convert` runs it in a process of its own: a `.pth` is a pickle, and PyTorch's reader for
those, though it lets only tensors through (`weights_only`), is large. It writes no file. If it
refuses, it exits 2, and its last line on stderr is JSON: problem, arrives, expected, fix.
"""

from __future__ import annotations

import json
import pickle
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

NESTED = ("state_dict", "model")
"""Where training scripts put the weights, beside epochs and optimisers."""
PARALLEL = "module."
"""What PyTorch's `DataParallel` writes before every name."""
SPREAD = 4
"""How much larger than its file the tensors may be: those that share numbers are written apart."""
NUMBERS = (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32)
SAVE = "where it was made: torch.save(model.state_dict(), FILE)"


class Refused(Exception):
    """What is wrong, as four texts: problem, arrives, expected, fix."""


def to_safetensors(path: Path) -> bytes:
    """The tensors of a `.pth` as they are, under their names.

    Raises: Refused if it holds anything else; and whatever PyTorch raises if it cannot be read
    """
    tensors = {_name(key): _tensor(key, value) for key, value in _entries(_load(path)).items()}
    size, most = sum(tensor.nbytes for tensor in tensors.values()), SPREAD * path.stat().st_size
    if size > most:
        problem = "claims larger tensors than it holds numbers for"
        raise Refused(problem, f"tensors of {size:,} bytes", f"at most {most:,} in such a file", "")
    if all(name.startswith(PARALLEL) for name in tensors):
        tensors = {name.removeprefix(PARALLEL): tensor for name, tensor in tensors.items()}
    plain = torch.contiguous_format
    apart = {name: tensor.clone(memory_format=plain) for name, tensor in tensors.items()}
    return safetensors.torch.save(apart, {"format": "pt"})


def _load(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        wanted = re.search(r"GLOBAL ([\w.]+)", str(error))
        if wanted is None:
            raise Refused("is a pickle, but none of PyTorch's", "", "weights", SAVE) from error
        problem = f"asks for {wanted[1]}, and was read no further"
        raise Refused(problem, "", "nothing but tensors and their names", SAVE) from error
    except RuntimeError as error:
        if "TorchScript" not in str(error):
            raise
        raise Refused("is a TorchScript program", "", "weights", SAVE) from error


def _entries(found: object) -> Mapping[Any, Any]:
    """Names and tensors, which may lie one floor deeper."""
    for key in NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping) or not found:
        raise Refused("holds no tensors with names", type(found).__name__, "a state_dict", SAVE)
    return found


def _name(key: object) -> str:
    if not isinstance(key, str) or not key.isprintable():
        raise Refused("has an entry without a name", ascii(key)[:60], "a printable text", SAVE)
    return key


def _tensor(name: str, value: object) -> torch.Tensor:
    if not isinstance(value, torch.Tensor):
        raise Refused(f"its entry {name!r} is no tensor", type(value).__name__, "a tensor", SAVE)
    if value.layout is not torch.strided or value.dtype not in NUMBERS:
        what = f"{value.dtype}, {value.layout}".replace("torch.", "")
        raise Refused(f"its tensor {name!r} is no plain array", what, "numbers, strided", SAVE)
    return value.detach()


def main(path: str) -> int:
    try:
        content = to_safetensors(Path(path))
    except Refused as refusal:
        print(json.dumps(refusal.args), file=sys.stderr)
        return 2
    sys.stdout.buffer.write(content)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
