"""The page on ONNX says what code and tests say now."""

from __future__ import annotations

import re
import runpy
from importlib.metadata import version
from pathlib import Path

from support.nodes.cases import nodes
from support.nodes.running import failures

from foveal.engines.portable import wire
from foveal.net.layers import KINDS

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "onnx.md").read_text(encoding="utf-8")


def table(name: str) -> list[list[str]]:
    """The cells of a table of the page."""
    found = re.search(rf"<!-- begin {name} -->\n(.*?)<!-- end {name} -->", PAGE, re.S)
    assert found
    rows = [line.strip("|").split("|") for line in found[1].splitlines()]
    return [[cell.strip() for cell in row] for row in rows]


def test_tables_are_those_of_code_and_tests() -> None:
    made = runpy.run_path(str(DOCS / "make_onnx.py"))["filled"]()
    assert made == PAGE, "python docs/make_onnx.py writes them anew"


def test_the_counts_are_those_of_the_node_tests() -> None:
    failed = sum(map(bool, failures().values()))
    head, _, *rows = table("counts")
    assert head == [f"node tests of onnx {version('onnx')}", str(len(nodes()))]
    assert rows == [
        ["passed by all three engines", str(len(failures()) - failed)],
        ["failed", "0"],
        ["left out", str(len(nodes()) - len(failures()))],
    ]


def test_every_test_that_is_left_out_is_counted_with_a_reason() -> None:
    by_operator = sum(int(row[1]) for row in table("operators")[2:])
    by_name = sum(row[1].count("`") // 2 for row in table("tests")[2:])
    assert by_operator + by_name == len(nodes()) - len(failures())
    assert sum(int(row[3] or 0) for row in table("passed")[2:]) == by_name


def test_every_kind_is_on_the_page() -> None:
    assert [row[0] for row in table("kinds")[2:]] == [f"`{kind.word}`" for kind in KINDS]


def test_the_page_names_the_version_that_is_written() -> None:
    assert f"**Operator set {wire.OPSET}, IR version {wire.IR_VERSION}**" in PAGE
