"""Text to tokens: words, values, signs and line ends, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from foveal.errors import NotationError

LONGEST_TEXT = 1_000_000
_NUMBER = r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_TOKEN = re.compile(
    rf"""
    (?P<space>[ \t\r]+|\#[^\n]*)
  | (?P<newline>\n)
  | (?P<arrow>->|→)
  | (?P<value>{_NUMBER}(?:[xX×:,]{_NUMBER})*)(?![A-Za-z0-9_.])
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<sign>[\[\]()|:*@?])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """One piece of a text; `kind` is value, word, arrow, newline, end or the sign itself."""

    kind: str
    text: str
    offset: int


def tokens(text: str) -> list[Token]:
    """The tokens of a text, ending with an `end`; comments and spaces are gone."""
    if len(text) > LONGEST_TEXT:
        raise NotationError(
            f"is longer than {LONGEST_TEXT:,} characters", text=text, offset=LONGEST_TEXT
        )
    return [*_scan(text), Token("end", "", len(text))]


def _scan(text: str) -> Iterator[Token]:
    offset = 0
    while offset < len(text):
        found = _TOKEN.match(text, offset)
        if found is None:
            unread = re.match(r"\S{1,12}|.", text[offset:], re.DOTALL)
            sign = unread.group() if unread else ""
            raise NotationError(f"cannot read {sign!r}", text=text, offset=offset, fix=_hint(sign))
        kind = str(found.lastgroup)
        if kind == "sign":
            kind = found.group()
        if kind != "space":
            piece = found.group()
            if kind == "value":
                piece = piece.lower().replace("×", "x")
            yield Token(kind, piece, offset)
        offset = found.end()


def _hint(unread: str) -> str:
    if unread == ",":
        return "a list has no spaces: 0,1,2; what a layer or a block takes has no commas"
    return ""


def indentation(text: str, token: Token) -> int:
    """Columns before the first character of the line on which a token stands."""
    start = text.rfind("\n", 0, token.offset) + 1
    line = text[start:]
    return len(line) - len(line.lstrip(" \t"))
