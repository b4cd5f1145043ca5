"""The pictures of the docs are what their scripts draw, byte for byte."""

from __future__ import annotations

import runpy
from pathlib import Path
from xml.etree import ElementTree

import pytest

DOCS = Path(__file__).parent.parent / "docs"
DRAWINGS = {
    "draw_activations.py": "activations.svg",
    "draw_convolution.py": "convolution.svg",
    "draw_gate.py": "gate.svg",
    "draw_normalisation.py": "normalisation.svg",
    "draw_pooling.py": "pooling.svg",
}
"""Each script has a `draw()` that returns the text of its picture."""


@pytest.mark.parametrize(("script", "picture"), DRAWINGS.items())
def test_a_picture_is_what_its_script_draws(script: str, picture: str) -> None:
    draw = runpy.run_path(str(DOCS / script))["draw"]
    drawn = draw()
    assert drawn == draw()
    assert drawn == (DOCS / "pictures" / picture).read_text(encoding="utf-8"), f"run docs/{script}"
    assert ElementTree.fromstring(drawn).tag.endswith("svg")


def test_every_script_that_draws_is_redrawn() -> None:
    assert {path.name for path in DOCS.glob("draw_*.py")} == set(DRAWINGS)
