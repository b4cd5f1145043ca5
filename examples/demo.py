"""Train LeNet-5 on real handwritten digits and ask it about some it has not learned from.

`make demo` runs this; `python examples/demo.py --small` is done sooner and worse. Results lie in
`runs/` of the current folder, and the last line is the result as JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from foveal import data


def foveal(*arguments: str) -> str:
    """Run the command as in a terminal, and return what it prints on standard output."""
    command = [sys.executable, "-m", "foveal", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def write_digits(folder: Path) -> None:
    """One picture of each digit, from the part that a training with seed 0 does not learn from."""
    unseen = data.open("digits").validation
    for digit in range(10):
        pixels = unseen.pictures(unseen.labels.tolist().index(digit))
        Image.fromarray(pixels[:, :, 0]).save(folder / f"a-{digit}.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="two epochs only")
    epochs = ["--epochs", "2"] if parser.parse_args().small else []

    print("$ foveal train digits --net lenet5 --json", *epochs, flush=True)
    result = foveal("train", "digits", "--net", "lenet5", "--json", *epochs).splitlines()[-1]
    model = json.loads(result)["model"]

    with tempfile.TemporaryDirectory() as folder:
        write_digits(Path(folder))
        print(f"\n$ foveal predict {model} {folder}")
        print(foveal("predict", model, folder))

    print("The report, for any browser:", Path(model).with_name("report.html").absolute())
    print(result)


if __name__ == "__main__":
    main()
