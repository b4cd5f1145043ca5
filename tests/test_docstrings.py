"""doctest reads `>>>` only at the start of a line; elsewhere an example would never run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import foveal

SOURCE = Path(foveal.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_example_stands_where_doctest_reads_it(module: Path) -> None:
    lines = module.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if re.search(r"[^\s\"'`]\s*>>> ", line)] == []
