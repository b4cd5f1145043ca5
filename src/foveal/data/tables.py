"""labels.csv: a row per picture, with its file and its label."""

from __future__ import annotations

import csv
from pathlib import Path

from foveal.data.folders import PARTS
from foveal.data.listing import Entry, Listing
from foveal.data.names import printable
from foveal.data.samples import Skipped
from foveal.errors import DataError, did_you_mean

NAME = "labels.csv"
_EXPECTED = "a first line 'file,label', then a line per picture such as 'photos/1.jpg,cat'"
_FIX = "give the pictures at least two different labels"


def read(path: Path) -> Listing:
    """List the pictures of a table with the columns file, label and, if wanted, split.

    Paths are relative to the table. Columns are parted by commas, semicolons or tabs. `split`
    is train, val or test; empty means train.

    Raises: DataError with the line, if the table is not one
    """
    rows = _rows(path)
    columns = _columns(path, rows[0][1] if rows else [])
    found: list[Entry] = []
    skipped: list[Skipped] = []
    seen: dict[str, int] = {}
    for line, row in rows[1:]:
        cells = {name: row[at].strip() for name, at in columns.items() if at < len(row)}
        name, label = cells.get("file", ""), cells.get("label", "")
        shown = printable(Path(name).as_posix()) if name else f"line {line}"
        if not name or not label:
            skipped.append(Skipped(shown, "no file or no label in this line", line))
        elif name in seen:
            skipped.append(Skipped(shown, f"already listed in line {seen[name]}", line))
        else:
            seen[name] = line
            part = _part(path, line, cells["split"]) if "split" in columns else ""
            file = path.parent / name
            size = _size(file)
            if size is None:
                skipped.append(Skipped(shown, "no such file", line, damaged=True))
            else:
                folder = shown.rpartition("/")[0]
                found.append(Entry(str(file), shown, printable(label), part, size, line, folder))
    where = str(path)
    return Listing(path.parent.name, where, tuple(found), tuple(skipped), _EXPECTED, _FIX)


def _size(file: Path) -> int | None:
    """Bytes of an ordinary file; None for anything else."""
    try:
        return file.stat().st_size if file.is_file() else None
    except (OSError, ValueError):  # a name that is too long, or holds a zero byte
        return None


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Line numbers and cells of the lines that are not empty."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DataError(
            "the table is not UTF-8 text",
            where=f"{path}, line {line}",
            fix="save it again as CSV with the encoding UTF-8",
        ) from error
    except OSError as error:
        raise DataError(f"cannot be opened: {error.strerror}", where=str(path)) from error
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    rows = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((reader.line_num, row))
    except csv.Error as error:
        where = f"{path}, line {reader.line_num}"
        raise DataError(f"the table is damaged: {error}", where=where) from error
    return rows


def _columns(path: Path, titles: list[str]) -> dict[str, int]:
    columns = {title.strip().lower(): at for at, title in enumerate(titles)}
    for name in ("file", "label"):
        if name not in columns:
            raise DataError(
                f"no column '{name}'",
                where=f"{path}, line 1",
                arrives=", ".join(map(printable, titles)) or "nothing",
                expected=_EXPECTED,
            )
    return {name: columns[name] for name in ("file", "label", "split") if name in columns}


def _part(path: Path, line: int, word: str) -> str:
    if not word:
        return "train"
    if word.lower() in PARTS:
        return PARTS[word.lower()]
    raise DataError(
        f"unknown split '{printable(word)}'",
        where=f"{path}, line {line}",
        expected="train, val or test",
        fix=did_you_mean(word, PARTS),
    )
