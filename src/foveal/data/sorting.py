"""Pictures into a folder for each class, with a list that takes it all back.

Nothing is overwritten and no original is touched. Each line of the list is written before what it
tells of is made, and a picture appears under its name only when it is whole: so whatever ends the
process, the list holds all that was made, and at most something that was not.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import unicodedata
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from foveal.errors import DataError, MachineError
from foveal.files import sweep

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


class Sorter:
    """Puts pictures into folders below one folder, and writes down what it makes."""

    def __init__(self, folder: Path, *, link: bool = False) -> None:
        """Make the folder and begin its list.

        With `link` pictures are not copied: symbolic links lead to them. (A hard link would be the
        original itself under a second name: who edits it, edits the original unawares.)

        Raises: MachineError if nothing can be written there
        """
        self.folder = folder.resolve()
        self.link = link
        self.num_sorted: dict[str, int] = {}
        self.num_again = 0
        """Files that came more than once; they are sorted once."""
        self._seen: set[str] = set()
        missing = [path for path in (self.folder, *self.folder.parents) if not path.exists()]
        try:
            for path in reversed(missing):
                path.mkdir()
            self._begin()
        except OSError as error:
            raise MachineError(
                f"cannot be made: {error.strerror}",
                where=str(self.folder),
                fix="a folder where you may write",
            ) from error
        self._write({"foveal": "sorted", "format": FORMAT})
        if missing:
            self._write({"folder": "."})

    def add(self, file: str | Path, place: str) -> Path | None:
        """Put one picture into the folder `place`; None if it has been sorted already.

        Raises: DataError if the place is not a folder; MachineError if the disk refuses
        """
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
        self.num_sorted[place] = self.num_sorted.get(place, 0) + 1
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

    def _begin(self) -> None:
        for number in count(1):
            name = LIST if number == 1 else f"{number}".join(os.path.splitext(LIST))
            self.list = self.folder / name
            try:
                self._file = self.list.open("x", encoding="ascii")
                return
            except FileExistsError:
                continue

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
        part = folder / f".{os.getpid()}-{os.urandom(4).hex()}.foveal-part"
        try:
            size, digest = _copied(source, part)
            for made in _names(folder, source):
                if os.path.lexists(made):
                    continue
                line = {"copy": self._below(made), "from": source, "size": size, "sha256": digest}
                self._write(line)
                try:
                    made.touch(exist_ok=False)  # from here on the name is ours
                except FileExistsError:
                    continue
                part.replace(made)
                return made
        finally:
            part.unlink(missing_ok=True)
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


def _names(folder: Path, source: str) -> Iterable[Path]:
    """The name of a file in another folder, then the same with numbers."""
    stem, suffix = os.path.splitext(os.path.basename(source))
    for number in count(1):
        yield folder / (f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}")


def _copied(source: str, target: Path) -> tuple[int, str]:
    """Copy a file with its date, and return its size and digest."""
    digest, size = hashlib.sha256(), 0
    with open(source, "rb") as old, target.open("xb") as new:
        while block := old.read(1 << 20):
            digest.update(block)
            size += len(block)
            new.write(block)
    shutil.copystat(source, target)
    return size, digest.hexdigest()
