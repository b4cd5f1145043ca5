"""What an import may load. Names are allowed, not forbidden: a new one has to be wanted."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import foveal
from foveal.cli import COMMANDS

SOURCE = Path(foveal.__file__).parent
CLICK = {"click", "colorama"}  # colorama: click on Windows
LIGHT = CLICK | {"numpy", "PIL", "safetensors"}
ALLOWED = {
    "show": CLICK,  # has 150 ms
    "zoo": CLICK,
    "cache": CLICK,
    "articles": CLICK,
    "bench": CLICK,
    "train": LIGHT,
    "predict": LIGHT,
    "features": LIGHT,
    "undo": CLICK,
    "evaluate": LIGHT,
    "curve": LIGHT,
    "export": LIGHT,
    "import": CLICK,
    "filter": LIGHT,
    "data": LIGHT,
}

PROBE = """
import sys
before = set(sys.modules)
sys.path.insert(0, {source!r})
{code}
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print("loaded:", *sorted(loaded - set(sys.stdlib_module_names)))
"""


def loaded_by(code: str) -> set[str]:
    """The packages outside the standard library that a new process loads for `code`."""
    probe = PROBE.format(source=str(Path(foveal.__file__).parent.parent), code=code)
    command = [sys.executable, "-c", probe]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return set(run.stdout.splitlines()[-1].split()[1:]) - {"foveal"}


def test_the_probe_sees_what_is_loaded() -> None:
    assert "numpy" in loaded_by("import numpy")


def test_import_foveal_loads_the_standard_library_only() -> None:
    assert loaded_by("import foveal") == set()


@pytest.mark.parametrize("module", ["foveal.net", "foveal.zoo", "foveal.recipe", "foveal.engines"])
def test_what_a_net_is_needs_the_standard_library_only(module: str) -> None:
    assert loaded_by(f"import {module}") == set()


def test_help_loads_click_only() -> None:
    assert loaded_by("from foveal.cli import main; main(['--help'])") <= CLICK


def test_every_command_says_what_it_may_load() -> None:
    assert set(ALLOWED) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_loads_nothing_heavy(name: str) -> None:
    assert loaded_by(f"from foveal.cli import main; main([{name!r}, '--help'])") <= ALLOWED[name]


def test_the_reference_shares_no_geometry_with_the_other_engines() -> None:
    """Where windows lie it finds out itself: agreement proves something only then."""
    arithmetic = {"windows", "pads", "reach", "axes", "output", "surveys", "seen"}
    modules = {"foveal.net.layers.window", "foveal.net.reach", "foveal.net.sight"}
    files = list((SOURCE / "engines" / "reference").rglob("*.py"))
    assert len(files) > 20
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in arithmetic, f"{file.name}, line {node.lineno}"
            if isinstance(node, ast.ImportFrom):
                assert node.module not in modules, f"{file.name}, line {node.lineno}"
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) != ("step", "pads"), file.name
