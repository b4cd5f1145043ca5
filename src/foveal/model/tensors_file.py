"""Weights that others saved: any safetensors file, read with the care of a model file.

The format stores shapes and bytes, nothing that could run. What is checked of a Foveal model
without its digests is checked here: lengths, a header without ambiguity, and that each byte belongs
to exactly one tensor. Format: https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foveal.errors import ModelFileError
from foveal.model import container, foreign
from foveal.model.header import DAMAGED, DTYPES, TensorEntry, cut, layout, parse

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

KNOWN = {
    **DTYPES,
    **{"BF16": "<u2", "I8": "|i1", "I16": "<i2", "U16": "<u2", "U32": "<u4", "U64": "<u8"},
    "BOOL": "|b1",
}
"""What a file may hold. NumPy has no bfloat16, so its bits are read as whole numbers."""
REAL = ("F32", "F16", "BF16", "F64")
"""What weights may be."""
WANTED = "give a .safetensors file of weights, or a folder with one"


@dataclass(frozen=True)
class TensorsFile:
    """An open file of tensors of which only the header has been read."""

    where: str
    metadata: dict[str, object]
    tensors: dict[str, TensorEntry]
    _file: BufferedReader
    _header: bytes
    _data_size: int

    def load(self, wanted: Mapping[str, tuple[int, ...]]) -> tuple[dict[str, Array], str]:
        """The wanted tensors in float32 and the shapes they are wanted in; the file's SHA-256.

        The file is read into memory once, and float32 is not copied there. The digest is that of
        the bytes the weights come from, whatever happens to the file later.

        Raises: ModelFileError if one holds no real numbers, NaN, infinity, or numbers beyond
                float32; MachineError if the memory is too small
        """
        data = container.read_data(self._file, self._data_size, self.where)
        arrays = {name: self._real(name, data).reshape(shape) for name, shape in wanted.items()}
        digest = hashlib.sha256(len(self._header).to_bytes(8, "little") + self._header)
        digest.update(data.data)
        return arrays, digest.hexdigest()

    def _real(self, name: str, data: Array) -> Array:
        """A tensor as flat float32."""
        import numpy as np

        entry = self.tensors[name]
        if entry.dtype not in REAL:
            raise ModelFileError(
                f"tensor {cut(name)} holds no real numbers",
                where=self.where,
                arrives=entry.dtype,
                expected="one of " + ", ".join(REAL),
                fix="the weights before they were made into whole numbers",
            )
        numbers = data[entry.start : entry.end].view(KNOWN[entry.dtype])
        if entry.dtype == "BF16":
            numbers = (numbers.astype("<u4") << 16).view("<f4")
        container.refuse_not_finite(name, numbers, self.where, DAMAGED)
        with np.errstate(over="ignore"):
            made: Array = np.require(numbers, np.float32, "A")
        if entry.dtype == "F64":
            self._refuse_too_large(name, numbers, np.isinf(made))
        return made

    def _refuse_too_large(self, name: str, numbers: Array, lost: Array) -> None:
        """ModelFileError if numbers became infinite in float32."""
        import numpy as np

        if not lost.any():
            return
        raise ModelFileError(
            f"tensor {cut(name)} holds numbers that float32 cannot",
            where=self.where,
            arrives=f"{lost.sum():,} of {lost.size:,}, the largest {np.abs(numbers).max():.3g}",
            expected=f"at most {np.finfo(np.float32).max:.3g}",
            fix=DAMAGED,
        )


@contextmanager
def opened(path: Path) -> Iterator[TensorsFile]:
    """A safetensors file with its header read and checked, whoever wrote it.

    Raises: ModelFileError if the file is something else, damaged or cut, or holds no tensors
    """
    where = str(path)
    fixes = {
        foreign.OWN_WEIGHTS: f"foveal zoo convert {path.name}",
        foreign.SAVED_BY_US: WANTED,
    }
    with container.opened(path) as file:
        text, data_size = container.header_text(file, where, "safetensors file", fixes)
        content = parse(text, "header", where)
        metadata = content.pop("__metadata__", {})
        if not isinstance(metadata, dict):
            raise ModelFileError("its metadata is no JSON object", where=where, fix=DAMAGED)
        tensors = layout(content, data_size, where, KNOWN)
        if not tensors:
            raise ModelFileError("holds no tensors", where=where, fix=WANTED)
        yield TensorsFile(where, metadata, tensors, file, text, data_size)
