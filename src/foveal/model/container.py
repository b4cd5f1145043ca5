"""The model file as a container: one JSON document and named tensors in a `.safetensors` file.

A file is one length (8 bytes, the lowest first), one header (JSON, filled up with spaces to a
multiple of 8 bytes) and the bytes of the tensors, which follow each other without a gap. The
header's metadata has exactly these keys:

    foveal        the document, as canonical JSON in a string
    data_digest   SHA-256 of the SHA-256 of each tensor's bytes, in the order of their bytes
    digest        SHA-256 of the header, in which these 64 digits themselves are written as zeros

So `digest` stands for everything in the file, and a header can be trusted before its tensors
are read. It tells damage, not malice: whoever writes a file can compute it. The same document and
tensors always give the same bytes. Format: https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from foveal import files
from foveal.errors import MachineError, ModelFileError
from foveal.model.foreign import recognise
from foveal.model.header import (
    DAMAGED,
    DTYPES,
    NO_DIGEST,
    Header,
    TensorEntry,
    check_length,
    cut,
    understand,
)

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

TRAIN_AGAIN = "train again with a smaller learning rate, or take an earlier file"

__all__ = ["Header", "TensorEntry", "read_header", "read_tensors", "to_bytes", "write"]


def read_header(path: Path) -> Header:
    """Read what a model file says of itself; its tensors are not touched.

    Use it to show a net, and to compare a file with what its net needs before any memory is
    taken. Works without NumPy and safetensors.

    Raises: ModelFileError if the file is something else, damaged or cut, or if its header says
            something twice, in part, or what cannot be
    """
    with opened(path) as file:
        return _read_header(file, str(path))


def read_tensors(path: Path, header: Header | None = None) -> dict[str, Array]:
    """Read the tensors of a model file into memory; the file may be replaced afterwards.

    Give the `header` that was read and judged before: a file that was replaced since is refused.

    Raises: ModelFileError as `read_header`, and if the bytes do not match their digest or a
            number is NaN or infinite; MachineError if the memory is too small
    """
    import numpy as np

    where = str(path)
    with opened(path) as file:
        found = _read_header(file, where)
        if header is not None and found.digest != header.digest:
            problem = "was replaced while it was being read"
            raise ModelFileError(problem, where=where, fix="read it once more")
        data = read_data(file, os.fstat(file.fileno()).st_size - found.data_start, where)
    spans = sorted((entry.start, entry.end) for entry in found.tensors.values())
    if _data_digest([data[start:end].data for start, end in spans]) != found.data_digest:
        problem = "is damaged: its weights do not match their digest"
        raise ModelFileError(problem, where=where, fix=DAMAGED)
    tensors = {}
    for name, entry in found.tensors.items():
        numbers = data[entry.start : entry.end].view(np.dtype(DTYPES[entry.dtype]))
        refuse_not_finite(name, numbers, where)
        tensors[name] = numbers.reshape(entry.shape)
    return tensors


def write(path: Path, document: Mapping[str, object], tensors: Mapping[str, Array]) -> str:
    """Write a model file wholly or not at all, and return its digest.

    Raises: ModelFileError if what would be written could not be read back; MachineError if the
            disk refuses
    """
    blocks, digest = _encode(document, tensors, str(path))
    files.write_atomically(path, blocks)
    return digest


def to_bytes(document: Mapping[str, object], tensors: Mapping[str, Array]) -> bytes:
    """The bytes that `write` writes."""
    blocks, _ = _encode(document, tensors, "model")
    return b"".join(blocks)


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """An ordinary file, open for reading; a pipe or a device could block for ever."""
    where = str(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ModelFileError("is no ordinary file", where=where, fix="give the file itself")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise ModelFileError("there is no such file", where=where) from error
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
        raise ModelFileError(problem, where=where) from error


def _read_header(file: BufferedReader, where: str) -> Header:
    text, data_size = header_text(file, where, "Foveal model")
    return understand(text, data_size, where)


def header_text(
    file: BufferedReader, where: str, wanted: str, fixes: Mapping[str, str] | None = None
) -> tuple[bytes, int]:
    """The header of an open safetensors file, and how many bytes follow it.

    `wanted` and `fixes` say what the file should be, and what to do where that differs from what
    is said of a model.

    Raises: ModelFileError if the file is something else, empty or cut
    """
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise ModelFileError("is empty", where=where, fix=DAMAGED)
    start = file.read(512)
    length = int.from_bytes(start[:8], "little")
    if start[8:9] != b"{":
        what, fix = recognise(start)
        fix = (fixes or {}).get(fix, fix)
        raise ModelFileError(f"is no {wanted} but {what}", where=where, fix=fix)
    if length > size - 8:
        raise ModelFileError(
            "its header is cut, or lies about its length",
            where=where,
            arrives=f"{size - 8:,} bytes after the first 8",
            expected=f"{length:,} bytes of header",
            fix=DAMAGED,
        )
    check_length(length, where)
    file.seek(8)
    return file.read(length), size - 8 - length


def read_data(file: BufferedReader, size: int, where: str) -> Array:
    """The bytes that follow, in memory.

    Raises: MachineError if they do not fit there; ModelFileError if some are gone by now
    """
    import numpy as np

    try:
        data = np.empty(size, np.uint8)
    except MemoryError as error:
        raise MachineError(
            "does not fit into the memory",
            where=where,
            expected=f"{size:,} bytes",
            fix="close other programs, or use a machine with more memory",
        ) from error
    if file.readinto(data.data) < size:
        raise ModelFileError("was cut while it was being read", where=where, fix=DAMAGED)
    return data


def refuse_not_finite(name: str, numbers: Array, where: str, fix: str = TRAIN_AGAIN) -> None:
    """ModelFileError if a tensor holds what is no number."""
    import numpy as np

    if numbers.dtype.kind != "f" or np.isfinite(numbers).all():
        return
    count = numbers.size - int(np.isfinite(numbers).sum())
    raise ModelFileError(
        f"tensor {cut(name)} holds NaN or infinity",
        where=where,
        arrives=f"{count:,} of {numbers.size:,} numbers are not finite",
        fix=fix,
    )


def _encode(
    document: Mapping[str, object], tensors: Mapping[str, Array], where: str
) -> tuple[list[bytes | memoryview], str]:
    """The blocks of a file and its digest; tensors in the order of their bytes are not copied."""
    import numpy as np

    arrays = {name: _storable(name, array, where) for name, array in tensors.items()}
    type_names = {np.dtype(code): name for name, code in DTYPES.items()}
    entries: dict[str, object] = {}
    blocks: list[memoryview] = []
    position = 0
    # The widest numbers first, so that each tensor begins at a multiple of its numbers' size.
    for name in sorted(arrays, key=lambda name: (-arrays[name].itemsize, name)):
        array = arrays[name]
        entries[name] = {
            "dtype": type_names[array.dtype],
            "shape": array.shape,
            "data_offsets": (position, position + array.nbytes),
        }
        position += array.nbytes
        blocks.append(array.reshape(-1).view(np.uint8).data)
    metadata = {
        "data_digest": _data_digest(blocks),
        "digest": NO_DIGEST,
        "foveal": _canonical(document, where),
    }
    text = json.dumps({"__metadata__": metadata, **entries}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    check_length(len(text), where)
    digest = hashlib.sha256(text).hexdigest()
    text = text.replace(NO_DIGEST.encode(), digest.encode(), 1)
    understand(text, position, where)  # what could not be read back is not written
    return [len(text).to_bytes(8, "little"), text, *blocks], digest


def _data_digest(blocks: Sequence[memoryview]) -> str:
    """The digest of the tensors' bytes; hashing frees the interpreter, so each core takes some."""
    from concurrent.futures import ThreadPoolExecutor  # showing a net reads no tensors

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        digests = pool.map(lambda block: hashlib.sha256(block).digest(), blocks)
        return hashlib.sha256(b"".join(digests)).hexdigest()


def _storable(name: str, array: Array, where: str) -> Array:
    """The array with the lowest byte first; not copied if it is so already."""
    import numpy as np

    dtype = array.dtype.newbyteorder("<")
    if dtype.str not in DTYPES.values():
        raise ModelFileError(
            f"tensor {cut(name)} cannot be saved",
            where=where,
            arrives=str(dtype),
            expected="one of " + ", ".join(str(np.dtype(code)) for code in DTYPES.values()),
        )
    refuse_not_finite(name, array, where)
    return np.asarray(array, dtype)


def _canonical(document: Mapping[str, object], where: str) -> str:
    try:
        return json.dumps(dict(document), sort_keys=True, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise ModelFileError(
            "its document cannot be saved", where=where, arrives=str(error)
        ) from error
