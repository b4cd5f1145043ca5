"""Write a net as a line of text, see what it costs, train it, and ask it.

`python examples/own_net.py --small` is done sooner and worse.
"""

from __future__ import annotations

import argparse

import foveal
from foveal import data

NET = """
conv 8 5 relu -> maxpool 2            # 32x32 becomes 28x28, then 14x14
add( identity | conv 8 3 same relu )  # a residual connection
conv 16 5 relu -> maxpool 2
flatten -> dropout 0.25 -> dense 10
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="two epochs only")
    epochs = 2 if parser.parse_args().small else 20

    net = foveal.parse(NET)
    print(net.write(), end="\n\n")
    print(net.table(input=(1, 32, 32)), end="\n\n")

    model = foveal.train("digits", net=net, epochs=epochs)
    metrics = model.about["metrics"]
    print(f"{metrics['accuracy']:.1%} of {metrics['n']} digits it did not learn from")

    unseen = data.open("digits").validation
    answer = model.predict(unseen.pictures(0))
    print(f"a {unseen.classes[unseen.labels[0]]} is taken for a {answer.label}", end=" ")
    print(f"with probability {answer.probability:.1%}")


if __name__ == "__main__":
    main()
