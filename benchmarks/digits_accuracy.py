"""LeNet-5 on the 1,797 built-in digits: python benchmarks/digits_accuracy.py

Trains through the installed command with seeds 0 to 4 and prints the accuracy and the times of
each. A seed also cuts the data anew, so the mean is over five validation parts.
"""

from __future__ import annotations

import argparse

from common import report, train_seeds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, help="fewer, to try the script")
    asked = parser.parse_args()
    changes = [] if asked.epochs is None else ["--epochs", str(asked.epochs)]
    arguments = ["digits", "--net", "lenet5", *changes]
    report("digits_accuracy", train_seeds(*arguments, seeds=asked.seeds))


if __name__ == "__main__":
    main()
