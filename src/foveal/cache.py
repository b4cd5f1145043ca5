"""Where Foveal keeps what it can fetch or compute once more."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def folder(*parts: str) -> Path:
    """A folder of the cache, which may not be there yet.

    It is what FOVEAL_CACHE names, else a folder of the user's: `~/.cache/foveal` (below
    XDG_CACHE_HOME if that is set), `~/Library/Caches/foveal` on macOS, or in LOCALAPPDATA on
    Windows. What lies in it may be removed at any time.
    """
    return Path(_root(), *parts)


def _root() -> Path:
    if named := os.environ.get("FOVEAL_CACHE"):
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home(), "foveal", "cache")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "foveal"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "foveal")
