"""The names that `foveal` offers: what is added or taken away is seen here."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import foveal


def test_the_public_names() -> None:
    assert foveal.__all__ == [
        "Evaluation",
        "FovealError",
        "Model",
        "Net",
        "Prediction",
        "Recipe",
        "Transfer",
        "curve",
        "from_onnx",
        "from_torch",
        "load",
        "module",
        "parse",
        "train",
    ]


@pytest.mark.parametrize("name", foveal.__all__)
def test_a_public_name_is_documented_and_is_no_package(name: str) -> None:
    assert getattr(foveal, name).__doc__
    with pytest.raises(ModuleNotFoundError):
        import_module(f"foveal.{name}")


@pytest.mark.parametrize("name", ["from_torch", "module"])
def test_what_needs_pytorch_says_how_to_get_it(name: str) -> None:
    program = f"""
import sys
sys.modules["torch"] = None  # as if it were not installed
import foveal
try:
    foveal.{name}
except foveal.FovealError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (
        f"foveal.{name} needs the extra 'train'\n  fix:      pip install 'foveal[train]'\n",
        "",
    )
