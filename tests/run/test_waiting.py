"""Threads that wait let others work; whoever set it otherwise has their way."""

from __future__ import annotations

import os

import pytest

from foveal.run.waiting import SPINS, wait_patiently


@pytest.mark.parametrize(
    ("given", "spins"),
    [({}, SPINS), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, None)],
)
def test_the_users_own_setting_stays(
    given: dict[str, str], spins: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    wait_patiently()
    assert os.environ.get("GOMP_SPINCOUNT") == spins


def test_planning_asks_for_it_before_pytorch_is_there() -> None:
    import subprocess
    import sys

    code = (
        "import os, sys\n"
        "import foveal.run.waiting as waiting\n"
        "seen = []\n"
        "ask = waiting.wait_patiently\n"
        "import foveal.run.planning as planning\n"
        "planning.wait_patiently = lambda: (seen.append('torch' in sys.modules), ask())\n"
        "planning.plan('digits')\n"
        "print(seen, os.environ['GOMP_SPINCOUNT'])"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GOMP", "OMP"))}
    made = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert made.stdout == f"[False] {SPINS}\n"
