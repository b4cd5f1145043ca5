"""The pictures of the docs are what their scripts draw, byte for byte."""

from __future__ import annotations

import runpy
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

DOCS = Path(__file__).parent.parent / "docs"
DRAWINGS = {
    "draw_activations.py": "activations.svg",
    "draw_convolution.py": "convolution.svg",
    "draw_deskew.py": "deskew.svg",
    "draw_gate.py": "gate.svg",
    "draw_normalisation.py": "normalisation.svg",
    "draw_pooling.py": "pooling.svg",
    "draw_regularisation.py": "regularisation.svg",
}
"""Each script has a `draw()` that returns the text of its picture."""
CURVES = ("cifar10", "mnist")
"""What `draw_transfer.py` draws one picture of each for."""


@pytest.mark.parametrize("name", CURVES)
def test_the_curves_of_transfer_are_what_their_script_draws(name: str) -> None:
    drawn = runpy.run_path(str(DOCS / "draw_transfer.py"))["draw"](name)
    kept = DOCS / "pictures" / f"transfer-{name}.svg"
    assert drawn == kept.read_text(encoding="utf-8"), "run docs/draw_transfer.py"


@pytest.mark.parametrize(("script", "picture"), DRAWINGS.items())
def test_a_picture_is_what_its_script_draws(script: str, picture: str) -> None:
    draw = runpy.run_path(str(DOCS / script))["draw"]
    drawn = draw()
    assert drawn == draw()
    assert drawn == (DOCS / "pictures" / picture).read_text(encoding="utf-8"), f"run docs/{script}"
    assert ElementTree.fromstring(drawn).tag.endswith("svg")


def test_the_nets_of_the_pages_are_what_their_script_draws() -> None:
    script = runpy.run_path(str(DOCS / "draw_nets.py"))
    kept = {path.stem: path for path in (DOCS / "pictures" / "nets").iterdir()}
    assert set(kept) == set(script["NAMES"])
    for name, path in kept.items():
        assert script["draw"](name) == path.read_text(encoding="utf-8"), "run docs/draw_nets.py"


def test_the_sheet_of_filters_is_what_its_script_draws() -> None:
    """Up to the last level: other versions of FreeType draw letters a little differently."""
    drawn = runpy.run_path(str(DOCS / "draw_filters.py"))["draw"]().convert("RGB")
    kept = Image.open(DOCS / "pictures" / "filters.png").convert("RGB")
    assert drawn.size == kept.size
    difference = np.abs(np.asarray(drawn, float) - np.asarray(kept, float))
    assert difference.mean() < 1, "run docs/draw_filters.py"


def test_the_table_of_the_readme_is_what_the_command_prints(tmp_path: Path) -> None:
    runpy.run_path(str(DOCS / "make_pictures.py"))["draw_table"](tmp_path / "show.svg")
    drawn = (tmp_path / "show.svg").read_text(encoding="utf-8")
    kept = (DOCS / "pictures" / "show.svg").read_text(encoding="utf-8")
    assert words(drawn) == words(kept), "run docs/make_pictures.py"


def words(svg: str) -> list[str]:
    return [piece for piece in ElementTree.fromstring(svg).itertext() if piece.strip()]


def test_every_script_that_draws_is_redrawn() -> None:
    scripts = {path.name for path in DOCS.glob("draw_*.py")}
    assert scripts == {*DRAWINGS, "draw_filters.py", "draw_nets.py", "draw_transfer.py"}


def test_every_picture_of_the_docs_has_a_test() -> None:
    """Of the report there is a picture too; it needs a browser, and tests read its page instead."""
    curves = {f"transfer-{name}.svg" for name in CURVES}
    drawn = {*DRAWINGS.values(), *curves, "filters.png", "show.svg", "report.png", "nets"}
    assert {path.name for path in (DOCS / "pictures").iterdir()} == drawn
