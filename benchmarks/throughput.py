"""How fast the published nets learn and answer: python benchmarks/throughput.py

Pictures a second, operations a second, and those as a share of what a product of matrices comes to
on this machine in the same precision. Operations are two for each multiplication and addition that
a layer's definition asks for, three times as many for a training step; an engine that needs fewer
may exceed 100 %. Pictures lie in memory; training is a whole step of `foveal train`, with
augmentation and optimiser; predicting is the engine of `foveal predict`, in float32.
"""

from __future__ import annotations

import argparse
from typing import Any

from common import report, summary

from foveal.bench.speed import answering, learning
from foveal.net.arithmetic import arithmetic
from foveal.run.waiting import wait_patiently
from foveal.zoo import ENTRIES, Entry

WORK = 200e9
"""Operations of a training step, about; small pictures come in batches of `MOST`."""
MOST = 128
STEPS = 2e11
"""Operations of a round, about: a step of a small net is over too soon to be timed alone."""


def batch_size(macs: int) -> int:
    """A power of two that makes a step of about `WORK`."""
    fitting = max(1, min(MOST, int(WORK / (6 * macs))))
    return 1 << (fitting.bit_length() - 1)


def speeds(entry: Entry, precisions: list[str], n: int, largest: int | None) -> dict[str, Any]:
    """Pictures a second of one net: training in each precision, and predicting."""
    net, shape, classes = (
        entry.build(entry.input, entry.num_classes),
        entry.input,
        entry.num_classes,
    )
    macs = arithmetic(net.bind(shape)).macs
    count = min(batch_size(macs), largest or MOST)
    steps = 1 if largest else max(1, min(20, int(STEPS / (6 * macs * count))))
    found: dict[str, Any] = {"input": shape, "macs": macs, "batch_size": count}
    for precision in precisions:
        rates = learning(
            net, shape, classes, batch_size=count, steps=steps, n=n, precision=precision
        )
        found[f"train {precision}"] = summary(rates)
    found["predict float32"] = summary(answering(net, shape, classes, batch_size=count, n=n))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nets", nargs="*", metavar="NET", help="of the zoo; without it all of them")
    parser.add_argument("-n", type=int, default=5, help="rounds of each, after one to warm up")
    parser.add_argument("--largest", type=int, help="pictures a step at most, to try the script")
    parser.add_argument(
        "--bfloat16", action="store_true", help="also where the machine does not say it is fast"
    )
    asked = parser.parse_args()
    if unknown := set(asked.nets) - set(ENTRIES):
        parser.error(f"not in the zoo: {', '.join(sorted(unknown))}")
    wait_patiently()  # as `foveal train` does, before PyTorch is imported
    from foveal.engines.pytorch.machine import Machine
    from foveal.engines.pytorch.peak import products

    fast = Machine.find().precision
    precisions = list(dict.fromkeys(["float32", "bfloat16" if asked.bfloat16 else fast]))
    peaks = {precision: summary(products(precision)) for precision in precisions}
    for precision, peak in peaks.items():
        print(f"product of matrices, {precision}: {peak['range'][1] / 1e9:,.0f} GFLOP/s at best")
    figures = {}
    for name in asked.nets or ENTRIES:
        found = figures[name] = speeds(ENTRIES[name], precisions, asked.n, asked.largest)
        for what in [key for key in found if " " in key]:
            kind, _, precision = what.partition(" ")
            operations = (6 if kind == "train" else 2) * found["macs"] * found[what]["median"]
            found[what]["flops"] = operations
            found[what]["share"] = operations / peaks[precision]["range"][1]
            print(
                f"{name:<20} {what:<15} {found[what]['median']:10,.1f} pictures/s "
                f"{operations / 1e9:8,.1f} GFLOP/s {found[what]['share']:7.1%}",
                flush=True,
            )
    report("throughput", {"peaks": peaks, "nets": figures})


if __name__ == "__main__":
    main()
