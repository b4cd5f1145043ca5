"""Computers that were measured before, and what this one is."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

RECORD = Path(__file__).with_name("machines.jsonl")
"""A line for each computer: what `foveal bench --json` said there."""


@dataclass(frozen=True)
class Recorded:
    """A computer that was measured before, and the median of each figure there."""

    name: str
    date: str
    """Day of the measurement, as 2026-11-21."""
    versions: Mapping[str, str]
    figures: Mapping[str, float]


def machines() -> tuple[Recorded, ...]:
    """The recorded ones, as the file has them."""
    return tuple(map(_machine, RECORD.read_text(encoding="utf-8").splitlines()))


def _machine(line: str) -> Recorded:
    said = json.loads(line)
    medians = {name: figure["median"] for name, figure in said["figures"].items()}
    return Recorded(name_of(said), said["date"], said["versions"], medians)


def name_of(said: Mapping[str, object]) -> str:
    """A computer in words: its processor, what computes there, and how precisely."""
    return f"{said['processor']}, {said['device']}, {said['precision']}"


def processor() -> str:
    """What the processor of this computer calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()
