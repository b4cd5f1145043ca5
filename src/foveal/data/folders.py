"""A folder per class, or train, validation and test folders with a folder per class each."""

from __future__ import annotations

import os
from pathlib import Path

from foveal.data.listing import Entry, Listing
from foveal.data.names import is_hidden, printable
from foveal.data.pictures import SUFFIXES
from foveal.data.samples import Skipped
from foveal.errors import DataError

PARTS = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}
"""Folder names that mean a part of a split data set."""

ARRANGEMENT = "at least two folders, one per class, such as cat/1.jpg and dog/1.jpg"
FIX = "make a folder per class and put its pictures there, or list them in labels.csv"


def scan(root: Path) -> Listing:
    """List the pictures of a folder; nothing is opened.

    Folders below a class folder belong to that class. Hidden entries and those of the system
    are left out; everything else that is no picture is listed with a reason.

    Raises: DataError if there are no class folders
    """
    folders = _class_folders(root)
    if not folders:
        raise _no_classes(root)
    found: list[Entry] = []
    skipped: list[Skipped] = []
    if not _is_split(root, folders):
        _scan_classes(root, root, "", found, skipped)
        return Listing(root.name, str(root), tuple(found), tuple(skipped), ARRANGEMENT, FIX)
    for folder in folders:
        part = PARTS.get(folder.name.lower())
        if part is None:
            skipped.append(Skipped(printable(folder.name), "a folder without pictures"))
        else:
            _scan_classes(root, Path(folder.path), part, found, skipped)
    expected = f"in train/ {ARRANGEMENT}"
    return Listing(root.name, str(root), tuple(found), tuple(skipped), expected, FIX)


def _scan_classes(
    root: Path, folder: Path, part: str, found: list[Entry], skipped: list[Skipped]
) -> None:
    above = frozenset({os.path.realpath(root), os.path.realpath(folder)})
    for entry in _visible(folder):
        name = _name(root, entry.path)
        if not entry.is_dir():
            what = "a picture beside the class folders" if _suffix(entry) in SUFFIXES else ""
            skipped.append(Skipped(name, what or "not in a class folder"))
            continue
        before = len(found)
        _scan_class(root, entry, part, above, found, skipped)
        if len(found) == before:
            skipped.append(Skipped(name, "a class folder without pictures"))


def _scan_class(
    root: Path,
    top: os.DirEntry[str],
    part: str,
    above: frozenset[str],
    found: list[Entry],
    skipped: list[Skipped],
) -> None:
    label = printable(top.name)
    waiting = [(top, above)]
    while waiting:
        entry, above = waiting.pop()
        name = _name(root, entry.path)
        if reason := _why_not(entry, above):
            skipped.append(Skipped(name, reason))
        elif entry.is_dir():
            try:
                inside = _visible(Path(entry.path))
            except OSError as error:
                skipped.append(Skipped(name, f"cannot be opened: {error.strerror}"))
                continue
            below = above | {os.path.realpath(entry.path)}
            waiting += [(child, below) for child in reversed(inside)]
        else:
            folder = name[len(_name(root, top.path)) + 1 :].rpartition("/")[0]
            size = entry.stat().st_size
            found.append(Entry(entry.path, name, label, part, size, folder=folder))


def _why_not(entry: os.DirEntry[str], above: frozenset[str]) -> str:
    """Why an entry of a class folder is neither a picture nor a folder to look into."""
    try:
        is_folder, is_file = entry.is_dir(), entry.is_file()
    except OSError as error:
        return f"cannot be opened: {error.strerror}"
    if is_folder and _suffix(entry) in SUFFIXES:
        return "a folder, though it is named like a picture"
    if is_folder and entry.is_symlink() and _leads_back(os.path.realpath(entry.path), above):
        return "a link back to a folder above it"
    if is_folder:
        return ""
    if entry.is_symlink() and not is_file:
        return "a link to something that is not there"
    if not is_file:
        return "not an ordinary file"
    if _suffix(entry) not in SUFFIXES:
        return f"not a picture by its name ({printable(_suffix(entry)) or 'no ending'})"
    return ""


def _leads_back(target: str, above: frozenset[str]) -> bool:
    return any(Path(folder).is_relative_to(target) for folder in above)


def _class_folders(root: Path) -> list[os.DirEntry[str]]:
    try:
        return [entry for entry in _visible(root) if entry.is_dir()]
    except OSError as error:
        raise DataError(f"cannot be opened: {error.strerror}", where=str(root)) from error


def _is_split(root: Path, folders: list[os.DirEntry[str]]) -> bool:
    """Whether the folders are parts, not classes.

    A folder `train` makes a split only if no other folder with pictures stands beside the
    parts: among plane/, ship/ and train/ it is a vehicle.
    """
    parts = {PARTS[entry.name.lower()] for entry in folders if entry.name.lower() in PARTS}
    others = [entry for entry in folders if entry.name.lower() not in PARTS]
    if not parts or any(_has_picture(entry.path) for entry in others):
        return False
    if "train" in parts:
        return True
    raise DataError(
        "no train folder",
        where=str(root),
        arrives=", ".join(entry.name for entry in folders),
        expected="train/ beside them, with a folder per class",
        fix="rename the folder with the training pictures to train",
    )


def _has_picture(folder: str) -> bool:
    return any(
        Path(name).suffix.lower() in SUFFIXES
        for _, _, names in os.walk(folder)
        for name in names
        if not is_hidden(name)
    )


def _no_classes(root: Path) -> DataError:
    entries = _visible(root)
    loose = sum(_suffix(entry) in SUFFIXES for entry in entries)
    return DataError(
        "no class folders",
        where=str(root),
        arrives=f"{loose:,} pictures without folders" if loose else f"{len(entries):,} files",
        expected=ARRANGEMENT,
        fix=FIX,
    )


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        shown = [entry for entry in entries if not is_hidden(entry.name)]
    return sorted(shown, key=lambda entry: entry.name)


def _suffix(entry: os.DirEntry[str]) -> str:
    return Path(entry.name).suffix.lower()


def _name(root: Path, path: str) -> str:
    return printable(Path(path).relative_to(root).as_posix())
