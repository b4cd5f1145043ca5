"""Taking back what sorting made: all that is as it was made, and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from foveal.data.sorting import FORMAT, LIST, part_of
from foveal.errors import DataError
from foveal.files import sha256

_KEYS: dict[str, dict[str, type]] = {
    "copy": {"copy": str, "from": str, "size": int, "sha256": str},
    "link": {"link": str, "from": str},
    "folder": {"folder": str},
}
"""What a line about each kind of thing holds."""


@dataclass(frozen=True)
class Made:
    """One thing that a list says was made."""

    kind: str
    path: str
    """Below the folder of the list, with forward slashes."""
    source: str = ""
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class Undone:
    """What became of the things on a list."""

    num_removed: int
    num_gone: int
    """Of those that were not there any more."""
    left: tuple[tuple[str, str], ...]
    """What stays, and why."""


def undo(file: Path, through: Callable[[Sequence[Made]], Iterable[Made]] = iter) -> Undone:
    """Remove the copies and links on a list that are as they were made, then empty folders.

    What was changed or added since stays. The list goes too, unless something on it was
    changed. Stopped half-way, it can be done again. `through` may watch the files go by.

    Raises: DataError if the file is no such list; nothing is removed then
    """
    made, file = read(file), file.resolve()
    root = file.parent
    files = [one for one in made if one.kind != "folder"]
    folders = [one.path for one in made if one.kind == "folder"]
    part_of(file).unlink(missing_ok=True)
    removed = gone = 0
    left: list[tuple[str, str]] = []
    for one in through(files):
        path = root / one.path
        if not os.path.lexists(path):
            gone += 1
        elif reason := _why_kept(root, one):
            left.append((one.path, reason))
        else:
            path.unlink()
            removed += 1
    known = {root / path for path in (file.name, *folders, *(path for path, _ in left))}
    if not left:
        file.unlink()
    for folder in reversed(folders):
        left += _remove_folder(root / folder, folder, known)
    return Undone(removed, gone, tuple(left))


def read(file: Path) -> tuple[Made, ...]:
    """What a list says was made. Half a line at its end is what a crash left, and is nothing.

    Raises: DataError if the file is no such list, or would reach out of its folder
    """
    try:
        text = file.read_text(encoding="ascii")
    except UnicodeDecodeError:
        raise _no_list(file, 1) from None
    except OSError as error:
        fix = f"foveal undo {file / LIST}" if file.is_dir() else ""
        raise DataError(f"cannot be read: {error.strerror}", where=str(file), fix=fix) from error
    first, *lines = text.split("\n")[:-1] or [""]
    if _parsed(first) != {"foveal": "sorted", "format": FORMAT}:
        raise _no_list(file, 1)
    return tuple(_made(file, number, line) for number, line in enumerate(lines, 2))


def _made(file: Path, number: int, line: str) -> Made:
    found = _parsed(line)
    kind = next((kind for kind in _KEYS if kind in found), "")
    if not kind or {key: type(value) for key, value in found.items()} != _KEYS[kind]:
        raise _no_list(file, number)
    path = PurePosixPath(found[kind])
    if path.is_absolute() or ".." in path.parts or PureWindowsPath(found[kind]).anchor:
        raise DataError(
            "reaches out of its folder", where=f"{file}, line {number}", arrives=str(path)
        )
    del found[kind]
    return Made(kind, str(path), source=found.pop("from", ""), **found)


def _parsed(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _no_list(file: Path, number: int) -> DataError:
    return DataError(
        "is no list of sorted pictures",
        where=f"{file}, line {number}",
        expected="a file undo.jsonl that foveal predict --sort-into wrote",
    )


def _why_kept(root: Path, made: Made) -> str:
    """Why something is not what was made; empty if it is."""
    path = root / made.path
    if not path.parent.resolve().is_relative_to(root):
        return "its folder leads elsewhere by now"
    return CHANGES[made.kind](path, made)


def _of_copy(path: Path, made: Made) -> str:
    if path.is_symlink() or not path.is_file():
        return "is no copy any more"
    size = path.stat().st_size
    if size == 0:  # a crash just before it was filled, or emptied since: nothing can be lost
        return ""
    same = size == made.size and sha256(path) == made.sha256
    return "" if same else "was changed since"


def _of_link(path: Path, made: Made) -> str:
    if not path.is_symlink():
        return "is no link any more"
    return "" if str(path.readlink()) == made.source else "leads elsewhere by now"


CHANGES: dict[str, Callable[[Path, Made], str]] = {"copy": _of_copy, "link": _of_link}
"""Of each kind of thing, what happened to it since it was made."""


def _remove_folder(path: Path, name: str, known: Collection[Path]) -> list[tuple[str, str]]:
    """Remove a folder if it is empty; what is in it and not known was added, which is said."""
    if path.is_symlink() or not path.is_dir():
        return []
    try:
        path.rmdir()
        return []
    except OSError:
        added = sum(entry not in known for entry in path.iterdir())
        return [(name, f"holds {added:,} more, added since")] if added else []
