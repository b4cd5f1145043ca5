"""Running a benchmark as a person would."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def run_script(script: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A script in a process of its own, in a folder."""
    return subprocess.run(
        [sys.executable, script, *arguments],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
