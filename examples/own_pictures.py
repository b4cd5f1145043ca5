"""From a folder of pictures to a classifier: tables and chairs, drawn here instead of photographed.

`python examples/own_pictures.py --small` is done sooner and worse.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

import foveal

SIDE = 48


def draw(kind: str, chance: random.Random) -> Image.Image:
    """A table has a wide top; a chair a narrow seat with a back above one end of it."""
    wall = tuple(chance.randint(150, 255) for _ in range(3))
    wood = tuple(chance.randint(20, 120) for _ in range(3))
    picture = Image.new("RGB", (SIDE, SIDE), wall)
    pen = ImageDraw.Draw(picture)
    thick = chance.randint(2, 4)
    width = chance.randint(26, 36) if kind == "tables" else chance.randint(13, 18)
    left, top = chance.randint(3, SIDE - 6 - width), chance.randint(18, 26)
    right, floor = left + width, chance.randint(38, 45)
    pen.rectangle((left, top, right, top + thick), wood)
    for leg in (left, right - thick):
        pen.rectangle((leg, top, leg + thick, floor), wood)
    if kind == "chairs":
        back = chance.choice((left, right - thick))
        pen.rectangle((back, top - chance.randint(12, 16), back + thick, top), wood)
    return picture


def write_pictures(folder: Path, count: int, seed: int) -> Path:
    """So many tables and so many chairs, each kind in a folder of its own."""
    chance = random.Random(seed)
    for kind in ("tables", "chairs"):
        (folder / kind).mkdir(parents=True)
        for number in range(count):
            draw(kind, chance).save(folder / kind / f"{number:03}.png")
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="few pictures, two epochs")
    small = parser.parse_args().small

    with tempfile.TemporaryDirectory() as temporary:
        photos = write_pictures(Path(temporary, "photos"), count=20 if small else 100, seed=1)
        model = foveal.train(photos, epochs=2 if small else 15)

        new = write_pictures(Path(temporary, "new"), count=3, seed=2)
        for answer in model.predict_all(sorted(new.rglob("*.png"))):
            if isinstance(answer, foveal.Prediction):
                truth = Path(answer.file).parent.name
                print(f"{truth} taken for {answer.label}, probability {answer.probability:.1%}")

    metrics = model.about["metrics"]
    low, high = metrics["accuracy_interval"]
    print(f"{metrics['accuracy']:.1%} of {metrics['n']} pictures it did not learn from were named")
    print(f"right (95 % interval {low:.1%} to {high:.1%}); the report lies in runs/classify/")


if __name__ == "__main__":
    main()
