"""The pictures that a command is given: files, folders, globs, lists."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from foveal.data.names import is_hidden, printable
from foveal.data.pictures import SUFFIXES
from foveal.errors import DataError


def expand(arguments: Iterable[str]) -> list[Path]:
    """Every picture meant: files as they are, folders with all below them, globs, list.txt.

    Globs are expanded here too, for shells that do not. A `.txt` file names a picture per line,
    relative to its own folder.

    Raises: DataError if an argument is nothing, or means no picture at all
    """
    found = [path for argument in arguments for path in _expand(argument)]
    if not found:
        raise DataError("no pictures found", fix="give files, folders or a list.txt")
    return found


def _expand(argument: str) -> Iterator[Path]:
    path = Path(argument)
    if path.is_dir():
        yield from _below(path)
    elif path.suffix.lower() == ".txt" and path.is_file():
        yield from _listed(path)
    elif path.exists():
        yield path
    elif glob.has_magic(argument):
        matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 - any path
        if not matches:
            raise DataError("nothing has such a name", where=printable(argument))
        for match in matches:
            yield from _expand(match)
    else:
        raise DataError("there is no such file or folder", where=printable(argument))


def _below(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        where = printable(str(error.filename))
        raise DataError(f"cannot be opened: {error.strerror}", where=where) from error

    for root, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        for name in sorted(names):
            if Path(name).suffix.lower() in SUFFIXES and not is_hidden(name):
                yield Path(root, name)


def _listed(path: Path) -> Iterator[Path]:
    where = printable(str(path))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=where) from error
    except UnicodeDecodeError as error:
        raise DataError("is not text in UTF-8", where=where) from error
    for line in text.split("\n"):
        if line.strip():
            yield path.parent / line.strip()
