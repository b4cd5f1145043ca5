"""`foveal predict` on one picture in a new process: python benchmarks/predict_latency.py

LeNet-5 on a digit of 32x32, and ResNet-18 on a camera's JPEG of 12 megapixels (4000x3000,
quality 90, made here). Both have random weights, which cost the same time; `--model` takes a
trained one instead of LeNet-5.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from common import FOVEAL, measure, photograph, processes, report
from PIL import Image

from foveal.model import Model
from foveal.net import Net
from foveal.net.layers import Crop, Input, Normalise, Resize, Softmax
from foveal.zoo import ENTRIES


def classifier(name: str, larger: int, size: int) -> Model:
    """A net of the zoo with random weights: its shorter side to `larger`, the middle `size`."""
    entry = ENTRIES[name]
    channels = entry.input[0]
    net = entry.build((channels, size, size), entry.num_classes)
    steps = (Input("uint8"), Resize(larger), Crop(size), Normalise())
    whole = Net.of(*steps, *net.root.items, Softmax())
    names = [f"class {number}" for number in range(entry.num_classes)]
    return Model.fresh(whole, (channels, size, size), names)


def latency(model: Path, picture: Path, cwd: Path, n: int) -> dict[str, Any]:
    found = processes(measure([FOVEAL, "predict", model, picture], cwd, n))
    seconds, most = found["seconds"]["median"], found["mebibytes"] or 0
    print(f"{model.stem}: median {seconds:.3f} s, most memory {most:.0f} MiB")
    return found


def latencies(folder: Path, n: int, model: Path | None = None, *, small: bool) -> dict[str, Any]:
    """Of a bare Python, of LeNet-5 (or the model) on a digit, and of ResNet-18 on a photograph."""
    digit, photo = folder / "digit.png", folder / "photo.jpg"
    Image.fromarray(np.full((32, 32), 99, np.uint8)).save(digit)
    photograph(photo, *((400, 300) if small else (4000, 3000)))
    models = {name: folder / f"{name}.safetensors" for name in ("lenet5", "resnet18")}
    classifier("lenet5", 32, 32).save(models["lenet5"])
    classifier("resnet18", 256, 224).save(models["resnet18"])
    return {
        "python": processes(measure([sys.executable, "-c", "pass"], folder, n)),
        "lenet5": latency(model or models["lenet5"], digit, folder, n),
        "resnet18": latency(models["resnet18"], photo, folder, n),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=11, help="processes of each kind")
    parser.add_argument("--model", type=Path, help="of 32x32 digits, instead of LeNet-5 at random")
    parser.add_argument(
        "--small", action="store_true", help="a small photograph, to try the script"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report("predict_latency", latencies(Path(folder), asked.n, asked.model, small=asked.small))


if __name__ == "__main__":
    main()
