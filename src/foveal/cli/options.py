"""Reading what several commands take: sizes, letters, files."""

from __future__ import annotations

import re

from foveal.errors import SpecError


def input_size(text: str | None) -> int | tuple[int, int] | None:
    """Side of a picture in pixels, or height and width: `32`, `48x64`."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text)
    if not found or "0" in found.groups():
        raise SpecError(
            f"cannot read {text!r}", where="--size", fix="64, or 48x64 (height x width)"
        )
    height, width = found.groups()
    return int(height) if width is None else (int(height), int(width))


def letters(text: str) -> dict[str, int]:
    """Letters of a pattern and their numbers: `N=2,M=3`."""
    found = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        if not value.strip().isdigit():
            raise SpecError(f"cannot read {part!r}", where="--set", fix="--set N=2,M=3,K=1")
        found[name.strip().upper()] = int(value)
    return found
