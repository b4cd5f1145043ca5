"""The page of each family of nets in the docs: all alike, with excerpts of the nets as they are."""

from __future__ import annotations

import re
import runpy
from importlib import import_module
from pathlib import Path

import pytest
from support.pages import examples

from foveal.zoo import ENTRIES

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGES = sorted((DOCS / "nets").glob("*.md"))
NAMES = runpy.run_path(str(DOCS / "draw_nets.py"))["NAMES"]


def test_every_family_has_a_page_and_a_drawing() -> None:
    of_pages = [import_module(f"foveal.zoo.{page.stem}").ENTRIES for page in PAGES]
    assert {name for entries in of_pages for name in entries} == set(ENTRIES)
    assert all(sum(name in entries for name in NAMES) == 1 for entries in of_pages)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_of_nets_are_built_alike(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    headings = re.findall("^## (.+)$", text, re.M)
    assert [one for one in headings if not one.startswith("It grows")] == [
        "Its block",
        "Its numbers",
        "Today",
        "Try",
    ]
    assert text.count("](../pictures/nets/") == 1
    assert "](../articles.md)" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_excerpts_are_of_nets_as_they_are(page: Path) -> None:
    written = [
        words(entry.build(entry.input, entry.num_classes).write())
        for entry in import_module(f"foveal.zoo.{page.stem}").ENTRIES.values()
    ]
    excerpts = [words(one.text) for one in examples(page) if one.language == "net"]
    assert excerpts
    assert all(any(excerpt in net for net in written) for excerpt in excerpts)


def words(text: str) -> str:
    return " ".join(text.split())
