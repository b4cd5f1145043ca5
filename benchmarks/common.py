"""What every benchmark says beside its figures, and how it runs the installed command."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

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


CLOCKS = {"train_seconds": "training", "total_seconds": "process", "shell_seconds": "shell"}
"""Steps and evaluations; the command from its first line to its last; the shell to the result."""


def train_seeds(*arguments: str | Path, seeds: int) -> dict[str, Any]:
    """Train with seeds 0, 1, …; the accuracy and the three clocks of each."""
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            run = train(*arguments, "--seed", str(seed), cwd=Path(folder))
            runs.append(run)
            clocks = ", ".join(f"{word} {run[name]:.2f} s" for name, word in CLOCKS.items())
            print(f"seed {seed}: {run['accuracy']:.2%}; {clocks}", flush=True)
    shared = ("device", "precision", "epochs", "n_train", "n_test", "part")
    return {name: runs[0][name] for name in shared} | {
        name: summary([run[name] for run in runs]) for name in ("accuracy", *CLOCKS)
    }


def time_to(benchmark: str, doc: str | None, target: float, seeds: int) -> None:
    """Train with several seeds, and say how the mean accuracy lies to one aimed at.

    A shell command for each seed. Options that the script does not know are passed on to it, but
    for those that end a training by what the data or a clock say.
    """
    parser = argparse.ArgumentParser(description=doc, allow_abbrev=False)
    parser.add_argument("data", type=Path, help="as `foveal train` takes it, with a test part")
    parser.add_argument("--seeds", type=int, default=seeds)
    parser.add_argument("--target", type=float, default=target, help="mean accuracy aimed at")
    parser.add_argument("--note", help="a sentence about the data that goes with every figure")
    asked, options = parser.parse_known_args()
    for option in options:
        if option.partition("=")[0] in ("--until", "--within", "--seed"):
            parser.error(f"{option}: the schedule and the seeds are fixed")
    from foveal import data  # with NumPy, which the starter below does not load

    if data.open(asked.data).test is None:
        raise SystemExit(f"{asked.data}: has no test part, which the accuracy is to be of")
    found = train_seeds(asked.data.resolve(), *options, seeds=asked.seeds)
    mean, interval = found["accuracy"]["mean"], found["accuracy"]["interval"]
    between = f" (95 %: {interval[0]:.2%} to {interval[1]:.2%})" if interval else ""
    clocks = ", ".join(f"{word} {found[name]['median']:.2f}" for name, word in CLOCKS.items())
    print(f"mean accuracy {mean:.2%}{between}, aimed at {asked.target:.2%}; n = {asked.seeds}")
    print(f"median seconds: {clocks}")
    if asked.note:
        print(asked.note)
    said = {"options": options, "target": asked.target, "note": asked.note}
    report(benchmark, said | {"reached": mean >= asked.target} | found)


def cores() -> list[int]:
    """One processor of each core that this process may use; nothing where that cannot be known."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    found: dict[str, int] = {}
    for number in sorted(os.sched_getaffinity(0)):
        place = Path(f"/sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list")
        found.setdefault(place.read_text("ascii") if place.exists() else str(number), number)
    return list(found.values())


def on_cores(allowed: Sequence[int], work: Callable[..., T], *arguments: object) -> T:
    """What a function of a script answers in a new process that may use these processors only."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_bound, allowed, work, arguments).result()


def _bound(allowed: Sequence[int], work: Callable[..., T], arguments: Sequence[object]) -> T:
    if allowed:
        os.sched_setaffinity(0, allowed)
    return work(*arguments)


def photograph(path: Path, width: int, height: int, seed: int = 0) -> None:
    """Write a JPEG as a camera makes them: soft areas of colour with the grain of a sensor."""
    import numpy as np  # not needed by the starter below
    from PIL import Image

    random = np.random.default_rng(seed)
    areas = random.integers(0, 256, (30, 40, 3), np.uint8)
    soft = np.asarray(Image.fromarray(areas).resize((width, height), Image.Resampling.BICUBIC))
    grainy = soft + random.normal(0, 6, (height, width, 1)).astype(np.int16)
    Image.fromarray(grainy.clip(0, 255).astype(np.uint8)).save(path, quality=90)


def tell_epoch(event: object) -> None:
    """Print what an epoch of a training came to; other events are nothing to tell."""
    from foveal.training import Epoch  # with PyTorch, which most benchmarks do not load

    if isinstance(event, Epoch):
        print(f"epoch {event.epoch}: {event.validation_accuracy:.2%} of validation", flush=True)


def summary(values: Sequence[float]) -> dict[str, Any]:
    """Every value, their mean with its 95 % interval, median and range."""
    from foveal.run.law import t_interval  # with NumPy, which the starter below does not load

    return {
        "n": len(values),
        "mean": statistics.mean(values),
        "interval": t_interval(values),
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
    from foveal.bench import processor
    from foveal.run.versions import versions

    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()] if sys.platform != "win32" else None,
        "system": platform.platform(terse=True),
        "versions": versions(LIBRARIES),
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


if __name__ == "__main__":
    print(json.dumps(_once(sys.argv[1:])))
