"""Reading what is written in an option: sizes, letters, goals."""

from __future__ import annotations

import re

import click

from foveal.errors import SpecError

unsure_below_option = click.option(
    "--unsure-below",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Answers of a smaller probability are unsure.",
)

_NUMBER = re.compile(r"\s*[0-9]{1,12}(\.[0-9]{0,12})?\s*|\s*\.[0-9]{1,12}\s*")


def input_size(text: str | None) -> int | tuple[int, int] | None:
    """Side of a picture in pixels, or height and width: `32`, `48x64`."""
    if text is None:
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,3})(?:x([1-9][0-9]{0,3}))?", text)
    if not found:
        raise SpecError(
            f"cannot read {text!r}",
            where="--size",
            expected="pixels, from 1 to 9999",
            fix="--size 64, or --size 48x64 (height x width)",
        )
    height, width = found.groups()
    return int(height) if width is None else (int(height), int(width))


def letters(text: str) -> dict[str, int]:
    """Letters of a pattern and their numbers: `N=2,M=3`."""
    found = {}
    for part in filter(None, text.split(",")):
        pair = re.fullmatch(r"\s*([A-Za-z]\w*)\s*=\s*([0-9]{1,6})\s*", part)
        if not pair:
            raise SpecError(f"cannot read {part!r}", where="--set", fix="--set N=2,M=3,K=1")
        found[pair[1].upper()] = int(pair[2])
    return found


def goal(until: str | None, within: str | None) -> dict[str, float]:
    """What may end a training: `accuracy=0.99,loss=0.05` and `60s`, as fields of a goal."""
    found = {}
    for part in filter(None, (until or "").split(",")):
        name, _, value = part.partition("=")
        if name.strip() not in ("accuracy", "loss") or not _NUMBER.fullmatch(value):
            raise SpecError(
                f"cannot read {part!r}",
                where="--until",
                fix="--until accuracy=0.99, or --until loss=0.05",
            )
        found[name.strip()] = float(value)
    if within is not None:
        found["within"] = _seconds(within)
    return found


def num_bytes(text: str | None, option: str) -> int | None:
    """A size on the disk: `0`, `500M`, `2.5G`."""
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([kMGT]?)(?:i?B)?", text.strip())
    if not found:
        raise SpecError(
            f"cannot read {text!r}", where=option, fix=f"{option} 2G, {option} 500M, or {option} 0"
        )
    return int(float(found[1]) * 1024 ** " kMGT".index(found[2] or " "))


def _seconds(text: str) -> float:
    units = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
    number = text.rstrip("smh")
    unit = text[len(number) :]
    if unit not in units or not _NUMBER.fullmatch(number):
        raise SpecError(
            f"cannot read {text!r}",
            where="--within",
            fix="--within 60s, --within 5m, or --within 1h",
        )
    return float(number) * units[unit]
