"""Python and `foveal` in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FOVEAL = Path(sys.executable).with_name("foveal.exe" if sys.platform == "win32" else "foveal")
"""The installed command."""


def run_python(code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program that is given as text."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120)


def run_foveal(*arguments: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command as a user does."""
    return subprocess.run(
        [FOVEAL, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def start_foveal(*arguments: str | Path, cwd: Path) -> subprocess.Popen[str]:
    """The installed command, running; its lines on stderr can be read as they come."""
    return subprocess.Popen(
        [FOVEAL, *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def content(folder: Path) -> dict[str, bytes | None]:
    """Every entry below a folder with its bytes; None for a folder."""
    return {
        path.relative_to(folder).as_posix(): None if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }
