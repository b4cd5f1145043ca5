"""Small picture files and folders, made by Pillow or byte by byte."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def blocks(height: int = 48, width: int = 64, seed: int = 0) -> np.ndarray:
    """A picture of 16-pixel blocks in random colours, so that JPEG keeps it nearly exactly."""
    colours = np.random.default_rng(seed).integers(0, 256, (height // 16, width // 16, 3))
    return np.kron(colours, np.ones((16, 16, 1))).astype(np.uint8)


def encoded(picture: np.ndarray | Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(file, format, **options)
    return file.getvalue()


def jpeg(seed: int = 0, **options: object) -> bytes:
    return encoded(blocks(seed=seed), "JPEG", quality=95, **options)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises a grey picture of any size and holds ten bytes of it."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(bytes(10)))


def fill(folder: Path, count: int, seed: int = 0) -> None:
    """`count` different small PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        picture = np.random.default_rng((seed, number)).integers(0, 256, (6, 8, 3), np.uint8)
        (folder / f"{number}.png").write_bytes(encoded(picture, "PNG"))


def class_folders(root: Path, **counts: int) -> Path:
    """A folder per class with so many PNG files each."""
    for seed, (name, count) in enumerate(counts.items()):
        fill(root / name, count, seed)
    return root


def idx(values: np.ndarray) -> bytes:
    return (
        bytes((0, 0, 8, values.ndim))
        + struct.pack(f">{values.ndim}I", *values.shape)
        + (values.astype(np.uint8).tobytes())
    )


def idx_folder(root: Path, *, packed: bool = True, test: bool = True) -> Path:
    """Twenty training and five test digits of 4x5 pixels under MNIST's names."""
    root.mkdir(parents=True, exist_ok=True)
    for part, count in [("train", 20), ("t10k", 5)][: 2 if test else 1]:
        images = np.random.default_rng(count).integers(0, 256, (count, 4, 5))
        labels = np.arange(count) % 5
        for name, values in (("images-idx3", images), ("labels-idx1", labels)):
            data = idx(values)
            path = root / f"{part}-{name}-ubyte{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(data) if packed else data)
    return root
