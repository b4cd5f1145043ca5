"""Ctrl-C and SIGTERM during a long piece of work."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Self


class Signals:
    """Wait for a good moment to stop: the first signal asks for it, the second does not.

    Until `can_wait` is set there is nothing to lose, and the first one ends the process too.
    """

    def __init__(self, tell: Callable[[], None]) -> None:
        self.can_wait = False
        self._tell = tell
        self._number = 0
        self._told = False

    def __enter__(self) -> Self:
        numbers = (signal.SIGINT, signal.SIGTERM)
        self._before = {number: signal.signal(number, self._arrived) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def stop(self) -> bool:
        """Whether to stop now; the first time that it is so, `tell` is called."""
        if self._number and not self._told:
            self._told = True
            self._tell()
        return self._number != 0

    @property
    def exit_code(self) -> int:
        """0, or what shells expect of a process that a signal ended."""
        return 128 + self._number if self._number else 0

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        if self._number or not self.can_wait:
            raise SystemExit(128 + number)
        self._number = number
