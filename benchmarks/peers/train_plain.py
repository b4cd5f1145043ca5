"""A case of peers.py in plain PyTorch: float32, a DataLoader with two workers, SGD."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from cases import CASES
from plain_data import dataset
from plain_nets import NETS
from rounds import serve
from torch.nn import functional as F
from torch.utils.data import DataLoader


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("place", type=Path)
    parser.add_argument("--channels-last", action="store_true")
    asked = parser.parse_args()
    torch.manual_seed(0)
    layout = torch.channels_last if asked.channels_last else torch.contiguous_format
    net = NETS[asked.case]().to(memory_format=layout).train()
    optimiser = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, weight_decay=5e-4)
    loader = DataLoader(
        dataset(asked.case, asked.place),
        batch_size=CASES[asked.case].batch_size,
        shuffle=True,
        num_workers=2,
        persistent_workers=True,
    )

    def once() -> tuple[int, float]:
        began, count = time.perf_counter(), 0
        for x, y in loader:
            optimiser.zero_grad()
            loss = F.cross_entropy(net(x.to(memory_format=layout)), y)
            loss.backward()
            optimiser.step()
            count += len(y)
        return count, time.perf_counter() - began

    parameters = sum(each.numel() for each in net.parameters())
    serve({"parameters": parameters, "torch": torch.__version__, "precision": "float32"}, once)


if __name__ == "__main__":
    main()
