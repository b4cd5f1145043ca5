"""A few photographs of each class to a report: python benchmarks/flowers.py FOLDER

FOLDER has a folder of pictures for each class. The first dozen of every class, by name, are
copied to a folder of their own, and `foveal train` is run on it with no option but the seed.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from common import report, train_seeds


def copy(source: Path, target: Path, each: int) -> None:
    """Copy the first pictures of each class."""
    for folder in sorted(path for path in source.iterdir() if path.is_dir()):
        (target / folder.name).mkdir(parents=True)
        for picture in sorted(folder.iterdir())[:each]:
            shutil.copy(picture, target / folder.name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", type=int, default=12, help="pictures of each class")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, help="fewer, to try the script")
    asked = parser.parse_args()
    changes = [] if asked.epochs is None else ["--epochs", str(asked.epochs)]
    with tempfile.TemporaryDirectory() as folder:
        copy(asked.folder, Path(folder, "flowers"), asked.each)
        report("flowers", train_seeds(Path(folder, "flowers"), *changes, seeds=asked.seeds))


if __name__ == "__main__":
    main()
