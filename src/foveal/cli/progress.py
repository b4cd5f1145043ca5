"""A bar for what takes a while, drawn only where somebody watches."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

MANY = 50
"""More things than that get a bar."""
REDRAW = 0.1
"""Seconds between two pictures of the bar."""
T = TypeVar("T")


class Bar:
    """A bar at the bottom of a terminal; where `out` is none, nothing but the lines it says."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self._bar: Progress | None = None
        self._task: Any = None
        self._drawn = 0.0

    def show(self, what: str, share: float, left: str = "") -> None:
        """Draw what is done and which share of it, unless it was drawn a moment ago."""
        now = time.monotonic()
        if not self.out.isatty() or (share < 1 and now - self._drawn < REDRAW):
            return
        self._drawn = now
        if self._bar is None:
            self._bar = _progress(self.out)
            self._task = self._bar.add_task(what, total=1.0, left="")
        self._bar.update(self._task, completed=share, description=what, left=left)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        if self._bar is not None:
            self._bar.console.print(line, highlight=False, markup=False, soft_wrap=True)
        else:
            print(line, file=self.out, flush=True)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def counted(items: Iterable[T], of: int, what: str, *, printed: bool = True) -> Iterator[T]:
    """The items as they come, under a bar on stderr if they are many.

    Where they are `printed` on a terminal, they show themselves how far it is.
    """
    if of <= MANY or (printed and sys.stdout.isatty()) or not sys.stderr.isatty():
        yield from items
        return
    bar, began = Bar(sys.stderr), time.monotonic()
    try:
        for done, item in enumerate(items, 1):
            yield item
            left = (time.monotonic() - began) * (of - done) / done
            bar.show(what, done / of, f"{in_words(left)} left")
    finally:
        bar.close()


def in_words(seconds: float) -> str:
    """A time as people say it: `a second`, `45 s`, `3 min`, `2.5 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 1 else "a second"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def _progress(out: TextIO) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    bar = Progress(
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=40),
        TaskProgressColumn(),
        TextColumn("{task.fields[left]}"),
        console=Console(file=out),
        transient=True,
        redirect_stdout=False,  # or what is printed there would end on the terminal
    )
    bar.start()
    return bar
