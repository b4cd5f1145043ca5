"""Where filtered pictures go, and as which bytes."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from foveal.errors import DataError, SpecError, did_you_mean

FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".ppm": "PPM",
    ".pgm": "PPM",
}
"""What can be written, by the end of the file's name."""


LONGEST = {"JPEG": 65_500, "WEBP": 16_383}
"""Pixels of the longer side, of formats whose writers refuse more."""


def encode(picture: Image.Image, path: Path) -> bytes:
    """A picture as the bytes of a file with such a name; JPEG and WebP lose a little.

    Raises:  DataError if the picture is longer than the format can hold
    """
    most = LONGEST.get(FORMATS[path.suffix.lower()])
    if most is not None and max(picture.size) > most:
        raise DataError(
            f"the format {path.suffix} holds at most {most:,} pixels a side",
            where=str(path),
            arrives=f"{picture.height} x {picture.width} (height x width)",
            fix=f"-o {path.with_suffix('.png').name}",
        )
    file = io.BytesIO()
    picture.save(file, FORMATS[path.suffix.lower()], quality=95)
    return file.getvalue()


def targets(files: Sequence[Path], output: str | None, name: str) -> list[Path]:
    """Where the filtered picture of each file is written.

    `output` is a file for a single picture, or a folder, which keeps the folders that the
    pictures lie in. Without it a picture `photo.jpg` becomes `photo-NAME.png` beside it.

    Raises:  SpecError if two would be written to one place, a picture over one that is read, or
             the format is unknown
    """
    if output == "":
        raise SpecError("is empty", where="-o", fix=f"-o {name}.png, or -o folder/")
    if output is None or not is_folder(output):
        if len(files) > 1:
            raise SpecError(
                f"{len(files)} pictures need a folder", where="-o", fix="-o folder/, with a slash"
            )
        file = files[0]
        made = [Path(output) if output else file.with_name(f"{file.stem}-{name}.png")]
    else:
        made = _below(Path(output), files)
    _check_suffix(made[0])
    _check_collisions(made, files)
    return made


def is_folder(output: str) -> bool:
    """Whether what is written goes into a folder of that name: it is one, or is written as one."""
    path = Path(output)
    return path.is_dir() or (
        not path.exists() and (output.endswith(("/", os.sep)) or not path.suffix)
    )


def _below(folder: Path, files: Sequence[Path]) -> list[Path]:
    absolute = [Path(os.path.normpath(file.absolute())) for file in files]
    if len({file.anchor for file in absolute}) > 1:  # several drives of Windows
        return [folder / f"{file.stem}.png" for file in files]
    common = os.path.commonpath([file.parent for file in absolute])
    return [folder / file.relative_to(common).with_suffix(".png") for file in absolute]


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in FORMATS:
        near = did_you_mean(path.suffix, FORMATS)
        raise SpecError(
            f"no format is called {path.suffix}" if path.suffix else "the name says no format",
            where=str(path),
            expected=f"a name that ends in {', '.join(FORMATS)}",
            fix=near if near.startswith("did") else "",
        )


def _check_collisions(made: Sequence[Path], files: Sequence[Path]) -> None:
    read = {_identity(file) for file in files if file.exists()}
    first: dict[Path, Path] = {}
    for target, file in zip(made, files, strict=True):
        if target.exists() and _identity(target) in read:
            raise SpecError(
                "is a picture that is read", where=str(target), fix="-o another.png, or -o folder/"
            )
        if target in first:
            raise SpecError(
                "two pictures would be written here",
                where=str(target),
                arrives=f"{first[target]} and {file}",
                fix="one after the other, each with its own -o",
            )
        first[target] = file


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino
