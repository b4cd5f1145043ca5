"""Draw the smallest net of each family for its page: python docs/draw_nets.py"""

from __future__ import annotations

from pathlib import Path

from foveal.zoo import ENTRIES

PICTURES = Path(__file__).parent / "pictures" / "nets"
NAMES = (
    *("quick", "airbench94", "lenet5", "alexnet", "vgg11", "googlenet", "inception_v3"),
    *("resnet18", "densenet121", "mobilenet_v2", "convnext_tiny"),
)


def draw(name: str) -> str:
    """What `foveal show NAME --as svg` prints."""
    entry = ENTRIES[name]
    return entry.build(entry.input, entry.num_classes).draw(entry.input, name)


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for name in NAMES:
        (PICTURES / f"{name}.svg").write_text(draw(name), encoding="utf-8")
