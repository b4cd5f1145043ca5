"""Telling, by its first bytes, what a file is that is not a Foveal model."""

from __future__ import annotations

_PICKLE = "a Python pickle, which can run any program when it is opened"
SAVED_BY_US = "give the .safetensors file that foveal saved"
OWN_WEIGHTS = "save its weights as .safetensors where it was made; no pickle is opened here"
_PICTURE = "the model file comes first, the pictures after it"

# (first bytes, what such a file is, what to do)
_STARTS: tuple[tuple[bytes, str, str], ...] = (
    *((bytes([0x80, protocol]), _PICKLE, OWN_WEIGHTS) for protocol in (2, 3, 4, 5)),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras .h5)", SAVED_BY_US),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture", _PICTURE),
    (b"\xff\xd8\xff", "a JPEG picture", _PICTURE),
    (b"GIF8", "a GIF picture", _PICTURE),
    (b"RIFF", "a WebP picture, or sound", _PICTURE),
    (b"\x93NUMPY", "a NumPy array (.npy)", SAVED_BY_US),
    (b"GGUF", "a GGUF file", SAVED_BY_US),
    (b"\x1f\x8b", "a gzip archive", "unpack it first: gunzip"),
    (
        b"version https://git-lfs",
        "a pointer that stands for the file",
        "fetch the file: git lfs pull",
    ),
)

# What the first entry of a zip archive is called says who wrote it.
_ZIP_ENTRIES: tuple[tuple[bytes, str, str], ...] = (
    (b"data.pkl", "a PyTorch file (.pt), a zip archive around a pickle", OWN_WEIGHTS),
    (b"metadata.json", "a Keras file (.keras)", SAVED_BY_US),
    (b"config.json", "a Keras file (.keras)", SAVED_BY_US),
    (b".npy", "a NumPy archive (.npz)", SAVED_BY_US),
)


def recognise(start: bytes) -> tuple[str, str]:
    """What a file that begins like this is, and what to do with it.

    Use it only for a file that is not built like a model: the first bytes of a good one are a
    length, and a length may look like anything.
    """
    for magic, what, fix in _STARTS:
        if start.startswith(magic):
            return what, fix
    if start.startswith(b"PK\x03\x04"):
        entry = start[30 : 30 + int.from_bytes(start[26:28], "little")]
        for name, what, fix in _ZIP_ENTRIES:
            if entry.endswith(name):
                return what, fix
        return "a zip archive", "unpack it first"
    if _is_onnx(start):
        return "an ONNX graph", "foveal import FILE -o model.safetensors makes a model of it"
    if start.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page", "download the file itself, not the page about it"
    words = b"".join(start.split())
    if words and words.isascii() and words.decode("ascii").isprintable():
        return "a text", "give a net as text to foveal show or foveal train --net"
    return "something else, or cut to its first bytes", SAVED_BY_US


def _is_onnx(start: bytes) -> bool:
    """Field 1 (ir_version, up to 15) and then producer, opsets or graph: fields 2, 8 and 7."""
    return len(start) > 2 and start[0] == 0x08 and start[1] < 16 and start[2] in (0x12, 0x42, 0x3A)
