"""One picture: from a file or its bytes to uint8 H,W,C, the same in training and prediction.

Pillow only decodes. Formats are a closed list; what a file is called does not matter, only what
it holds. Nothing is ever written.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from foveal.data.colours import Pixels, is_grey, to_pixels, turn_upright
from foveal.data.names import printable
from foveal.data.quiet import quiet
from foveal.errors import DataError

DECODING = 1
"""Counted up when the same file gives other pixels than before."""
MAX_PIXELS = 50_000_000
HEIC_FIX = "pip install pillow-heif"
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"}
    | {".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".avif", ".avifs", ".heic", ".heif", ".hif"}
)
_READERS = {  # importing a module of Pillow's registers its reader
    "JPEG": JpegImagePlugin,
    "PNG": PngImagePlugin,
    "WEBP": WebPImagePlugin,
    "GIF": GifImagePlugin,
    "BMP": BmpImagePlugin,
    "DIB": BmpImagePlugin,
    "TIFF": TiffImagePlugin,
    "PPM": PpmImagePlugin,
    "AVIF": AvifImagePlugin,
}
FORMATS = tuple(_READERS)
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_ORIENTATION = 0x0112  # EXIF 2.3, tag Orientation
_DETAILS, _TAKEN = 0x8769, 0x9003  # the same, ExifIFD and in it DateTimeOriginal
_FOREIGN_BYTES = 256  # how much may precede a JPEG's start, and then follow its end

_JPEG_START, _END = b"\xff\xd8\xff", b"\xff\xd9"
_PI = bytes.fromhex("3141592653589793238462643383279502884197") * 4


def _more(data: bytes) -> bytes:
    """An ending with data where pixels may be missing: at once, and after each restart marker."""
    return data + b"".join(bytes((0xFF, 0xD0 + n % 8)) + data for n in range(16)) + _END


# Endings for a JPEG without its end marker: none, some data (not zeros, which would look like
# the decoder's own filling), and its opposite.
_ENDINGS = (_END, _more(_PI), _more(bytes(255 - byte for byte in _PI)))

_BROKEN = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError,
    EOFError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Header:
    """What a picture says of itself before any pixel is decoded; sizes are upright."""

    height: int
    width: int
    channels: int
    animated: bool


def read(path: str | os.PathLike[str], channels: int, at_least: int | None = None) -> Pixels:
    """Read a picture file as uint8 H,W,C.

    Everything a picture can carry is settled here: EXIF orientation is applied, transparency is
    laid over white, 16-bit and float grey are scaled (see `foveal.data.colours`), CMYK is
    converted, an animation gives its first frame. With `at_least`, a large JPEG is
    decoded at 1/2, 1/4 or 1/8 of its size, its shorter side never below twice `at_least`.

    Shape:   file -> (H, W, channels), channels 1 or 3
    Raises:  DataError with the file and a reason: not a picture, cut off, damaged, over
             50 million pixels (refused from the header), unreadable
    """
    with _file(path) as file:
        return _decode(file, printable(os.fspath(path)), channels, at_least)


def decode(
    data: bytes | IO[bytes], channels: int, at_least: int | None = None, name: str = "picture"
) -> Pixels:
    """Decode a picture that is already in memory, or an open file that can seek, as `read` does.

    Shape:   bytes -> (H, W, channels), channels 1 or 3
    Raises:  DataError with `name` as its place
    """
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    return _decode(file, name, channels, at_least)


def header(path: str | os.PathLike[str]) -> Header:
    """Size and channels of a picture file, from its header alone.

    Raises:  DataError as `read`, but for damage among the pixels
    """
    with _file(path) as file, _opened(file, printable(os.fspath(path))) as picture:
        width, height = picture.size
        if "exif" in picture.info and _orientation(picture) >= 5:
            width, height = height, width
        channels = 1 if is_grey(picture) else 3
        still = picture.format in ("JPEG", "MPO")  # a second picture there is a preview
        animated = not still and bool(getattr(picture, "is_animated", False))
        return Header(height, width, channels, animated)


def taken(path: str | os.PathLike[str]) -> datetime | None:
    """When a picture was taken, by the clock of its camera; None where it does not say."""
    try:
        with _file(path) as file, _opened(file, printable(os.fspath(path))) as picture:
            text = str(picture.getexif().get_ifd(_DETAILS).get(_TAKEN, ""))
            return datetime.strptime(text.strip("\0 "), "%Y:%m:%d %H:%M:%S")
    except (DataError, *_BROKEN):
        return None


@contextmanager
def _file(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    try:
        with Path(path).open("rb") as file:
            yield file
    except OSError as error:
        where = printable(os.fspath(path))
        raise DataError(f"cannot be opened: {error.strerror}", where=where) from error


def _decode(file: IO[bytes], where: str, channels: int, at_least: int | None) -> Pixels:
    try:
        return _decode_whole(file, where, channels, at_least)
    except _CutOffError:
        file.seek(0)
        data = file.read()
        if not data.startswith(_JPEG_START):
            raise
    return _decode_without_end(data, where, channels, at_least)


def _decode_whole(file: IO[bytes], where: str, channels: int, at_least: int | None) -> Pixels:
    with _opened(file, where) as picture:
        if picture.format in ("JPEG", "MPO"):
            size = None if at_least is None else (2 * at_least, 2 * at_least)
            picture.draft("L" if channels == 1 else None, size)
        picture.load()  # first: looking for EXIF in a PNG would decode it, and hide its damage
        return turn_upright(to_pixels(picture, channels), _orientation(picture))


def _decode_without_end(data: bytes, where: str, channels: int, at_least: int | None) -> Pixels:
    """Use a JPEG that ends too early if nothing of the picture itself is missing.

    If every pixel was there, what follows cannot matter: different endings must give the same
    picture. (A progressive JPEG cut just between two of its scans passes, a little coarser.)
    """
    data = data.rstrip(b"\xff")  # half a marker
    first, *others = (
        _decode_whole(io.BytesIO(data + ending), where, channels, None) for ending in _ENDINGS
    )
    if not all(np.array_equal(first, other) for other in others):
        raise _CutOffError("the picture is cut off", where=where)
    return _decode_whole(io.BytesIO(data + _END), where, channels, at_least)


class MissingReaderError(DataError):
    """A picture is sound as far as one can tell, but its format needs a package that is missing."""


class _CutOffError(DataError):
    """A JPEG ends before its end marker."""


@contextmanager
def _opened(file: IO[bytes], where: str) -> Iterator[Image.Image]:
    """The picture in a file, its header read and its size allowed; failures as DataError."""
    with quiet():
        try:
            with _identify(file, where) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    raise _too_large(where, f"{width} x {height} pixels")
                yield picture
        except DataError:
            raise
        except Image.DecompressionBombError as error:
            raise _too_large(where, "far more pixels") from error
        except MemoryError as error:
            raise DataError("the picture does not fit into memory", where=where) from error
        except _BROKEN as error:
            raise _explain(error, where) from error


def _identify(file: IO[bytes], where: str) -> Image.Image:
    known = [name for name in FORMATS if name in Image.OPEN]
    try:
        return Image.open(file, formats=known)
    except UnidentifiedImageError:
        file.seek(0)
        start = file.read(_FOREIGN_BYTES + 3)
    if not start:
        raise DataError("the file is empty", where=where)
    if start[4:8] == b"ftyp" and start[8:12] in _HEIF_BRANDS:
        return _open_heif(file, where)
    if (offset := start.find(_JPEG_START)) > 0:
        file.seek(offset)
        data = file.read()
        if data.rfind(_END) >= len(data) - _FOREIGN_BYTES:
            return Image.open(io.BytesIO(data), formats=["JPEG"])
    for name in known:
        accept = Image.OPEN[name][1]
        if accept is not None and accept(start[:16]) is True:
            raise DataError(f"the header of this {name} picture is damaged", where=where)
    raise DataError(
        "not a picture of a known format",
        where=where,
        expected="JPEG, PNG, WebP, GIF, BMP, TIFF, PPM, PGM, AVIF or HEIC",
    )


def _open_heif(file: IO[bytes], where: str) -> Image.Image:
    try:
        import pillow_heif  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise MissingReaderError(
            "a HEIC picture, which Pillow cannot read alone", where=where, fix=HEIC_FIX
        ) from None
    pillow_heif.register_heif_opener()
    return Image.open(file, formats=["HEIF"])


def _too_large(where: str, arrives: str) -> DataError:
    return DataError(
        "the picture is too large",
        where=where,
        arrives=arrives,
        expected=f"at most {MAX_PIXELS:,} pixels",
        fix="make it smaller first",
    )


def _explain(error: BaseException, where: str) -> DataError:
    if isinstance(error, OSError) and error.errno is not None:
        return DataError(f"cannot be read: {error.strerror}", where=where)
    if "truncated" in str(error).lower():
        return _CutOffError("the picture is cut off", where=where)
    return DataError("the picture is damaged", where=where, arrives=f"Pillow says: {error}")


def _orientation(picture: Image.Image) -> int:
    """EXIF orientation 1-8; 1 where it is missing or damaged, and in TIFF, which Pillow turns."""
    if picture.format == "TIFF":
        return 1
    try:
        value = picture.getexif().get(_ORIENTATION, 1)
    except _BROKEN:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
