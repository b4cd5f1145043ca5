"""What every benchmark says beside its figures, and how it runs the installed command."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

FOVEAL = Path(sys.executable).with_name("foveal.exe" if sys.platform == "win32" else "foveal")
LIBRARIES = ("foveal", "torch", "numpy", "pillow", "onnxruntime")


class Process(NamedTuple):
    """One process, from its start to its end."""

    seconds: float
    processor_seconds: float | None
    """Of all cores together; says more than the clock while other work goes on."""
    mebibytes: float | None
    """The most memory it held. Windows says neither."""


def measure(command: Sequence[str | Path], cwd: Path, n: int) -> list[Process]:
    """Run a command n times in new processes, after one run that does not count.

    That run compiles the modules to a cache beside `cwd`, as an installation does.
    """
    settings = {key: text for key, text in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    settings["PYTHONPYCACHEPREFIX"] = str(cwd / "bytecode")
    # From a small process: Linux counts the memory of whoever starts a process as that one's own.
    starter = [sys.executable, __file__, *map(str, command)]
    runs = []
    for _ in range(n + 1):
        run = subprocess.run(
            starter, cwd=cwd, env=settings, stdout=subprocess.PIPE, encoding="utf-8", check=True
        )
        runs.append(Process(*json.loads(run.stdout)))
    return runs[1:]


def processes(runs: Sequence[Process]) -> dict[str, Any]:
    """The figures of several runs of a command."""
    seconds = [run.processor_seconds for run in runs if run.processor_seconds is not None]
    return {
        "seconds": summary([run.seconds for run in runs]),
        "processor_seconds": summary(seconds) if seconds else None,
        "mebibytes": max(
            (run.mebibytes for run in runs if run.mebibytes is not None), default=None
        ),
    }


def train(*arguments: str | Path, cwd: Path) -> dict[str, Any]:
    """What `foveal train … --json` ends with, and the seconds from the shell to its result.

    What it says on the way is passed on.
    """
    command = [str(FOVEAL), "train", *map(str, arguments), "--json"]
    began = time.perf_counter()
    run = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    seconds = time.perf_counter() - began
    return {**json.loads(run.stdout.splitlines()[-1]), "shell_seconds": round(seconds, 3)}


def train_seeds(*arguments: str | Path, seeds: int) -> dict[str, Any]:
    """Train with seeds 0, 1, …; the accuracy and the three clocks of each."""
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            runs.append(train(*arguments, "--seed", str(seed), cwd=Path(folder)))
            seconds = runs[-1]["train_seconds"]
            print(f"seed {seed}: {runs[-1]['accuracy']:.2%}, {seconds:.1f} s of training")
    shared = ("device", "precision", "epochs", "n_train", "n_test")
    clocks = ("train_seconds", "total_seconds", "shell_seconds")
    return {name: runs[0][name] for name in shared} | {
        name: summary([run[name] for run in runs]) for name in ("accuracy", *clocks)
    }


def tell_epoch(event: object) -> None:
    """Print what an epoch of a training came to; other events are nothing to tell."""
    from foveal.training import Epoch  # with PyTorch, which most benchmarks do not load

    if isinstance(event, Epoch):
        print(f"epoch {event.epoch}: {event.validation_accuracy:.2%} of validation", flush=True)


def summary(values: Sequence[float]) -> dict[str, Any]:
    """Every value, their mean, median and range."""
    return {
        "n": len(values),
        "mean": statistics.mean(values),
        "median": statistics.median(values),
        "range": [min(values), max(values)],
        "values": list(values),
    }


def report(benchmark: str, figures: dict[str, Any]) -> None:
    """Print the figures as one line of JSON, with the day and the machine."""
    facts = {"benchmark": benchmark, "date": datetime.now(UTC).date().isoformat(), **machine()}
    print(json.dumps(facts | figures))


def machine() -> dict[str, Any]:
    """What a figure depends on beside the code."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()] if sys.platform != "win32" else None,
        "system": platform.platform(terse=True),
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _once(command: list[str]) -> Process:
    began = time.perf_counter()
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    if sys.platform == "win32":
        code, used, mebibytes = running.wait(), None, None
    else:
        _, status, usage = os.wait4(running.pid, 0)
        code = running.returncode = os.waitstatus_to_exitcode(status)
        used = usage.ru_utime + usage.ru_stime
        unit = 1 if sys.platform == "darwin" else 2**10  # bytes there, KiB elsewhere
        mebibytes = usage.ru_maxrss * unit / 2**20
    seconds = time.perf_counter() - began
    if code:
        raise SystemExit(f"{' '.join(command)} exited {code}")
    return Process(seconds, used, mebibytes)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    print(json.dumps(_once(sys.argv[1:])))
