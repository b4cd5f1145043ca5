"""Pictures into a folder for each class, with a list that takes it all back.

Nothing is overwritten and no original is touched. Each line of the list is written before what it
tells of is made, and a picture appears under its name only when it is whole: so whatever ends the
process, the list holds all that was made, and at most something that was not.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from foveal.data.names import printable
from foveal.errors import DataError, MachineError

UNSURE = "unsure"
"""The folder of pictures whose answer is unsure."""
LIST = "undo.jsonl"
FORMAT = 1
_LONGEST = 80
"""Characters of a folder; in UTF-8 up to 240 bytes, of 255 allowed."""
_FORBIDDEN = frozenset('<>:"/\\|?*')
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))}
)
"""Names that Windows keeps for itself, whatever their ending."""


def folder_names(classes: Iterable[str]) -> dict[str, str]:
    """A folder for each class, allowed on every system, each another one.

    What a folder may not be called becomes a hyphen; names that would then be the same, or differ
    in capitals only, or be that of the unsure, get a number.

    >>> folder_names(["cat", "Cat", "and/or", "unsure"])
    {'cat': 'cat', 'Cat': 'Cat-2', 'and/or': 'and-or', 'unsure': 'unsure-2'}
    """
    taken, made = {UNSURE}, {}
    for name in classes:
        plain = _plain(name)
        numbered = (plain if number == 1 else f"{plain}-{number}" for number in count(1))
        made[name] = next(one for one in numbered if _key(one) not in taken)
        taken.add(_key(made[name]))
    return made


def _plain(name: str) -> str:
    signs = ("-" if sign in _FORBIDDEN or not sign.isprintable() else sign for sign in name)
    plain = "".join(signs)[:_LONGEST].strip(" .") or "class"
    return f"{plain}-" if plain.partition(".")[0].lower() in _DEVICES else plain


def _key(name: str) -> str:
    """The same for names that some file system takes for one."""
    return unicodedata.normalize("NFC", name).casefold()


def outside(files: Sequence[Path], folder: Path) -> list[Path]:
    """The files that do not lie in a folder: what was sorted there before is not sorted again.

    Raises: DataError if none is left
    """
    where = folder.resolve()
    found = [file for file in files if not file.resolve().is_relative_to(where)]
    if not found:
        raise DataError(
            "every picture lies in the folder to sort into",
            where=printable(str(folder)),
            fix="sort into another folder",
        )
    return found


class Sorter:
    """Puts pictures into folders below one folder, and writes down what it makes."""

    def __init__(self, folder: Path, classes: Iterable[str], *, link: bool = False) -> None:
        """Make the folder and begin its list.

        With `link` pictures are not copied: symbolic links lead to them. (A hard link would be the
        original itself under a second name: who edits it, edits the original unawares.)

        Raises: MachineError if nothing can be written there
        """
        self.folder = folder.resolve()
        self.link = link
        self.counts: dict[str, int] = {}
        """Pictures by the folder they went into."""
        self.num_again = 0
        """Files that came more than once; they are sorted once."""
        self._folders = folder_names(classes)
        self._seen: set[str] = set()
        self._places: set[str] = set()
        self._new = not self.folder.exists()
        try:
            self.folder.mkdir(exist_ok=True)
            self.list, self._file = _new_list(self.folder)
        except OSError as error:
            raise MachineError(
                f"cannot be sorted into: {error.strerror}",
                where=str(self.folder),
                fix="a folder beside something that is there, where you may write",
            ) from error
        self._part = part_of(self.list)
        self._write({"foveal": "sorted", "format": FORMAT})
        if self._new:
            self._write({"folder": "."})

    def add(self, file: str | Path, label: str | None) -> Path | None:
        """Put one picture into the folder of its class, or of the unsure; None if it is in one.

        Raises: DataError if something else bears the folder's name; MachineError if the disk
                refuses
        """
        place = UNSURE if label is None else self._folders[label]
        source = os.path.realpath(file)
        if source in self._seen:
            self.num_again += 1
            return None
        self._seen.add(source)
        try:
            target = self.folder / place
            self._make_folder(target, place)
            made = self._link(source, target) if self.link else self._copy(source, target)
        except OSError as error:
            raise self._refused(error, source, place) from error
        self.counts[place] = self.counts.get(place, 0) + 1
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file:
            os.fsync(self._file.fileno())
        if not self._places:
            self.list.unlink()
            if self._new:
                self.folder.rmdir()

    def _write(self, line: dict[str, Any]) -> None:
        # ASCII, with what is no UTF-8 in a name as \udcXX: Python reads back the very name.
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def _make_folder(self, target: Path, place: str) -> None:
        if target.is_symlink() or (target.exists() and not target.is_dir()):
            raise DataError(
                "is in the way: not a folder of its own",
                where=str(target),
                fix="remove or rename it, or sort into another folder",
            )
        self._places.add(place)
        if not target.exists():
            self._write({"folder": place})
            target.mkdir()

    def _link(self, source: str, folder: Path) -> Path:
        for made in _names(folder, source):
            if os.path.lexists(made):
                continue
            self._write({"link": self._below(made), "from": source})
            try:
                made.symlink_to(source)
                return made
            except FileExistsError:  # somebody was quicker
                continue
        raise AssertionError("unreachable")

    def _copy(self, source: str, folder: Path) -> Path:
        try:
            size, digest = _copied(source, self._part)
            for made in _names(folder, source):
                if os.path.lexists(made):
                    continue
                line = {"copy": self._below(made), "from": source, "size": size, "sha256": digest}
                self._write(line)
                try:
                    made.touch(exist_ok=False)  # from here on the name is ours
                except FileExistsError:
                    continue
                self._part.replace(made)
                return made
        finally:
            self._part.unlink(missing_ok=True)
        raise AssertionError("unreachable")

    def _below(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _refused(self, error: OSError, source: str, place: str) -> MachineError:
        if self.link and getattr(error, "winerror", None) == 1314:  # privilege not held
            fix = "allow links (Windows: developer mode), or leave --link away to copy"
        elif error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", -1)):
            fix = f"free some room, or --link; foveal undo {self.list} takes back what was made"
        else:
            fix = f"foveal undo {self.list} takes back what was made"
        return MachineError(
            f"cannot be sorted into {place}: {error.strerror or error}", where=source, fix=fix
        )


def part_of(list: Path) -> Path:
    """Where a copy lies until it is whole, beside the list that it belongs to."""
    return list.with_name(f".{list.stem}.foveal-part")


def _new_list(folder: Path) -> tuple[Path, TextIO]:
    for path in _names(folder, LIST):
        with contextlib.suppress(FileExistsError):
            return path, path.open("x", encoding="ascii")
    raise AssertionError("unreachable")


def _names(folder: Path, source: str) -> Iterator[Path]:
    """The name of a file in another folder, then the same with numbers."""
    name = Path(source)
    yield folder / name.name
    for number in count(2):
        yield folder / f"{name.stem}-{number}{name.suffix}"


def _copied(source: str, target: Path) -> tuple[int, str]:
    """Copy a file with its date, and return its size and digest."""
    digest, size = hashlib.sha256(), 0
    with Path(source).open("rb") as old, target.open("wb") as new:
        while block := old.read(1 << 20):
            digest.update(block)
            size += len(block)
            new.write(block)
    dated = Path(source).stat()
    os.utime(target, ns=(dated.st_atime_ns, dated.st_mtime_ns))
    return size, digest.hexdigest()
