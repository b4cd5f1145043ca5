"""Keeping Pillow's remarks on a picture's metadata from the terminal, in many threads at once."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_inside = 0
_saved: warnings.catch_warnings[None] | None = None


@contextmanager
def quiet() -> Iterator[None]:
    """Ignore warnings that come from Pillow while the block runs.

    A damaged EXIF block can raise five thousand of them, and where warnings are errors a picture
    that decodes would be lost. `warnings.catch_warnings` alone is not safe in threads: here
    the first thread in saves the filters and the last one out restores them.
    """
    if getattr(sys.flags, "context_aware_warnings", False):  # filters belong to the thread
        with warnings.catch_warnings():
            _ignore_pillow()
            yield
        return
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _inside, _saved
    with _lock:
        if _inside == 0:
            _saved = warnings.catch_warnings()
            _saved.__enter__()
            _ignore_pillow()
        _inside += 1


def _leave() -> None:
    global _inside, _saved
    with _lock:
        _inside -= 1
        if _inside == 0 and _saved is not None:
            _saved.__exit__(None, None, None)
            _saved = None


def _ignore_pillow() -> None:
    warnings.filterwarnings("ignore", module=r"PIL\b")
