"""Names of files: which are nobody's pictures, and how to print those that cannot be printed."""

from __future__ import annotations

_NOT_OURS = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


def is_hidden(name: str) -> bool:
    """Whether an entry belongs to the system or a tool: skipped without a word."""
    return name.startswith(".") or name.lower() in _NOT_OURS


def printable(name: str) -> str:
    r"""The name with what a terminal or a JSON file cannot hold written as \n, \xff or \u202e."""
    return "".join(map(_escape, name)) if not name.isprintable() else name


def _escape(character: str) -> str:
    if character.isprintable():
        return character
    byte = ord(character) - 0xDC00  # a byte that is not UTF-8, as Python hands it over (PEP 383)
    if 0x80 <= byte <= 0xFF:
        return f"\\x{byte:02x}"
    return character.encode("unicode_escape").decode("ascii")
