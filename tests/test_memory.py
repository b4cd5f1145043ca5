"""The benchmark of memory runs, with next to no pictures."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from support.scripts import run_script

SCRIPT = Path(__file__).resolve().parent.parent / "benchmarks" / "memory.py"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says it")
def test_memory_is_measured_at_three_places_of_an_epoch(tmp_path: Path) -> None:
    tiny = ["--gigabytes", "0", "--side", "8", "--batch", "8", "--steps", "6", "--alone"]
    run = run_script(SCRIPT, *tiny, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["benchmark"] == "memory"
    assert found["many"]["pictures"] == 1000
    memory = found["many"]["anonymous_mebibytes"]
    assert list(memory) == ["1%", "50%", "100%"]
    assert all(10 < mebibytes < 4000 for mebibytes in memory.values())
    assert all(cost > 0 for cost in found["many"]["milliseconds_per_picture"].values())
    assert not any(tmp_path.iterdir())
