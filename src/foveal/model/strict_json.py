"""Reading JSON that nobody vouches for: one meaning or a refusal, in bounded time and depth."""

from __future__ import annotations

import json
import math
from collections import Counter
from itertools import accumulate

LARGEST_DEPTH = 64
LARGEST_COUNT = 1_100_000
"""Quotation marks, and brackets: what 100,000 tensors need (10 and 6 each), and some more."""

_LONGEST_NUMBER = 20  # digits of 2**64 - 1
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_OTHERS = bytes(code for code in range(256) if code not in _STEPS)


def parse(text: bytes) -> object:
    """Read JSON of which no part is ambiguous.

    Use it for every document of a file that came from elsewhere. Beyond the standard, refused are:
    a key twice, NaN and Infinity, numbers too large for 64 bits or a double, more than
    `LARGEST_DEPTH` levels. Depth and count are found before anything is parsed, so neither the
    stack nor the memory can be exhausted.

    Raises: ValueError, whose text says what is wrong
    """
    brackets = _brackets(text)
    if len(brackets) > LARGEST_COUNT:
        raise ValueError(f"more than {LARGEST_COUNT:,} brackets")
    if max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > LARGEST_DEPTH:
        raise ValueError(f"nested deeper than {LARGEST_DEPTH} levels")
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from error
    return json.loads(
        decoded,
        object_pairs_hook=_object,
        parse_int=_whole,
        parse_float=_real,
        parse_constant=_constant,
    )


def _brackets(text: bytes) -> bytes:
    """The brackets of a JSON text that are not inside a string, in their order."""
    text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    if text.count(b'"') > LARGEST_COUNT:
        raise ValueError(f"more than {LARGEST_COUNT:,} quotation marks")
    return b"".join(text.split(b'"')[::2]).translate(None, delete=_OTHERS)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        [(twice, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {twice[:60]!r} twice")
    return found


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > _LONGEST_NUMBER:
        raise ValueError(f"a whole number of {len(text)} digits")
    return int(text)


def _real(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:60]}, which is too large")
    return number


def _constant(text: str) -> float:
    raise ValueError(f"{text}, which is no JSON number")
