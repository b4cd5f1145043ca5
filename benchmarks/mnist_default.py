"""`foveal train FOLDER` on MNIST's IDX files: python benchmarks/mnist_default.py FOLDER

No option but the seed. The accuracy is that of the 10,000 test pictures, which each training
reads once, after its last step.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from common import report, train_seeds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="fewer, to try the script")
    asked = parser.parse_args()
    changes = [] if asked.epochs is None else ["--epochs", str(asked.epochs)]
    report("mnist_default", train_seeds(asked.folder.resolve(), *changes, seeds=asked.seeds))


if __name__ == "__main__":
    main()
