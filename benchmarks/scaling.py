"""How training gets faster with threads and with the size of a batch: python benchmarks/scaling.py

Each number of threads in a process of its own that may use so many cores, one after the other and
again, so that what slows the machine down for a while hits all alike. `foveal train` takes as many
threads as it finds cores. Where the system cannot say which cores a process may use, only all of
them are measured.
"""

from __future__ import annotations

import argparse
from typing import Any

from common import cores, on_cores, report, summary

from foveal.bench.speed import learning
from foveal.run.waiting import wait_patiently
from foveal.zoo import ENTRIES

NETS = {"quick": (1, 28, 28), "resnet18": (3, 64, 64)}
BATCHES = {"quick": (32, 128, 512), "resnet18": (8, 32, 128)}
PER_ROUND = 2048
"""Pictures of a round by the small net; by the larger a step."""


def one(net: str, batch_size: int, per_round: int) -> float:
    """Pictures a second of a round, in this process."""
    wait_patiently()
    shape = NETS[net]
    steps = max(1, per_round // batch_size) if net == "quick" else 1
    built = ENTRIES[net].build(shape, 10)
    return learning(built, shape, 10, batch_size=batch_size, steps=steps, n=1)[0]


def interleaved(jobs: dict[str, tuple[list[int], str, int]], n: int, per_round: int) -> Any:
    """Each job n times, in turn, each in a new process: on which cores, which net and batches."""
    rates: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(n):
        for name, (allowed, net, batch_size) in jobs.items():
            rates[name].append(on_cores(allowed, one, net, batch_size, per_round))
    figures = {name: summary(found) for name, found in rates.items()}
    for name, found in figures.items():
        print(f"{name}: median {found['median']:,.1f} pictures/s", flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=5, help="processes of each kind")
    parser.add_argument("--small", action="store_true", help="a small round, to try the script")
    asked = parser.parse_args()
    allowed = cores()
    nets, per_round = (["quick"], 64) if asked.small else (list(NETS), PER_ROUND)
    figures: dict[str, Any] = {"threads": {}, "batch_size": {}}
    for net in nets:
        few, middle, many = BATCHES[net]
        threads = {
            f"{net}, {count} of {len(allowed)} cores": (allowed[:count], net, middle)
            for count in range(1, len(allowed) + 1)
        }
        sizes = {
            f"{net}, batches of {size}": (allowed, net, size)
            for size in ([few] if asked.small else [few, middle, many])
        }
        figures["threads"] |= interleaved(threads, asked.n, per_round)
        figures["batch_size"] |= interleaved(sizes, asked.n, per_round)
    report("scaling", figures)


if __name__ == "__main__":
    main()
