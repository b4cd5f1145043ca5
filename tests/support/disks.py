"""A disk that is soon full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def on_a_small_disk(
    folder: Path, size: str, command: list[str], cwd: Path
) -> subprocess.CompletedProcess[str]:
    """Run a command that has a disk of that size at `folder`; stdout ends with what lies there.

    Skips where nothing may be mounted, with a notice; on CI it fails instead.
    """
    own = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    try:
        refusal = subprocess.run([*own, *mount], capture_output=True, text=True).stderr
    except FileNotFoundError as error:
        refusal = str(error)
    if refusal and os.environ.get("CI"):
        pytest.fail(f"no disk can be filled here: {refusal}")
    if refusal:
        pytest.skip(f"no disk can be filled here: {refusal}")
    script = (
        'mount -t tmpfs -o "size=$1" none "$2" && folder=$2 && shift 2 && "$@"; code=$?; '
        'find "$folder" -mindepth 1 | sort; exit $code'
    )
    begun = [*own, "sh", "-c", script, "sh", size, str(folder), *command]
    return subprocess.run(begun, cwd=cwd, capture_output=True, text=True, timeout=120)


def refuse_windows() -> None:
    if sys.platform == "win32":
        pytest.skip("there is no small disk to be had")
