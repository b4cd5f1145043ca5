"""What every test may use: the command as a user runs it, and Hypothesis without a clock."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from foveal.run.waiting import wait_patiently

wait_patiently()  # tests train beside other programs

# No test reaches a network, or what the person who runs it has in the cache.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["FOVEAL_CACHE"] = tempfile.mkdtemp(prefix="foveal-cache-")

# The same examples every time, so that a red test is red for everyone; `long` looks further.
settings.register_profile("short", deadline=None, derandomize=True)
settings.register_profile("long", deadline=None, max_examples=2000)
settings.load_profile("short")


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ["FOVEAL_CACHE"], ignore_errors=True)


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_foveal(tmp_path: Path) -> Run:
    """Run `foveal ARGUMENTS` in a process of its own, in `tmp_path` unless `cwd` is given."""

    def run(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "foveal", *map(str, arguments)]
        settled = {"cwd": tmp_path, "capture_output": True, "encoding": "utf-8", "timeout": 120}
        return subprocess.run(command, **{**settled, **options})

    return run
