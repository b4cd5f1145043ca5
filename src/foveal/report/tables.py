"""The files of a run that programs read: results.csv, wrong.csv and args.toml."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

from foveal.errors import SpecError
from foveal.files import write_atomically
from foveal.report.record import EpochRow
from foveal.tasks.classify import Evaluation, Wrong

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")  # TOML 1.0, "Keys"
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def write_wrong_csv(path: Path, evaluation: Evaluation) -> None:
    """Write a row per picture that was named wrong, the most confident mistake first."""
    columns = [field.name for field in fields(Wrong)]
    _write_csv(path, columns, (astuple(wrong) for wrong in evaluation.wrong))


def write_results_csv(path: Path, epochs: Sequence[EpochRow]) -> None:
    """Write a row per epoch; what was not measured stays empty."""
    columns = list(EpochRow.__annotations__)
    _write_csv(path, columns, ([dict(epoch)[name] for name in columns] for epoch in epochs))


def write_args(path: Path, args: Mapping[str, Any]) -> None:
    """Write options as TOML, so that a training can be repeated; dictionaries become tables.

    An option that is None is left out: TOML has no word for it.

    Raises: SpecError if a value is no text, number, truth value, path, list or dictionary
    Source: TOML 1.0, https://toml.io/en/v1.0.0
    """
    write_atomically(path, _encode("\n".join(_table_lines(args, ()))))


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    page = io.StringIO(newline="")
    writer = csv.writer(page)  # quotes as RFC 4180 does, so newlines and commas in names survive
    writer.writerow(columns)
    writer.writerows(rows)
    write_atomically(path, _encode(page.getvalue()))


def _encode(page: str) -> bytes:
    """UTF-8; the bytes of a file name that are none are spelled out, as in \\udcff."""
    return page.encode("utf-8", "backslashreplace")


def _table_lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterable[str]:
    """Plain values first: after the header of a table everything belongs to that table."""
    for name, value in table.items():
        if value is not None and not isinstance(value, Mapping):
            yield f"{_key(name)} = {_value(value, '.'.join((*path, name)))}"
    for name, value in table.items():
        if isinstance(value, Mapping):
            here = (*path, name)
            yield f"\n[{'.'.join(map(_key, here))}]"
            yield from _table_lines(value, here)
    if not path:
        yield ""


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _text(name)


def _value(value: object, name: str) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(float(value))  # without NumPy's name around it
        case str() | Path():
            return _text(str(value))
        case list() | tuple():
            return "[" + ", ".join(_value(item, name) for item in value) + "]"
        case _:
            raise SpecError(
                f"a value of type {type(value).__name__} cannot be written as TOML",
                where=name,
                expected="text, a number, true or false, a path, a list or a dictionary",
            )


def _text(text: str) -> str:
    """A quoted TOML string; a lone surrogate has no escape there, so it is spelled out."""
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return '"' + "".join(_ESCAPES.get(c, c if c.isprintable() else _code(c)) for c in whole) + '"'


def _code(character: str) -> str:
    return f"\\U{ord(character):08x}"
