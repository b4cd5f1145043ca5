"""What came before nets, on digits, beside LeNet-5: python benchmarks/classical.py MNIST

k-nearest neighbours and a support vector machine, of scikit-learn, on pixels, on pixels of deskewed
pictures, and on gradients of these. How many neighbours, and how strict and how wide the machine
is, is chosen on the last 10,000 training pictures; what was tried is among the figures. Then each
is fitted once to all training pictures, and reads the test pictures once. LeNet-5 learns by
`foveal train --net lenet5`. Each row is a process of its own, so that its memory can be told.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from common import report, train
from digit_features import FEATURES, features

VALIDATION = 10_000
"""The last of the training pictures, by which settings are chosen."""
NET = "lenet5"

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Digits:
    """Pictures (N, H, W) uint8 and their labels, to learn from and to measure on."""

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    def kept_aside(self, learn: int) -> Digits:
        """The last training pictures to measure on, and `learn` of the others to learn from."""
        last = min(VALIDATION, len(self.x) // 6)
        learned = slice(min(learn, len(self.x) - last))
        return Digits(self.x[learned], self.y[learned], self.x[-last:], self.y[-last:])


@dataclass(frozen=True)
class Method:
    """A way to name what is alike, and which of its settings are tried."""

    settings: Mapping[str, tuple[float, ...]]
    learn: int
    """How many pictures each try learns from."""
    make: Callable[[Options, np.ndarray], Any]
    """From the chosen settings and the features to learn from, what scikit-learn has for it."""
    needs: Callable[[Any, np.ndarray], int]
    """How many numbers an answer needs."""


def neighbours(options: Options, _: np.ndarray) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    # The nearer counts more: of two and two, somebody has to be right.
    return KNeighborsClassifier(options["neighbours"], weights="distance", algorithm="brute")


def vectors(options: Options, known: np.ndarray) -> Any:
    """Gamma is told in shares of the features' total variance: one grid fits all features."""
    from sklearn.svm import SVC

    spread = float(known.var(dtype=np.float64)) * known.shape[1]
    return SVC(C=options["C"], gamma=options["gamma_times_spread"] / spread)


METHODS = {
    "neighbours": Method(
        {"neighbours": (1, 3, 5)},
        50_000,  # all others
        neighbours,
        lambda fitted, known: known.size + len(known),
    ),
    "vectors": Method(
        {"C": (3.0, 10.0), "gamma_times_spread": (1.0, 2.0, 4.0)},
        10_000,  # with all, each try takes minutes
        vectors,
        lambda fitted, known: (
            fitted.support_vectors_.size + fitted.dual_coef_.size + fitted.intercept_.size
        ),
    ),
}
ROWS = [f"{method}/{kind}" for method in METHODS for kind in FEATURES] + [NET]


def classical(method: Method, kind: str, digits: Digits) -> dict[str, Any]:
    """The figures of one row of scikit-learn's."""
    part = digits.kept_aside(method.learn)
    search = list(tried(method, features(kind, part.x), features(kind, part.x_test), part))
    best = max(search, key=lambda one: one["accuracy"])
    chosen = {name: best[name] for name in method.settings}
    with clock() as fit:
        known = features(kind, digits.x)
        fitted = method.make(chosen, known).fit(known, digits.y)
    with clock() as predict:
        answers = fitted.predict(features(kind, digits.x_test))
    return {
        "accuracy": float(np.mean(answers == digits.y_test)),
        "chosen": chosen,
        "search": search,
        "search_n_train": len(part.x),
        "search_n": len(part.x_test),
        "fit": fit,
        "predict": predict,
        "kept_mebibytes": 4 * method.needs(fitted, known) / 2**20,
    }


def tried(
    method: Method, known: np.ndarray, others: np.ndarray, part: Digits
) -> Iterator[dict[str, Any]]:
    """Each combination of settings, and the share of the pictures kept aside that it names."""
    for values in itertools.product(*method.settings.values()):
        options = dict(zip(method.settings, values, strict=True))
        accuracy = method.make(options, known).fit(known, part.y).score(others, part.y_test)
        say(f"  {options}: {accuracy:.2%} of {len(others):,} training pictures kept aside")
        yield {**options, "accuracy": float(accuracy)}


def net(digits: Digits, epochs: int | None) -> dict[str, Any]:
    """The figures of LeNet-5: fitted by the whole command, asked by the model file alone."""
    import foveal
    from foveal import data

    changes = [] if epochs is None else ["--epochs", str(epochs)]
    with tempfile.TemporaryDirectory() as place:
        file = Path(place, "digits.npz")
        np.savez(file, **vars(digits))
        with clock() as fit:
            learned = train(file, "--net", NET, *changes, cwd=Path(place))
        path = Path(place, learned["model"])
        model, samples = foveal.load(path), data.open(file, validation=0).test
        assert samples is not None
        with clock() as predict:
            found = model.measure(model.split.load(samples), samples.classes, "test")
        size = path.stat().st_size
    return {
        "n_train": learned["n_train"],
        "accuracy": found.accuracy,
        "epochs": learned["epochs"],
        "precision": learned["precision"],
        "train_seconds": learned["train_seconds"],
        "fit": fit,
        "predict": predict,
        "kept_mebibytes": size / 2**20,
    }


@contextmanager
def clock() -> Iterator[dict[str, float]]:
    """The seconds something takes, by the clock and of all cores together.

    The second counts processes that were started and have ended, too; Windows does not say.
    """
    found: dict[str, float] = {}
    began, used = time.perf_counter(), sum(os.times()[:4])
    yield found
    found["seconds"] = time.perf_counter() - began
    found["processor_seconds"] = sum(os.times()[:4]) - used


def read(folder: Path, few: int | None) -> Digits:
    from foveal import data

    opened = data.open(folder, validation=0)
    if opened.test is None:
        raise SystemExit(f"{folder}: no t10k files")
    (x, y), (x_test, y_test) = (
        (loaded.pictures[:few][..., 0], loaded.labels[:few])
        for loaded in (opened.train.load(), opened.test.load())
    )
    return Digits(x, y, x_test, y_test)


def one(name: str, asked: argparse.Namespace) -> dict[str, Any]:
    """The figures of one row, measured in this process."""
    digits = read(asked.folder, asked.few)
    if name == NET:
        found = net(digits, asked.epochs)
    else:
        method, _, kind = name.partition("/")
        found = classical(METHODS[method], kind, digits)
    counts = {"n_train": len(digits.x), "n_test": len(digits.x_test)}
    return counts | found | {"peak_mebibytes": peak()}


def peak() -> float | None:
    """The most memory that this process held, or one that it started; Windows does not say."""
    if sys.platform == "win32":
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 2**10  # bytes there, KiB elsewhere
    asked = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(who).ru_maxrss for who in asked) * unit / 2**20


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", choices=ROWS, default=ROWS, help="some of the rows")
    parser.add_argument("--beside", type=Path, help="earlier figures, whose other rows are kept")
    parser.add_argument("--few", type=int, help="so many pictures of either part, to try it")
    parser.add_argument("--epochs", type=int, help="of LeNet-5: fewer, to try the script")
    parser.add_argument("--here", choices=ROWS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        print(json.dumps(one(asked.here, asked)))
        return
    rows = json.loads(asked.beside.read_text("utf-8"))["rows"] if asked.beside else {}
    for name in asked.only:
        say(name)
        command = [sys.executable, __file__, *sys.argv[1:], "--here", name]
        run = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=True)
        rows[name] = json.loads(run.stdout.splitlines()[-1])
        say(json.dumps(rows[name]))  # it took minutes: not to be lost if a later one fails
        print(said(name, rows[name]), flush=True)
    ordered = {name: rows[name] for name in ROWS if name in rows}
    report("classical", {"scikit_learn": version("scikit-learn"), "rows": ordered})


def said(name: str, row: Mapping[str, Any]) -> str:
    each = 1e6 * row["predict"]["seconds"] / row["n_test"]
    return (
        f"{name:22} {row['accuracy']:7.2%}  fit {row['fit']['seconds']:7.1f} s  "
        f"predict {each:8.0f} µs a picture  keeps {row['kept_mebibytes']:7.2f} MiB"
    )


if __name__ == "__main__":
    main()
