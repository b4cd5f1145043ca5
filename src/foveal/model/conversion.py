"""A `.pth` made into safetensors, by another process: what is unpickled here stays there."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from foveal import files
from foveal.errors import FovealError, MachineError, MissingExtra, ModelFileError, SpecError
from foveal.model import foreign
from foveal.model.header import DAMAGED

PROGRAM = "foveal.engines.pytorch.unpickling"
LONGEST = 300
"""Seconds after which the other process is ended: an honest file takes a few."""
REFUSED = 2


def convert(path: Path, output: Path) -> str:
    """Write the tensors of a `.pth` as safetensors, and return the SHA-256 of what was written.

    Use it once for weights that exist only as `.pth`. A `.pth` is a pickle, which can run a program
    when it is opened: it is opened in another process, by PyTorch's reader for tensors only.

    Raises: ModelFileError if the file holds anything but tensors, or cannot be read; SpecError if
            the output is there already; MissingExtra without PyTorch; MachineError if the disk
            refuses
    """
    where = str(path)
    if find_spec("torch") is None:
        raise MissingExtra("reading a .pth", extra="train")
    start = _start(path)
    if not start:
        raise ModelFileError("is empty", where=where, fix=DAMAGED)
    if start[8:9] == b"{":
        raise ModelFileError("is safetensors already", where=where, fix=f"foveal cache add {path}")
    if output.exists():
        raise SpecError("is there already", where=str(output), fix="-o another.safetensors")
    # -P: a file called torch.py beside the weights is not PyTorch
    command = [sys.executable, "-P", "-m", PROGRAM, str(path)]
    try:
        run = subprocess.run(command, capture_output=True, timeout=LONGEST)
    except subprocess.TimeoutExpired as error:
        problem = f"was not read after {LONGEST} seconds"
        raise ModelFileError(problem, where=where, fix="take another file") from error
    if run.returncode:
        raise _failure(path, start, run.returncode, run.stderr.decode(errors="replace"))
    return files.write_atomically(output, run.stdout)


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(512)
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
        raise ModelFileError(problem, where=str(path)) from error


def _failure(path: Path, start: bytes, code: int, said: str) -> FovealError:
    """What the other process refused, or why it ended."""
    where, last = str(path), said.splitlines()[-1] if said else ""
    if code == REFUSED:
        problem, arrives, expected, fix = json.loads(last)
        return ModelFileError(problem, where=where, arrives=arrives, expected=expected, fix=fix)
    if code < 0:
        problem = f"the process that read it was ended by signal {-code}"
        return MachineError(problem, where=where, fix="close other programs, and try again")
    what, fix = foreign.recognise(start)
    if fix == foreign.OWN_WEIGHTS:
        return ModelFileError("is damaged or cut", where=where, arrives=last, fix=DAMAGED)
    return ModelFileError(f"is no .pth but {what}", where=where, fix="give the .pth itself")
