"""What each part of the usual recipe brings: python benchmarks/ablation.py FOLDER

The net and the recipe that `foveal train FOLDER` would choose, and each part of them left out
alone. Learns from all training pictures but the last `--held`, which it is then asked about; the
test files are not read. Ways take turns, a seed at a time. `--epochs` is that of every way.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common import report, summary

from foveal.run.waiting import wait_patiently

if TYPE_CHECKING:
    from foveal.data.samples import Loaded
    from foveal.net import Net
    from foveal.net.kind import Shape
    from foveal.recipe import Recipe
    from foveal.training.job import Part

Way = tuple[Callable[["Net"], "Net"], dict[str, Any]]
"""What becomes of the net, and which fields of the recipe change."""
OTHER = {"bias_rate": 1.0, "momentum": 0.9, "schedule": "one-cycle"}
SGD = {"optimiser": "sgd", "learning_rate": 0.1, "weight_decay": 5e-4, **OTHER}
ADAMW = {"optimiser": "adamw", "learning_rate": 0.008, "weight_decay": 0.05, **OTHER}


def same(net: Net) -> Net:
    return net


def without(*inits: str) -> Callable[[Net], Net]:
    """The net with drawn weights instead of these starts, all of them learned."""

    def changed(net: Net) -> Net:
        from foveal.net import Net
        from foveal.net.layers import Conv

        return Net.of(
            *(
                replace(item, init=None, frozen=False)
                if isinstance(item, Conv) and item.init in inits
                else item
                for item in net.root.items
            )
        )

    return changed


WAYS: dict[str, Way] = {
    "all of it": (same, {}),
    "patches not whitened": (without("whitening"), {}),
    "filters that pass nothing on": (without("partial_dirac"), {}),
    "SGD for Muon": (same, SGD),
    "AdamW for Muon": (same, ADAMW),
    "no higher rate for biases": (same, {"bias_rate": 1.0}),
    "no smooth labels": (same, {"label_smoothing": 0.0}),
    "not moved": (same, {"shift": 0}),
    "not turned": (same, {"affine": 0.0}),
    "not mirrored": (same, {"flip": False}),
    "last weights for their mean": (same, {"averaging": 0.0}),
    "float32": (same, {"precision": "float32"}),
}
"""One part less each; those that change nothing of what was chosen are left out."""


def learned(net: Net, shape: Shape, parts: Sequence[Part], recipe: Recipe) -> tuple[float, float]:
    """The accuracy on the second part after learning from the first, and the seconds it took."""
    from foveal.training import Epoch, Job, train

    train_part, held = parts
    job = Job(
        net=net,
        input=shape,
        train=train_part,
        validation=held,
        num_classes=int(train_part[1].max()) + 1,
        recipe=recipe,
    )
    began = time.perf_counter()
    epochs = [event for event in train(job) if isinstance(event, Epoch)]
    accuracy = epochs[-1].validation_accuracy
    assert accuracy is not None
    return accuracy, time.perf_counter() - began


def cut(loaded: Loaded, held: int) -> tuple[Part, Part]:
    """All pictures but the last ones, and these."""
    pictures, labels = loaded.pictures, loaded.labels
    return (pictures[:-held], labels[:-held]), (pictures[-held:], labels[-held:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--held", type=int, default=10_000)
    parser.add_argument("--only", nargs="+", choices=list(WAYS), default=list(WAYS))
    asked = parser.parse_args()
    wait_patiently()
    from foveal import data
    from foveal.net import Net
    from foveal.net.layers import Normalise
    from foveal.run.trunk import default_net
    from foveal.training import choose
    from foveal.zoo import ENTRIES

    opened = data.open(asked.folder, validation=0)
    loaded = opened.train.load()
    parts = cut(loaded, asked.held)
    height, width, channels = loaded.pictures.shape[1:]
    shape, classes = (channels, height, width), len(opened.classes)
    levels = parts[0][0].reshape(-1, channels)
    normalise = Normalise(tuple(levels.mean(0).tolist()), tuple(levels.std(0).tolist()))
    name = default_net(opened, (height, width))
    body = ENTRIES[name].build(shape, classes)
    usual = choose(len(parts[0][0]), shape, body)
    if asked.epochs:
        usual = replace(usual, epochs=asked.epochs)
    ways = {
        way: (Net.of(normalise, *WAYS[way][0](body).root.items), replace(usual, **WAYS[way][1]))
        for way in asked.only
    }
    whole = (Net.of(normalise, *body.root.items), usual)
    ways = {way: made for way, made in ways.items() if way == "all of it" or made != whole}
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for seed in range(asked.seeds):
        for way, (net, recipe) in ways.items():
            found[way].append(learned(net, shape, parts, replace(recipe, seed=seed)))
            accuracy, seconds = found[way][-1]
            print(f"seed {seed}, {way}: {accuracy:.2%}, {seconds:.1f} s", flush=True)
    rows = {
        way: {
            "accuracy": summary([accuracy for accuracy, _ in runs]),
            "seconds": summary([seconds for _, seconds in runs]),
        }
        for way, runs in found.items()
    }
    for way, row in rows.items():
        mean, seconds = row["accuracy"]["mean"], row["seconds"]["median"]
        print(f"{way:30} {mean:.2%}  {seconds:5.1f} s")
    figures = {"net": name, "recipe": vars(usual), "held": asked.held, "ways": rows}
    report("ablation", figures)


if __name__ == "__main__":
    main()
