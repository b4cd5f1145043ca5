"""A desk with photographs on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.trunks import TRUNK

from foveal.model import Model
from foveal.net.notation import parse


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Red and blue photographs, and a trunk that knows three other things."""
    monkeypatch.setenv("FOVEAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for name, place in (("red", 0), ("blue", 2)):
        folder = Path("photos", name)
        folder.mkdir(parents=True)
        for number in range(10):
            pixels = random.integers(0, 120, (72, 80, 3), np.uint8)
            pixels[..., place] += 100
            Image.fromarray(pixels).save(folder / f"{number}.png")
    Model.fresh(parse(TRUNK), (3, 64, 64), ("a", "b", "c"), seed=1).save("trunk.safetensors")
    return tmp_path
