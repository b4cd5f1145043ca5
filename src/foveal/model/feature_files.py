"""Rows of numbers with the names of their pictures, as files that other programs read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal.errors import MissingExtra, SpecError
from foveal.files import write_atomically
from foveal.net.kind import shape_text

Values = NDArray[np.float32]
POOLS: dict[str, Callable[[Values], Values]] = {
    "mean": lambda values: values.mean(axis=tuple(range(2, values.ndim)), dtype=np.float32),
    "max": lambda values: values.max(axis=tuple(range(2, values.ndim))),
}
"""What one number each channel's map may be brought down to."""


def pooled(values: Values, how: str) -> Values:
    """A number for each channel instead of a map; what is flat already stays.

    Shape:   (N, C, …) -> (N, C)

    >>> pooled(np.ones((2, 3, 4, 4), np.float32), "mean").shape
    (2, 3)
    """
    return values if values.ndim == 2 else POOLS[how](values)


def write(path: Path, values: Values, files: Sequence[str]) -> list[Path]:
    """Write a row of numbers for each file, in the format that the name of `path` ends in.

    `.npz` holds the arrays `features` and `files`; `.npy` the array, with the names in a text file
    beside it, a line each; `.csv` and `.parquet` a column `file`, then one for each number.

    Raises: SpecError if the ending is another, or a table would have to hold maps; MissingExtra
            for Parquet without pyarrow; MachineError if the disk refuses
    """
    content = FORMATS[checked(path, values.shape[1:])](values, files)
    written = [path]
    if path.suffix.lower() == ".npy":
        names = path.with_suffix(".txt")
        write_atomically(names, "".join(f"{file}\n" for file in files).encode())
        written.append(names)
    write_atomically(path, content)
    return written


def checked(path: Path, shape: tuple[int, ...]) -> str:
    """The ending of a file that rows of this shape can be written to."""
    ending = path.suffix.lower()
    if ending not in FORMATS:
        raise SpecError(
            f"cannot be written as {ending or 'a file without ending'}",
            where=str(path),
            expected=", ".join(FORMATS),
        )
    if ending in _TABLES and len(shape) > 1:
        raise SpecError(
            "a table has one row of numbers for each picture, and no maps",
            where=str(path),
            arrives=shape_text(shape),
            fix="--pool mean for one number of each map, or .npz for all of them",
        )
    if ending == ".parquet":
        _pyarrow()
    return ending


def _npy(values: Values, files: Sequence[str]) -> bytes:
    file = io.BytesIO()
    np.save(file, values, allow_pickle=False)
    return file.getvalue()


def _npz(values: Values, files: Sequence[str]) -> bytes:
    file = io.BytesIO()
    np.savez(file, features=values, files=np.array(files, np.str_))
    return file.getvalue()


def _csv(values: Values, files: Sequence[str]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", *_titles(values)])
    for file, row in zip(files, values, strict=True):
        writer.writerow([file, *map(str, row)])  # the shortest text that is this float32
    return text.getvalue().encode()


def _parquet(values: Values, files: Sequence[str]) -> bytes:
    pyarrow = _pyarrow()
    columns = dict(zip(_titles(values), values.T, strict=True))
    table = pyarrow.table({"file": list(files), **columns})
    file = io.BytesIO()
    pyarrow.parquet.write_table(table, file)
    return file.getvalue()


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra("a .parquet file", extra="parquet") from None
    return pyarrow


def _titles(values: Values) -> list[str]:
    return [f"f{number}" for number in range(values.shape[1])]


FORMATS: dict[str, Callable[[Values, Sequence[str]], bytes]] = {
    ".npz": _npz,
    ".npy": _npy,
    ".csv": _csv,
    ".parquet": _parquet,
}
"""How rows are written, by the ending of the file."""
_TABLES = (".csv", ".parquet")
